"""Both sides of each subscription agree, and each client shows who is there to be seen, whatever people do.

They do things at once, but for what takes back a subscription: where that crosses a request, RFC 6121 leaves one side
with a question that the other does not ask any more.
"""

from random import Random

import pytest

from edge_node.sessions.roster import RosterItem
from tests.support.edge import DOMAIN, Client, Edge

PEOPLE = ("anna", "bruno", "chloe")
STEPS = 60
DEVICES = ("desk", "phone")
DEEDS = {
    "come": 4,
    "leave": 1,
    "appear": 4,
    "hide": 1,
    "remove": 1,
    "subscribe": 6,
    "subscribed": 6,
    "unsubscribe": 1,
    "unsubscribed": 1,
}
TAKING_BACK = ("remove", "unsubscribe", "unsubscribed")
REMOVE = '<iq type="set" id="r"><query xmlns="jabber:iq:roster"><item jid="%s" subscription="remove"/></query></iq>'
PRESENCE = '<presence type="%s" to="%s"/>'

Device = tuple[str, str]


class Crowd:
    """Three people with two devices each."""

    def __init__(self, edge: Edge) -> None:
        self.edge = edge
        self.online: dict[Device, Client] = {}
        self.shown: dict[Device, set[str]] = {}

    async def do(self, deed: str, device: Device, contact: str) -> None:
        """Let somebody do something, as far as it is possible now."""
        client = self.online.get(device)
        if deed == "come" and client is None:
            self.online[device] = await self.edge.bind(*device)
            self.shown[device] = set()
        elif client is None:
            return
        elif deed == "leave":
            await client.leave()
            self.look()
            del self.online[device], self.shown[device]
        elif deed == "appear":
            client.send("<presence/>")
        elif deed == "hide":
            client.send('<presence type="unavailable"/>')
            await self.settle()
            self.shown[device].clear()  # who is not available is told nothing
        elif deed != "come":
            if deed in TAKING_BACK:
                await self.settle()
            client.send(
                REMOVE % f"{contact}@{DOMAIN}" if deed == "remove" else PRESENCE % (deed, f"{contact}@{DOMAIN}")
            )
            if deed in TAKING_BACK:
                await self.settle()

    async def settle(self) -> None:
        await self.edge.settle()
        self.look()

    def look(self) -> None:
        """Let each client take note of the presence that came."""
        for device, client in self.online.items():
            for stanza in client.received("presence"):
                if stanza.type is None:
                    self.shown[device].add(str(stanza.sender))
                elif stanza.type == "unavailable":
                    self.shown[device].discard(str(stanza.sender))

    async def rosters(self) -> dict[str, dict[str, RosterItem]]:
        """By account and by contact."""
        stored = {each: await self.edge.store.rosters.load(f"{each}@{DOMAIN}") for each in PEOPLE}
        return {each: {item.contact.partition("@")[0]: item for item in stored[each].items} for each in PEOPLE}

    def available(self, account: str) -> set[str]:
        """The full JIDs that contacts of an account should see."""
        devices = [client for (owner, _), client in self.online.items() if owner == account]
        return {str(client.jid) for client in devices if client.session.is_available}


@pytest.mark.parametrize("seed", range(40))
async def test_both_sides_agree_and_clients_show_what_is(seed: int) -> None:
    random = Random(seed)
    async with Edge(*PEOPLE) as edge:
        crowd = Crowd(edge)
        for _ in range(STEPS):
            one, other = random.sample(PEOPLE, 2)
            (deed,) = random.choices([*DEEDS], [*DEEDS.values()])
            await crowd.do(deed, (one, random.choice(DEVICES)), other)
            if random.random() < 0.7:
                await crowd.settle()
        await crowd.settle()

        rosters = await crowd.rosters()
        seers = {
            (one, other) for one in PEOPLE for other, item in rosters[one].items() if item.subscription.sees_contact
        }
        seen = {(other, one) for one in PEOPLE for other, item in rosters[one].items() if item.subscription.is_seen}
        assert seers == seen
        for (account, resource), client in crowd.online.items():
            if client.session.is_available:
                visible = {account} | {contact for one, contact in seers if one == account}
                there = set().union(*(crowd.available(each) for each in visible))
                assert crowd.shown[account, resource] == there
        assert edge.reports.failures == []
