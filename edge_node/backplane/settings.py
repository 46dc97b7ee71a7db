"""Settings of the backplane."""

from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Gt, Le

from chassis.settings import LocalPath, Settings

Seconds = Annotated[float, Gt(0), Le(3600)]
SizeBytes = Annotated[int, Ge(4096), Le(1024 * 1024 * 1024)]


class BackplaneSettings(Settings):
    """Between the core and its listener processes; without listener processes nothing of this is used."""

    path: LocalPath = Path("backplane.sock")
    """The Unix socket where the core meets its listeners; only its owner may open it (mode 0600)."""

    unhandled_stanzas_max: Annotated[int, Ge(1), Le(65536)] = 256
    """Copies which a listener keeps for a connection until the core has taken custody; then it stops reading."""

    unhandled_size_bytes_max: SizeBytes = 1024 * 1024
    """The same in bytes of payload."""

    held_frames_max: Annotated[int, Ge(1), Le(1_000_000)] = 10_000
    """Questions of new connections which a listener keeps while the core is away; then it refuses new connections."""

    buffer_size_bytes: SizeBytes = 4 * 1024 * 1024
    """Written and not taken by the other process, from where on no more is read from the clients."""

    buffer_size_bytes_max: SizeBytes = 64 * 1024 * 1024
    """The same for one listener, from where on the core gives it up; it comes back and re-attaches."""

    patience_seconds: Seconds = 5.0
    """How long a listener may leave its buffer above `buffer_size_bytes` before the core gives it up."""

    reconnect_seconds_min: Seconds = 0.05
    """First wait before a listener calls the core again; doubled each time."""

    reconnect_seconds_max: Seconds = 0.5
    """Longest such wait."""

    hello_seconds: Seconds = 5.0
    """How long either side waits for the other's first frame."""

    absence_seconds_max: Seconds = 300.0
    """How long listeners keep their sockets open without a core; then clients are told and the process ends."""
