"""`chappe hub`: run the central hub in this process."""

from pathlib import Path

import click


@click.command()
@click.option("--config", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The hub's TOML file.")
@click.pass_context
def hub(context: click.Context, config: Path) -> None:
    """Run the central hub until SIGTERM or Ctrl-C."""
    from central_hub.app import run  # noqa: PLC0415 - a server's libraries are not loaded for the help

    context.exit(run(config))
