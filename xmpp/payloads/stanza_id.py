"""Ids of stanzas (XEP-0359) as archives give them: numbers below 2^63 that grow with time."""

import re
from typing import Final

from xmpp import namespaces
from xmpp.jid import JID

_ARCHIVE_ID: Final = re.compile("[0-7][0-9a-f]{15}")


def render_archive_id(archive_id: int, by: JID) -> bytes:
    """Write the `<stanza-id/>` of an archived message, as it stands in scope of `jabber:client`."""
    return f'<stanza-id xmlns="{namespaces.STANZA_ID}" id="{archive_id:016x}" by="{by.escaped}"/>'.encode()


def format_archive_id(archive_id: int) -> str:
    """Return an archive's id as 16 lower-case hexadecimal digits, which sort as the numbers do."""
    return f"{archive_id:016x}"


def parse_archive_id(text: str) -> int | None:
    """Return the number, or None for what no archive of ours gives."""
    return int(text, 16) if _ARCHIVE_ID.fullmatch(text) else None
