"""The contact list and who of it is there: pure state, fed with rosters, pushes and presence."""

from dataclasses import dataclass, field
from typing import Final

from xmpp import namespaces
from xmpp.jid import JID
from xmpp.payloads.roster import Item, Roster, Subscription
from xmpp.stanza import Stanza

SHOW: Final = f"{{{namespaces.CLIENT}}}show"
STATUS: Final = f"{{{namespaces.CLIENT}}}status"

WORDS: Final = {"": "online", "chat": "online", "away": "away", "xa": "away", "dnd": "busy"}
"""The value of `<show/>` (RFC 6121 section 4.7.2.1) in a person's words; without it: available."""
OFFLINE: Final = "offline"
RESOURCES_MAX: Final = 64
STRANGERS_MAX: Final = 1000


@dataclass(frozen=True, slots=True)
class Availability:
    """How one contact is there."""

    word: str = OFFLINE
    text: str = ""
    """What the person says about it."""

    def __str__(self) -> str:
        return f"{self.word} ({self.text})" if self.text else self.word


ABSENT: Final = Availability()


@dataclass(slots=True)
class Contact:
    """One line of the list."""

    jid: JID
    item: Item
    resources: dict[str, tuple[int, Availability]] = field(default_factory=dict)
    """Resource -> priority, availability."""

    @property
    def name(self) -> str:
        """What the contact is called."""
        return self.item.name or self.jid.local or self.jid.bare

    @property
    def availability(self) -> Availability:
        """That of the device which comes first."""
        return max(self.resources.values(), key=lambda pair: pair[0], default=(0, ABSENT))[1]


class Contacts:
    """Everybody on the list, and who asks to be."""

    def __init__(self) -> None:
        """Nobody."""
        self._contacts: dict[str, Contact] = {}
        self.asking: dict[str, JID] = {}
        """Who wants to see our presence and has no answer, by bare address."""

    def get(self, jid: JID) -> Contact | None:
        """Find a contact."""
        return self._contacts.get(jid.bare)

    def sorted(self) -> list[Contact]:
        """By group, then by name."""
        return sorted(self._contacts.values(), key=lambda each: (each.item.groups[:1], each.name.casefold()))

    def replace(self, roster: Roster) -> None:
        """Take the whole list; presence starts from nothing."""
        self._contacts.clear()
        self.update(roster)

    def update(self, roster: Roster) -> None:
        """Take a push."""
        for item in roster.items:
            if item.subscription is Subscription.REMOVE:
                self._contacts.pop(item.jid.bare, None)
            elif item.jid.bare in self._contacts:
                self._contacts[item.jid.bare].item = item
            else:
                self._contacts[item.jid.bare] = Contact(item.jid.bare_jid, item)
            if item.subscription in (Subscription.FROM, Subscription.BOTH):
                self.asking.pop(item.jid.bare, None)

    def forget_presence(self) -> None:
        """The session is over: nobody is known to be there."""
        for contact in self._contacts.values():
            contact.resources.clear()

    def take_presence(self, presence: Stanza) -> Contact | None:
        """Take a presence; answers the contact if it is another than before."""
        sender = presence.sender
        contact = None if sender is None else self._contacts.get(sender.bare)
        if sender is None:
            return None
        if presence.type == "subscribe":
            if len(self.asking) < STRANGERS_MAX:
                self.asking[sender.bare] = sender.bare_jid
            return None
        if contact is None or presence.type not in (None, "unavailable"):
            return None
        before = contact.availability
        resource = sender.resource or ""
        if presence.type == "unavailable":
            if sender.resource is None:
                contact.resources.clear()
            contact.resources.pop(resource, None)
        elif resource in contact.resources or len(contact.resources) < RESOURCES_MAX:
            contact.resources[resource] = (_priority(presence), _availability(presence))
        return contact if contact.availability != before else None


def _availability(presence: Stanza) -> Availability:
    show, status = presence.find(SHOW), presence.find(STATUS)
    word = "" if show is None else show.text.strip()
    return Availability(WORDS.get(word, "online"), "" if status is None else status.text)


def _priority(presence: Stanza) -> int:
    element = presence.find(f"{{{namespaces.CLIENT}}}priority")
    try:
        return 0 if element is None else int(element.text)
    except ValueError:
        return 0
