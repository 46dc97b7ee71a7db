"""What happened, in a form that a human reads."""

import sys
import traceback
from collections import Counter
from collections.abc import Callable, MutableMapping
from typing import Any

import structlog

SHOWN_MAX = 200
AROUND_SECONDS = 5.0


class Trace:
    """The event log of one run, and how often each kind of event occurred."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.lines: list[tuple[float, str, str]] = []
        self.seen: Counter[str] = Counter()
        self.alarms: list[str] = []
        """What no run may log."""
        self.is_over = False
        """Everything is torn down: in what order means nothing."""

    def note(self, who: str, what: str, *, kind: str = "") -> None:
        """Something happened; `kind` counts it."""
        if self.is_over:
            return
        self.lines.append((self._now(), who, what))
        if kind:
            self.seen[kind] += 1

    def log(self, _logger: object, method: str, event: MutableMapping[str, Any]) -> str:
        """A processor of structlog: the product's own log becomes part of the trace."""
        name = event.pop("event")
        if name == "link_closed":  # the hub's view of what `link_down` says; the links of a dying hub end in any order
            raise structlog.DropEvent
        text = f"{name} {' '.join(f'{key}={value}' for key, value in event.items() if key != 'exc_info')}"
        self.note("log", text, kind=f"log:{name}")
        error = sys.exc_info()[1]
        if error is not None and error.__traceback__ is not None:
            where = traceback.extract_tb(error.__traceback__)[-1]
            text += f" {error!r} at {where.filename}:{where.lineno}"
        if method in ("exception", "critical") or name in ("stage_failed", "task_failed"):
            self.alarms.append(text)
        raise structlog.DropEvent

    def about(self, *names: str) -> str:
        """The lines that tell of these names, and all faults, around the time of the first name."""
        times = [at for at, who, what in self.lines if names and (who == names[0] or names[0] in what.split())]
        since, until = (min(times) - AROUND_SECONDS, max(times) + AROUND_SECONDS) if times else (0.0, float("inf"))
        found = [
            f"{at:10.4f}  {who:<12} {what}"
            for at, who, what in self.lines
            if since <= at <= until and (who == "fault" or who in names or any(name in what.split() for name in names))
        ]
        left_out = [f"... {len(found) - SHOWN_MAX} lines before"] if len(found) > SHOWN_MAX else []
        return "\n".join(left_out + found[-SHOWN_MAX:])
