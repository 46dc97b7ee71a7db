"""`python -m edge_node --config FILE`: run an edge node's core, or check its settings."""

import argparse
import sys
from pathlib import Path

from chassis.restart import CHECK
from edge_node.app import run


def main() -> int:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser(prog="python -m edge_node", description="Run an edge node.")
    parser.add_argument("--config", type=Path, required=True, help="the TOML file of its settings")
    parser.add_argument(CHECK, action="store_true", help="see whether the settings are right, and end")
    arguments = parser.parse_args()
    return run(arguments.config, only_checks=arguments.check)


if __name__ == "__main__":
    sys.exit(main())
