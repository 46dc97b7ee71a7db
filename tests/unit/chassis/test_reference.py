"""The reference of settings is complete and made from the code."""

from pathlib import Path
from typing import Annotated, Literal

from annotated_types import Ge, Le
from pydantic import Field

from chassis.reference import settings_reference
from chassis.settings import LocalPath, Settings


class Peer(Settings):
    """A neighbour."""

    name: str
    """What it is called."""


class Part(Settings):
    """A part of the service."""

    port: Annotated[int, Ge(1), Le(65535)] = 5222
    """Where it listens."""

    mode: Literal["a", "b"] = "a"
    """One | the other."""


class Service(Settings):
    """Everything."""

    data: LocalPath = Path("data")
    """Where state is kept."""

    is_open: bool = True
    words: tuple[str, ...] = ("x", "y")
    note: str | None = None
    part: Part = Field(default_factory=Part)
    peers: tuple[Peer, ...] = ()


def test_reference() -> None:
    text = settings_reference(Service, "Settings of the service")
    assert text.startswith("# Settings of the service\n\n")
    assert text.partition("Everything.\n")[2] == (
        "\n"
        "| Setting | Type | Default | Bounds | Meaning |\n"
        "|---|---|---|---|---|\n"
        '| `data` | path | `"data"` |  | Where state is kept. |\n'
        "| `is_open` | true or false | `true` |  |  |\n"
        '| `words` | list of text | `["x", "y"]` |  |  |\n'
        "| `note` | text | none |  |  |\n"
        "\n"
        "## `[part]`\n"
        "\n"
        "A part of the service.\n"
        "\n"
        "| Setting | Type | Default | Bounds | Meaning |\n"
        "|---|---|---|---|---|\n"
        "| `port` | whole number | `5222` | 1 to 65535 | Where it listens. |\n"
        '| `mode` | "a" or "b" | `"a"` |  | One \\| the other. |\n'
        "\n"
        "## `[[peers]]`\n"
        "\n"
        "A neighbour.\n"
        "\n"
        "| Setting | Type | Default | Bounds | Meaning |\n"
        "|---|---|---|---|---|\n"
        "| `name` | text | required |  | What it is called. |\n"
    )
