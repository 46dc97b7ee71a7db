"""People of one department get to know each other, as people do: each logs in, asks the colleagues, and says yes."""

import asyncio
from functools import partial
from pathlib import Path

from chappe.client import Account, Client, ClientError, Endpoint, Event
from chappe.demo.company import Person, colleagues, people
from chappe.demo.layout import DOMAIN, HOST, PASSWORD, Layout
from chassis.errors import OperatorError
from xmpp.element import Element
from xmpp.errors import StanzaError
from xmpp.jid import JID
from xmpp.payloads import roster
from xmpp.payloads.roster import Item, Roster, Subscription
from xmpp.stanza import Stanza

SECONDS_MAX = 60.0


class Newcomer:
    """One person on the first day."""

    def __init__(self, person: Person, endpoint: Endpoint, ca: Path) -> None:
        """Log in there."""
        account = Account(jid=jid_of(person, "first-day"), password=PASSWORD, endpoint=endpoint, ca=ca)
        self._person = person
        self._colleagues = {jid_of(each).bare: each for each in colleagues(person)}
        self._strangers = set(self._colleagues)
        self._knows_all = asyncio.Event()
        self._client = Client(account, self._take, {roster.NAME: self._push})

    async def meet(self, all_met: asyncio.Barrier) -> None:
        """Ask every colleague, accept every colleague, and leave when everybody has met everybody."""
        async with self._client as client:
            answer = await client.request(Roster().element())
            self._note(answer.find(roster.NAME))
            client.send(Stanza.build("presence"))
            for bare in sorted(self._strangers):
                colleague = self._colleagues[bare]
                item = Item(JID.parse(bare), colleague.name, groups=(colleague.department,))
                await client.request(Roster((item,)).element(), type="set")
                client.send(Stanza.build("presence", type="subscribe", to=item.jid))
            await self._knows_all.wait()
            await all_met.wait()

    def _take(self, event: Event) -> None:
        if isinstance(event, Stanza) and event.kind == "presence" and event.type == "subscribe":
            sender = event.sender
            if sender is not None and sender.bare in self._colleagues:
                self._client.send(Stanza.build("presence", type="subscribed", to=sender.bare_jid))

    def _push(self, iq: Stanza) -> tuple[Element, ...]:
        self._note(iq.find(roster.NAME))
        return ()

    def _note(self, element: Element | None) -> None:
        items = () if element is None else roster.read(element).items
        self._strangers -= {item.jid.bare for item in items if item.subscription is Subscription.BOTH}
        if not self._strangers:
            self._knows_all.set()


def jid_of(person: Person, resource: str | None = None) -> JID:
    """A person's address."""
    return JID(person.local, DOMAIN, resource)


async def introduce_everybody(layout: Layout) -> None:
    """Run the company's first day; what is done already is not done again.

    Raises:
        OperatorError: they cannot, or it takes too long.
    """
    ports = {branch.name: branch.starttls for branch in layout.branches}
    everybody = list(people())
    all_met = asyncio.Barrier(len(everybody))
    newcomer = partial(Newcomer, ca=layout.ca)
    failure = ""
    try:
        async with asyncio.timeout(SECONDS_MAX), asyncio.TaskGroup() as tasks:
            for person in everybody:
                tasks.create_task(newcomer(person, Endpoint(HOST, ports[person.site])).meet(all_met))
    except* TimeoutError:
        failure = f"they need more than {SECONDS_MAX:g} s"
    except* (ClientError, StanzaError) as group:
        failure = str(group.exceptions[0])
    if failure:
        raise OperatorError(f"the people of the demo did not get to know each other: {failure}")
