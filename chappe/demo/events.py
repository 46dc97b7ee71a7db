"""What happens in the demo, one readable line each; never what anybody said."""

import json
from collections.abc import Callable, Mapping
from typing import Final

import aiohttp
import click
from prometheus_client.parser import text_string_to_metric_families

from chappe.demo.layout import HOST

COLOURS: Final = {"hub": "magenta", "paris": "blue", "lyon": "yellow"}
ROUTED: Final = "hub_envelopes"
SPOOLED: Final = "hub_spool_envelopes"
IGNORED: Final = frozenset({"timestamp", "level", "event", "logger"})
QUIET: Final = frozenset(
    {"accounts_applied", "edge_stopped", "hub_stopped", "link_opened", "link_closed", "listener_connected"}
)
"""Said by another line, or of no interest here."""

ATTENDANCE: Final = frozenset({"account_online", "account_offline"})

Fields = Mapping[str, object]

WORDS: Final[Mapping[str, Callable[[Fields], str]]] = {
    "account_online": lambda fields: f"{fields.get('account')} is online",
    "account_offline": lambda fields: f"{fields.get('account')} is offline",
    "link_up": lambda _fields: "linked to the hub",
    "link_down": lambda fields: f"link down ({fields.get('text') or fields.get('reason')}); messages wait",
    "edge_started": lambda _fields: "started",
    "hub_started": lambda _fields: "started",
    "edge_draining": lambda _fields: "draining",
    "hub_draining": lambda _fields: "draining",
    "edge_restarting": lambda _fields: "restarting in place",
    "hub_restarting": lambda _fields: "restarting in place",
    "core_lost": lambda fields: f"no core: {fields.get('connections')} connections of a listener wait",
    "listener_ready": lambda fields: f"listener {fields.get('index')} is ready",
}


def say(name: str, text: str, *, is_bad: bool = False) -> None:
    """Print one line; colours on a terminal only."""
    label = click.style(f"{name:>6}", fg=COLOURS.get(name, "cyan"), bold=True)
    click.echo(f"{label}  {click.style(text, fg='red') if is_bad else text}")


def tell(name: str, line: str, *, is_first_day: bool = False) -> None:
    """Print a process's log line, if it is of interest; on the first day, nobody's coming and going is."""
    try:
        fields = json.loads(line)
    except ValueError:
        fields = None
    if not isinstance(fields, dict) or "event" not in fields:
        say(name, line, is_bad=True)  # not a log line: what a process says that cannot start
        return
    if is_first_day and fields["event"] in ATTENDANCE:
        return
    event, is_bad = fields["event"], fields.get("level") in ("warning", "error", "critical")
    if event in WORDS:
        say(name, WORDS[event](fields), is_bad=is_bad)
    elif is_bad and event not in QUIET:
        say(name, described(event, fields), is_bad=True)


def described(event: str, fields: Fields) -> str:
    """An event without words of its own."""
    circumstances = " ".join(f"{key}={value}" for key, value in fields.items() if key not in IGNORED)
    return f"{event.replace('_', ' ')} {circumstances}".rstrip()


class Traffic:
    """Watches the hub's metrics, and tells what has crossed it."""

    def __init__(self, operations: int, others: Mapping[str, str]) -> None:
        """Ask the hub at this port; `others`: site -> the site that it talks to."""
        self._url = f"http://{HOST}:{operations}/metrics"
        self._others = others
        self._seen: dict[tuple[str, str], float] = {}

    async def look(self, session: aiohttp.ClientSession, *, is_silent: bool = False) -> None:
        """Look once; a hub that is away has nothing to tell."""
        try:
            async with session.get(self._url) as answer:
                text = await answer.text()
        except aiohttp.ClientError:
            return
        for line in self.changes(text):
            if not is_silent:
                say("hub", line)

    def changes(self, metrics: str) -> list[str]:
        """What is another than at the last look."""
        lines = []
        for (name, site), value in figures(metrics).items():
            before = self._seen.get((name, site), 0.0)
            self._seen[name, site] = value
            if name == ROUTED and value > before:
                lines.append(f"{site} -> {self._others[site]}: {counted(value - before)}")
            elif name == SPOOLED and value != before:
                lines.append(f"{counted(value)} in the spool for {site}" if value else f"the spool for {site} is empty")
        return lines


def figures(metrics: str) -> dict[tuple[str, str], float]:
    """Read (metric, site) -> value of what is watched."""
    found = {}
    for family in text_string_to_metric_families(metrics):
        if family.name in (ROUTED, SPOOLED):
            for sample in family.samples:
                site = sample.labels.get("origin") or sample.labels.get("site")
                if site is not None and not sample.name.endswith("_created"):
                    found[family.name, site] = sample.value
    return found


def counted(value: float) -> str:
    """Stanzas: messages, receipts, requests."""
    return "1 stanza" if value == 1 else f"{value:.0f} stanzas"
