"""The person's session: what comes in becomes lines, what is typed becomes stanzas.

Rule: it knows no terminal; lines go to a screen, which shows them as it can.
"""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import tzinfo
from typing import Final, Protocol

from chappe.chat.contacts import Contacts
from chappe.chat.history import History
from chappe.chat.lines import Kind, Line, clock_time, printable, said
from chappe.chat.messages import Delivered, News, Returned, Said, news_of, outgoing, receipt
from chappe.chat.session import Connect
from chappe.client import ClientError, Connected, Disconnected, Ended, Event
from chappe.client.client import new_id
from chassis.clock import Clock
from xmpp import namespaces
from xmpp.acknowledgement import QueueFull
from xmpp.element import Element
from xmpp.errors import StanzaCondition, StanzaError
from xmpp.events import Acknowledged
from xmpp.jid import JID
from xmpp.payloads import carbons, roster
from xmpp.payloads.roster import Item, Roster
from xmpp.stanza import Stanza

HISTORY_LIMIT: Final = 20
SENT_REMEMBERED_MAX: Final = 1000
SHOWN_REMEMBERED_MAX: Final = 5000


class Screen(Protocol):
    """Where lines go."""

    def show(self, line: Line) -> None:
        """Show one."""


class Conversation:
    """One account's chats.

    Args:
        connect: makes the session.
        screen: where lines go.
        clock: for the time of what is said now.
        spawn: starts what has to wait for the server.
        zone: of the times shown; None: the machine's.
    """

    def __init__(
        self,
        connect: Connect,
        screen: Screen,
        clock: Clock,
        spawn: Callable[[Coroutine[None, None, None]], None],
        zone: tzinfo | None = None,
    ) -> None:
        self._screen = screen
        self._clock = clock
        self._spawn = spawn
        self._zone = zone
        self._sent: dict[str, str] = {}
        self._shown: dict[tuple[str, bool, str], None] = {}
        self._earlier = ""
        self._acknowledged = asyncio.Event()
        self.introduced = asyncio.Event()
        """Contacts are known, and who of them is there; or they could not be had."""
        self.client = connect(self.take, {roster.NAME: self._take_push})
        self.contacts = Contacts()
        self.history = History(self.client)
        self.peer: JID | None = None
        """Who is being talked to."""
        self.delivery = ""
        """How far the last message has come."""

    # --- what comes in -------------------------------------------------------

    def take(self, event: Event) -> None:
        """Take what the client tells."""
        match event:
            case Connected(jid, is_resumed):
                self.note(f"connected as {jid.full}" if not is_resumed else "connected again")
                if not is_resumed:
                    self._spawn(self._introduce())
            case Disconnected(reason):
                self.error(f"connection lost ({reason}); trying again ...")
            case Ended(reason):
                self.error(reason)
            case Acknowledged():
                self._acknowledged.set()
                if self.delivery == "sending" and self.client.unacknowledged == 0:
                    self.delivery = "sent"
            case Stanza(kind="presence"):
                self._take_presence(event)
            case Stanza():
                if not self.history.take(event):
                    self._take_news(news_of(event, self.client.jid))

    def _take_news(self, news: News | None) -> None:
        match news:
            case Said():
                self.show_said(news)
                if news.receipt_to is not None:
                    self._send(receipt(news.receipt_to, news.id, new_id()))
            case Delivered(peer, id):
                text = self._sent.pop(id, None)
                if text is not None:
                    self.delivery = "delivered"
                    self._screen.show(Line(Kind.NOTE, f"delivered to {self.name_of(peer)}: {printable(text)}"))
            case Returned(peer, id, reason):
                text = self._sent.pop(id, "a message")
                self.error(f"not delivered to {self.name_of(peer)} ({printable(reason)}): {printable(text)}")
            case None:
                pass

    def _take_presence(self, presence: Stanza) -> None:
        was_asking = len(self.contacts.asking)
        changed = self.contacts.take_presence(presence)
        if changed is not None and self.introduced.is_set():
            self._screen.show(
                Line(Kind.PRESENCE, f"{printable(changed.name)} is {printable(str(changed.availability))}")
            )
        if len(self.contacts.asking) > was_asking and presence.sender is not None:
            name = self.name_of(presence.sender.bare_jid)
            self.note(f"{name} wants to see when you are online: /accept {name} or /decline {name}")

    def _take_push(self, iq: Stanza) -> tuple[Element, ...]:
        if iq.sender is not None and iq.sender.full != self.client.jid.bare:
            raise StanzaError(StanzaCondition.SERVICE_UNAVAILABLE)  # RFC 6121 section 2.1.6
        element = iq.find(roster.NAME)
        if element is not None:
            self.contacts.update(roster.read(element))
        return ()

    async def _introduce(self) -> None:
        """A new session: ask for the contact list and the copies of other devices, then say that we are here."""
        self.introduced.clear()
        self.contacts.forget_presence()
        try:
            answer = await self.client.request(Roster().element())
            element = answer.find(roster.NAME)
            if element is not None:
                self.contacts.replace(roster.read(element))
            await self.client.request(Element(carbons.ENABLE), type="set")
            self._send(Stanza.build("presence"))
            # The server answers a ping behind the presence of those contacts that it knows.
            await self.client.request(Element(f"{{{namespaces.PING}}}ping"))
        finally:
            self.introduced.set()
        contacts = self.contacts.sorted()
        listed = ", ".join(printable(each.name) for each in contacts if each.resources) or "nobody"
        self.note(f"{len(contacts)} contact{'' if len(contacts) == 1 else 's'}, online: {listed}")

    # --- what is done --------------------------------------------------------

    async def open(self, peer: JID) -> None:
        """Turn to somebody, and show what was said last."""
        self.peer = peer
        self._earlier = ""
        contact = self.contacts.get(peer)
        state = f", {printable(str(contact.availability))}" if contact is not None else ", not in your contacts"
        self.note(f"talking to {self.name_of(peer)} ({peer.bare}){state}")
        await self.show_earlier(HISTORY_LIMIT)

    async def show_earlier(self, limit: int) -> None:
        """Show the page of history before the one shown last."""
        if self.peer is None:
            raise ClientError("talk to somebody first: /to NAME")
        if self._earlier == "end":
            self.note("there is nothing before")
            return
        first, messages = await self.history.last(self.peer, limit, self._earlier)
        self._earlier = first or "end"
        for message in messages:
            self.show_said(message)

    def say(self, text: str) -> None:
        """Send a message to whom we are talking to."""
        if self.peer is None:
            raise ClientError("talk to somebody first: /to NAME")
        stanza = outgoing(self.peer, text, new_id())
        self._send(stanza)
        if len(self._sent) >= SENT_REMEMBERED_MAX:
            del self._sent[next(iter(self._sent))]
        self._sent[stanza.id or ""] = text
        self.delivery = "sending"
        self.show_said(Said(self.peer, is_own=True, text=text, id=stanza.id or ""))

    def set_presence(self, show: str, text: str) -> None:
        """Tell how we are there: a value of `<show/>`, or nothing."""
        children = [Element(f"{{{namespaces.CLIENT}}}{name}", children=(value,)) for name, value in
                    (("show", show), ("status", text)) if value]  # fmt: skip
        self._send(Stanza.build("presence", *children))

    async def add(self, jid: JID) -> None:
        """Put somebody on the list, and ask to see the presence."""
        await self.client.request(Roster((Item(jid),)).element(), type="set")
        self._send(Stanza.build("presence", type="subscribe", to=jid))
        self.note(f"{self.name_of(jid)} is asked")

    async def remove(self, jid: JID) -> None:
        """Take somebody off the list, both ways."""
        await self.client.request(Roster((Item(jid, subscription=roster.Subscription.REMOVE),)).element(), type="set")
        self.note(f"{self.name_of(jid)} is off the list")

    async def accept(self, jid: JID) -> None:
        """Show our presence to somebody who asks, and ask back."""
        self.contacts.asking.pop(jid.bare, None)
        self._send(Stanza.build("presence", type="subscribed", to=jid))
        contact = self.contacts.get(jid)
        sees = (roster.Subscription.TO, roster.Subscription.BOTH)
        if contact is None or contact.item.subscription not in sees:
            await self.add(jid)

    def decline(self, jid: JID) -> None:
        """Refuse to show our presence."""
        self.contacts.asking.pop(jid.bare, None)
        self._send(Stanza.build("presence", type="unsubscribed", to=jid))

    async def settled(self) -> None:
        """Return when the server has taken everything."""
        while self.client.unacknowledged:
            self._acknowledged.clear()
            await self._acknowledged.wait()

    def _send(self, stanza: Stanza) -> None:
        try:
            self.client.send(stanza)
        except QueueFull:
            raise ClientError("too much waits for the server already") from None

    # --- what is shown -------------------------------------------------------

    def show_said(self, message: Said) -> None:
        """Show what somebody said; once, though it may come from the archive and by itself."""
        key = (message.peer.bare, message.is_own, message.id)
        if message.id and key in self._shown:
            return
        self._shown[key] = None
        if len(self._shown) > SHOWN_REMEMBERED_MAX:
            del self._shown[next(iter(self._shown))]
        now_us = self._clock.now_us()
        time = clock_time(message.moment_us or now_us, now_us, self._zone)
        own, peer = self.client.jid.local or "", self.name_of(message.peer)
        who = (own if message.peer == self.peer else f"{own} to {peer}") if message.is_own else peer
        self._screen.show(said(time, who, message.text, is_own=message.is_own))

    def name_of(self, jid: JID) -> str:
        """What somebody is called: colleagues by the local part alone."""
        return printable((jid.local or jid.domain) if jid.domain == self.client.jid.domain else jid.bare)

    def note(self, text: str) -> None:
        """Show something that nobody said."""
        self._screen.show(Line(Kind.NOTE, text))

    def error(self, text: str) -> None:
        """Show what went wrong."""
        self._screen.show(Line(Kind.ERROR, printable(text)))
