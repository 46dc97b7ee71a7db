"""What a process takes of its machine: file descriptors, and pauses of the cycle collector."""

import gc
import resource
from typing import Final

COLLECTOR_THRESHOLDS: Final = (100_000, 20, 100)
"""Allocations until the young generation is collected, and collections of one generation per collection of the next.

CPython's (700, 10, 10) walks every session of a busy edge many times a second; what is hot makes no cycles.
"""


def raise_file_limit() -> int:
    """Raise the soft limit of open files to the hard one; gives the limit that holds."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def settle_collector(thresholds: tuple[int, int, int] = COLLECTOR_THRESHOLDS) -> None:
    """To be called once, when the process has started: what lives now lives to the end.

    It is moved out of the collector's sight (`gc.freeze`), and collections become rare.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*thresholds)
