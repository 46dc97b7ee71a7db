"""`python -m central_hub --config hub.toml`."""

import argparse
import sys
from pathlib import Path

from central_hub.app import run
from chassis.restart import CHECK


def main() -> int:
    """Parse the command line and run the hub."""
    parser = argparse.ArgumentParser(prog="central_hub", description="Chappe's central hub.")
    parser.add_argument("--config", required=True, type=Path, help="the hub's TOML file")
    parser.add_argument(CHECK, action="store_true", help="see whether the settings are right, and end")
    arguments = parser.parse_args()
    return run(arguments.config, only_checks=arguments.check)


if __name__ == "__main__":
    sys.exit(main())
