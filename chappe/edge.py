"""`chappe edge`: run an edge node in this process, or put its store right while it does not run."""

import os
from pathlib import Path

import click

CONFIG = click.Path(dir_okay=False, path_type=Path)


@click.group(invoke_without_command=True)
@click.option("--config", type=CONFIG, help="The edge's TOML file.")
@click.option("--check", is_flag=True, help="See whether the settings are right, and end.")
@click.pass_context
def edge(context: click.Context, config: Path | None, *, check: bool) -> None:
    """Run an edge node until SIGTERM or Ctrl-C; SIGHUP restarts it in place."""
    if context.invoked_subcommand is not None:
        context.obj = config
        return
    from edge_node.app import run  # noqa: PLC0415 - a server's libraries are not loaded for the help

    context.exit(run(named(config), only_checks=check))


@edge.command()
@click.option("--config", type=CONFIG, help="The edge's TOML file.")
@click.option("--drop-outbox", is_flag=True, help="Forget what waited for the hub when the copy was made.")
@click.pass_context
def new_epoch(context: click.Context, config: Path | None, *, drop_outbox: bool) -> None:
    """Begin a new epoch of the outbox: once, after the store was restored from a copy.

    What waited for the hub when the copy was made is sent again, and may come twice, unless it is dropped.
    """
    from chassis.errors import OperatorError  # noqa: PLC0415 - as above
    from edge_node.app import new_epoch as begin  # noqa: PLC0415 - as above

    try:
        done = begin(named(config or context.obj), keeps_outbox=not drop_outbox)
    except OperatorError as error:
        click.echo(str(error), err=True)
        context.exit(os.EX_CONFIG)
    click.echo(done)


def named(config: Path | None) -> Path:
    """The settings file; a usage error without one."""
    if config is None:
        raise click.MissingParameter(param_hint="'--config'", param_type="option")
    return config
