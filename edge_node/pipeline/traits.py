"""What a message's type and the names of its payloads say about how to treat it.

Nothing here looks inside a payload.  The answers are cached by (type, names), of which real traffic has few.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from xmpp import namespaces as ns

MessageType = Literal["chat", "normal", "groupchat", "headline", "error"]

CACHED_MAX = 4096
CACHED_CHARACTERS_MAX = 1024
"""Longer lists of names are worked out each time: clients choose names, and the cache must stay small."""

_TYPES: dict[str | None, MessageType] = {
    "chat": "chat",
    "groupchat": "groupchat",
    "headline": "headline",
    "error": "error",
}


def _names(namespace: str, *locals_: str) -> frozenset[str]:
    return frozenset(f"{{{namespace}}}{local}" for local in locals_)


_BODY = f"{{{ns.CLIENT}}}body"
_ROOM = f"{{{ns.MUC_USER}}}x"
_STANZA_ID = f"{{{ns.STANZA_ID}}}stanza-id"
_CALL = f"{{{ns.JINGLE_MESSAGE}}}"
"""All payloads of XEP-0353: they say that somebody called, and how that ended."""
_STORE = f"{{{ns.HINTS}}}store"
_NO_STORE = f"{{{ns.HINTS}}}no-store"
_NO_PERMANENT_STORE = f"{{{ns.HINTS}}}no-permanent-store"
_PRIVATE = _names(ns.HINTS, "no-copy") | _names(ns.CARBONS, "private")

_CHAT_STATES = _names(ns.CHAT_STATES, "active", "composing", "paused", "inactive", "gone")
_RECEIPTS = _names(ns.RECEIPTS, "received") | _names(ns.CHAT_MARKERS, "received", "displayed", "acknowledged")

_CONTENT = (
    frozenset({_BODY, _ROOM})
    | _names(ns.CONFERENCE, "x")
    | _names(ns.OMEMO_OLD, "encrypted")
    | _names(ns.OMEMO, "encrypted")
    | _names(ns.OPENPGP, "openpgp")
    | _names(ns.ENCRYPTION, "encryption")
    | _names(ns.RETRACT, "retract")
    | _names(ns.REACTIONS, "reactions")
    | _names(ns.FASTEN, "apply-to")
)
"""What makes a message part of a conversation, with or without a body."""

_MESSAGING = _CONTENT | _RECEIPTS
"""Worth an archive entry: XEP-0313 section 6.1.1 names the body, and the others complete what is read there."""
_COPIED = _MESSAGING | _CHAT_STATES
"""Typically used in instant messaging (XEP-0280 section 6.1), invitations of XEP-0045 and XEP-0249 included."""

_EMPTY = (
    _CHAT_STATES
    | frozenset({_STANZA_ID, _NO_STORE, _NO_PERMANENT_STORE})
    | _PRIVATE
    | _names(ns.CLIENT, "thread")
    | _names(ns.STANZA_ID, "origin-id")
    | _names(ns.CHAT_MARKERS, "markable")
    | _names(ns.RECEIPTS, "request")
)
"""With nothing else, a message has no content that somebody away could miss (XEP-0160 section 3)."""


@dataclass(frozen=True, slots=True)
class Traits:
    """How a message is to be treated by the archive, by carbons and when nobody is there."""

    type: MessageType
    """An absent or unknown type is normal (RFC 6121 section 5.2.2)."""
    archived: bool
    """Belongs into archives, as far as their owners' preferences allow it."""
    offline: bool
    """Waits for an account without an available resource (XEP-0160 section 3)."""
    kept: bool
    """Is stored for the sessions that get it, also if no archive wants it: what would wait, and errors."""
    copied_when_sent: bool
    """The sender's other resources get a carbon (XEP-0280 section 8)."""
    copied_when_received: bool
    """The recipient's other resources get a carbon (XEP-0280 section 7)."""
    has_body: bool
    has_stanza_id: bool
    """Claims a stanza-id, which has to be checked for a forged `by` (XEP-0359 section 3)."""


def traits_of(type_: str | None, payloads: tuple[str, ...]) -> Traits:
    """The traits of a message.

    Args:
        type_: the `type` attribute.
        payloads: Clark names of the direct children.
    """
    kind = _TYPES.get(type_, "normal")
    if sum(map(len, payloads)) <= CACHED_CHARACTERS_MAX:
        return _cached(kind, payloads)
    return _work_out(kind, payloads)


def _work_out(kind: MessageType, payloads: Iterable[str]) -> Traits:
    names = frozenset(payloads)
    is_conversation = kind in ("chat", "normal")
    is_call = any(name.startswith(_CALL) for name in names)
    is_messaging = is_call or not names.isdisjoint(_MESSAGING)
    may_store = _NO_STORE not in names
    # An error carries the hints of the message that it answers: they are not meant for it (XEP-0334 section 5).
    is_asked_for = _STORE in names and kind not in ("error", "groupchat")
    copied = _is_copied(kind, names, is_call=is_call)
    waits = is_conversation and may_store and not names <= _EMPTY
    return Traits(
        type=kind,
        archived=((is_conversation and is_messaging) or is_asked_for)
        and may_store
        and _NO_PERMANENT_STORE not in names,
        offline=waits,
        kept=waits or kind == "error",
        copied_when_sent=copied,
        # A room sends private messages to each of an occupant's clients itself; invitations come from the room
        # with the same payload, but not as chat.
        copied_when_received=copied and not (kind == "chat" and _ROOM in names),
        has_body=_BODY in names,
        has_stanza_id=_STANZA_ID in names,
    )


def _is_copied(kind: MessageType, names: frozenset[str], *, is_call: bool) -> bool:
    """XEP-0280 section 6.1.  An error shows by the payload it gives back what it answers."""
    if not names.isdisjoint(_PRIVATE):
        return False
    return kind == "chat" or (kind in ("normal", "error") and (is_call or not names.isdisjoint(_COPIED)))


_cached = lru_cache(maxsize=CACHED_MAX)(_work_out)
