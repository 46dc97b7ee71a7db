"""The command `chappe`: one table of command groups, each loaded when it is called.

Rule: nothing is imported before it is needed, so that `chappe --help` answers at once.
"""

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

import click

COMMANDS: Mapping[str, tuple[str, str, str]] = {
    "account": ("chappe.administration.account", "account", "Administer accounts at the hub."),
    "chat": ("chappe.chat.command", "chat", "Chat in this terminal."),
    "demo": ("chappe.demo.command", "demo", "Run a hub and two branches on this machine."),
    "edge": ("chappe.edge", "edge", "Run an edge node."),
    "hub": ("chappe.hub", "hub", "Run the central hub."),
    "reference": ("chappe.reference.command", "reference", "Write the pages of docs/ that are made from the code."),
    "site": ("chappe.administration.site", "site", "Administer sites at the hub."),
}
"""Name to (module, attribute, short help)."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names, sorted."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command = getattr(import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{module}.{attribute} is not a command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table, importing none."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][2]) for name in sorted(COMMANDS)])


def installed_version() -> str:
    """The version of this installation; `unknown` in a tree that is not installed."""
    try:
        return version("chappe")
    except PackageNotFoundError:
        return "unknown"


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(installed_version(), prog_name="chappe")
def main() -> None:
    """Chappe: enterprise instant messaging for companies with many branches."""
