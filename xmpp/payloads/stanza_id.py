"""Ids of stanzas (XEP-0359), and how the ids of an archive look on the wire.

An archive's ids are numbers below 2^63 that grow with time.
"""

import re
from dataclasses import dataclass
from typing import Final

from xmpp import namespaces
from xmpp.element import Element, serialize
from xmpp.jid import JID, InvalidJID

NAME: Final = f"{{{namespaces.STANZA_ID}}}stanza-id"
ORIGIN_ID: Final = f"{{{namespaces.STANZA_ID}}}origin-id"

_ARCHIVE_ID: Final = re.compile("[0-7][0-9a-f]{15}")


@dataclass(frozen=True, slots=True)
class StanzaId:
    """The id that one entity, such as an archive, has given to a stanza."""

    id: str
    by: JID


def read(element: Element) -> StanzaId | None:
    """Read `<stanza-id/>`; None if it does not say both what and whose."""
    id_, by = element.get("id"), element.get("by")
    if not id_ or not by:
        return None
    try:
        return StanzaId(id_, JID.parse(by))
    except InvalidJID:
        return None


def render(id_: str, by: JID) -> bytes:
    """Write `<stanza-id/>`."""
    return serialize(Element(NAME, {"id": id_, "by": by.full}), namespaces.CLIENT)


def render_archive_id(archive_id: int, by: JID) -> bytes:
    """Write the `<stanza-id/>` of an archived message; what `render` writes, but cheap enough for every message."""
    return f'<stanza-id xmlns="{namespaces.STANZA_ID}" id="{archive_id:016x}" by="{by.escaped}"/>'.encode()


def format_archive_id(archive_id: int) -> str:
    """Return an archive's id as 16 lower-case hexadecimal digits, which sort as the numbers do."""
    return f"{archive_id:016x}"


def parse_archive_id(text: str) -> int | None:
    """Return the number, or None for what no archive of ours gives."""
    return int(text, 16) if _ARCHIVE_ID.fullmatch(text) else None
