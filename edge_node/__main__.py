"""`python -m edge_node --config FILE`: run an edge node's core."""

import argparse
import sys
from pathlib import Path

from edge_node.app import run


def main() -> int:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser(prog="python -m edge_node", description="Run an edge node.")
    parser.add_argument("--config", type=Path, required=True, help="the TOML file of its settings")
    return run(parser.parse_args().config)


if __name__ == "__main__":
    sys.exit(main())
