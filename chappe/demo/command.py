"""`chappe demo`: options."""

import shutil
from functools import partial
from pathlib import Path

import click

from chappe.demo import control
from chappe.demo.layout import DEFAULT_FOLDER, MARK, Layout
from chappe.demo.run import run
from chassis.errors import OperatorError
from chassis.lifecycle import run as run_process
from chassis.lock import ProcessLock

DRAIN_SECONDS = 80.0
SITES = click.Choice(["paris", "lyon"])


@click.command()
@click.option("--cut", type=SITES, help="Cut a site's link in the demo that is running.")
@click.option("--heal", type=SITES, help="Heal it.")
@click.option("--reset", is_flag=True, help="Forget everything the demo has stored.")
@click.option("--listeners", type=click.IntRange(0, 8), default=0, help="Listener processes of each edge.")
@click.option("--offset", type=click.IntRange(0, 25_000), default=0, help="Added to every port.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=DEFAULT_FOLDER,
    show_default=True,
    help="Where certificates, settings and stores are.",
)
@click.pass_context
def demo(  # noqa: PLR0917 - a command's options
    context: click.Context,
    cut: str | None,
    heal: str | None,
    reset: bool,
    listeners: int,
    offset: int,
    folder: Path,
) -> None:
    """Run a hub and the branches Paris and Lyon on this machine, with people in them, until Ctrl-C."""
    layout = Layout(folder, offset)
    try:
        if cut is not None:
            click.echo(control.order(layout.control, "cut", cut))
        elif heal is not None:
            click.echo(control.order(layout.control, "heal", heal))
        elif reset:
            forget(layout)
        else:
            context.exit(run_process(partial(run, layout, listeners), DRAIN_SECONDS))
    except OperatorError as error:
        raise click.ClickException(str(error)) from error


def forget(layout: Layout) -> None:
    """Remove a demo's folder.

    Raises:
        OperatorError: it is in use, or no demo's.
    """
    if not layout.folder.exists():
        click.echo(f"{layout.folder}: there is nothing to forget")
        return
    if not layout.lock.exists():
        raise OperatorError(f"{layout.folder} is no demo's folder: there is no {MARK} in it")
    with ProcessLock(layout.lock):
        shutil.rmtree(layout.folder)
    click.echo(f"{layout.folder} is removed")
