"""`python -m central_hub --config hub.toml`."""

import argparse
import sys
from pathlib import Path

from central_hub.app import run


def main() -> int:
    """Parse the command line and run the hub."""
    parser = argparse.ArgumentParser(prog="central_hub", description="Chappe's central hub.")
    parser.add_argument("--config", required=True, type=Path, help="the hub's TOML file")
    return run(parser.parse_args().config)


if __name__ == "__main__":
    sys.exit(main())
