"""`chappe edge`: run an edge node in this process."""

from pathlib import Path

import click


@click.command()
@click.option("--config", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The edge's TOML file.")
@click.pass_context
def edge(context: click.Context, config: Path) -> None:
    """Run an edge node until SIGTERM or Ctrl-C."""
    from edge_node.app import run  # noqa: PLC0415 - a server's libraries are not loaded for the help

    context.exit(run(config))
