"""Whether a stanza that somebody else has taken apart is what it says.

Where payloads travel as bytes, whoever sends them could close the stanza in them and begin another, in anybody's name.
So what comes from a server that is not trusted so far is put together and read once more, as if it came from a client.
"""

from xmpp.cutter import Limits
from xmpp.jid import JID
from xmpp.parser import ParserPool
from xmpp.stanza import Stanza


class Inspector:
    """Reads stanzas that other servers have written.

    Args:
        size_bytes_max: of one stanza; whatever bounds a client met elsewhere, its stanza must pass here.

    """

    __slots__ = ("_parsers",)

    def __init__(self, size_bytes_max: int) -> None:
        self._parsers = ParserPool(
            Limits(
                stanza_size_bytes_max=size_bytes_max,
                depth_max=1100,
                elements_max=20_000,
                tag_size_bytes_max=size_bytes_max,
            )
        )

    def read(self, rendered: bytes) -> Stanza | None:
        """Return the stanza that this is; None if it is not exactly one."""
        cutter = self._parsers.borrow()
        items = cutter.feed(rendered)
        is_whole = cutter.is_idle and len(items) == 1
        self._parsers.give_back(cutter)
        return items[0] if is_whole and isinstance(items[0], Stanza) else None

    def is_sound(self, stanza: Stanza) -> bool:
        """Whether the parts of a stanza make that stanza and nothing else."""
        try:
            return self.read(stanza.render()) == stanza
        except ValueError:
            return False  # an attribute that XML cannot carry

    def is_presence_of(self, sender: JID, rendered: bytes) -> bool:
        """Whether this is a presence as its sender broadcasts it while available: without `to` and `type`."""
        stanza = self.read(rendered)
        return (
            stanza is not None
            and (stanza.kind, stanza.type, stanza.to, stanza.sender) == ("presence", None, None, sender)
            and stanza.malformed is None
        )
