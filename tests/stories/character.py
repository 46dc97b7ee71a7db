"""The characters of a story: a client of the company, and everything that it perceives."""

import unicodedata
from dataclasses import dataclass, field

from tests.stories.company import address_of
from tests.support.edge import Client, jid, parse
from xmpp import namespaces
from xmpp.element import Element
from xmpp.stanza import Stanza

FORWARDED = f"{{{namespaces.FORWARD}}}forwarded"
MESSAGE = "{jabber:client}message"
BODY = "{jabber:client}body"


@dataclass
class Character:
    """One client, and what it has perceived."""

    client: Client
    messages: list[Stanza] = field(default_factory=list)
    presence: dict[str, Stanza] = field(default_factory=dict)
    """The newest presence by full address."""
    requests: list[tuple[str, str]] = field(default_factory=list)
    """(type, sender) of subscription stanzas."""
    roster: dict[str, Element] = field(default_factory=dict)
    answers: dict[str, Stanza] = field(default_factory=dict)

    def listen(self) -> None:
        """Take in what has come, answer pings, acknowledge (XEP-0198)."""
        wire = self.client.wire
        if not wire.written:
            return
        for data in wire.written:
            self._take(parse(data))
        wire.written.clear()
        if wire.resumption_id and self.client.is_online:
            self.client.acknowledge()

    def story(self) -> str:
        """What there is to know when something does not come."""
        heard = [message.render().decode() for message in self.messages]
        seen = {who: stanza.render().decode() for who, stanza in self.presence.items()}
        return f"heard: {heard}; sees: {seen}; asked: {self.requests}; closed: {self.client.wire.closed}"

    def _take(self, stanza: Stanza) -> None:
        sender = address_of(stanza.sender)
        if stanza.kind == "message":
            self.messages.append(stanza)
        elif stanza.kind == "presence" and stanza.type in (None, "unavailable"):
            self.presence[sender] = stanza
        elif stanza.kind == "presence":
            self.requests.append((stanza.type or "", sender))
        elif stanza.type == "set":
            for query in stanza.elements():
                for item in query.elements:
                    self.roster[address_of(jid(item.get("jid") or ""))] = item
            self.client.send(stanza.result().render().decode())
        elif stanza.type == "get":
            self.client.send(stanza.result().render().decode())
        else:
            self.answers[stanza.id or ""] = stanza


def name_of(text: str) -> str:
    """`Chloé` is `chloe`."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()


def address_in(text: str) -> str:
    """`Anna's desk` is `anna/desk`."""
    account, _, resource = text.partition("'s ")
    return name_of(account) + (f"/{resource}" if resource else "")


def state_of(presence: Stanza) -> str:
    if presence.type is not None:
        return presence.type
    show = presence.find("{jabber:client}show")
    return "available" if show is None else show.text


def carried_by(wrapper: Element | None) -> str | None:
    """The body of the message that a carbon or a result of the archive carries."""
    forwarded = None if wrapper is None else wrapper.find(FORWARDED)
    message = None if forwarded is None else forwarded.find(MESSAGE)
    body = None if message is None else message.find(BODY)
    return None if body is None else body.text
