"""A stanza in transit between two sites, with what is needed to route it.

The payload is opaque: nobody between the two edges parses it (architecture, decision 3).

Rule: an envelope belongs to one of two classes for its whole life.

*Held* envelopes (``sequence`` > 0) lie in the outbox of their origin until the hub answers for them.  (origin, epoch,
sequence) names one for ever; whoever meets the name twice takes the second for a duplicate.

*Transient* envelopes (``sequence`` 0) are never stored.  They are worth something for ``deadline_ms`` only.
"""

from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["message", "presence", "iq"]

ENVELOPE_BYTES_MAX = 2_621_440
"""No envelope may be larger in its wire form: a stanza of 1 MiB, the names of its payloads once more, and addresses."""


@dataclass(slots=True, eq=False, kw_only=True)
class Envelope:
    """One stanza on its way.

    Not frozen: one is built for every message that crosses a link, and a frozen one costs three times as much to
    build (tests/benchmarks/bench_cascade.py).  Treat it as a value all the same: use `addressed_to` for a copy.
    """

    origin: str
    """Name of the site that accepted the stanza."""
    epoch: int
    """Epoch of the origin's outbox."""
    sequence: int = 0
    """Position in the origin's outbox; 0 makes it transient."""
    sender: str
    """Full or bare JID; vouched for by the origin, checked by the hub."""
    recipients: tuple[str, ...]
    kind: Kind
    type: str | None = None
    id: str | None = None
    language: str | None = None
    payloads: tuple[str, ...] = ()
    """Clark names of the direct children, in order."""
    declarations: bytes = b""
    """Namespace declarations of the stanza's own start tag."""
    inner: bytes = b""
    """What stands between the start tag and the end tag, verbatim."""
    sent_us: int = 0
    """Wall clock in microseconds when the origin took custody."""
    deadline_ms: int = 0
    """Transient only: how long an answer is worth anything."""
    trace: bytes = b""
    hub_sequence: int = 0
    """Held, from hub to site only: position on the link that brought it."""
    after: tuple[int, int] = (0, 0)
    """Held, at its destination only: (epoch, sequence) of the one that was taken before it of the same origin."""
    encoded: bytes = b""
    """The wire form without ``hub_sequence``, kept by `cascade.codec` so that it is made once; b"" = not made yet."""

    @property
    def is_held(self) -> bool:
        """Whether it has a place in its origin's outbox."""
        return self.sequence > 0

    @property
    def size_bytes(self) -> int:
        """What it is taken to weigh in frames, queues and memory: an estimate that never changes."""
        names = sum(map(len, self.payloads))  # clients choose them, and the id
        return 256 + len(self.inner) + len(self.declarations) + names + len(self.id or "") + 48 * len(self.recipients)

    def addressed_to(self, recipients: tuple[str, ...]) -> "Envelope":
        """Return the same envelope for some of its recipients: the copy for one destination."""
        return self if recipients == self.recipients else replace(self, recipients=recipients, encoded=b"")
