"""What processes have cost, as the kernel says: CPU time of all their threads, and memory that is theirs."""

import os
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Processes:
    """The processes that have a mark (such as the path of their settings) on their command line."""

    mark: str

    def ids(self) -> list[int]:
        found = []
        for place in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                command = place.read_bytes()
            except OSError:
                continue  # it has ended
            if self.mark.encode() in command and int(place.parent.name) != os.getpid():
                found.append(int(place.parent.name))
        return sorted(found)

    def cpu_seconds(self) -> float:
        return sum(cpu_seconds(pid) for pid in self.ids())

    def pss_kib(self) -> int:
        """Proportional set size: shared pages are counted once, divided among those that share them."""
        return sum(pss_kib(pid) for pid in self.ids())


def cpu_seconds(pid: int) -> float:
    """User and system time of a process with all its threads, in steps of 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def pss_kib(pid: int) -> int:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(next(line for line in rollup.splitlines() if line.startswith("Pss:")).split()[1])
