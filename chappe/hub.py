"""`chappe hub`: run the central hub in this process."""

from pathlib import Path

import click


@click.command()
@click.option("--config", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The hub's TOML file.")
@click.option("--check", is_flag=True, help="See whether the settings are right, and end.")
@click.pass_context
def hub(context: click.Context, config: Path, check: bool) -> None:
    """Run the central hub until SIGTERM or Ctrl-C; SIGHUP restarts it in place."""
    from central_hub.app import run  # noqa: PLC0415 - a server's libraries are not loaded for the help

    context.exit(run(config, only_checks=check))
