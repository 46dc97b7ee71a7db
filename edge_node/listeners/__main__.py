"""`python -m edge_node.listeners --config FILE --index N`: run one listener process of an edge."""

import argparse
import os
import signal
import sys
from pathlib import Path

from chassis.errors import OperatorError
from chassis.lifecycle import run
from chassis.lock import LockHeld, ProcessLock
from chassis.logging import configure_logging
from chassis.settings import load
from edge_node.listeners.process import EXIT_RUNS_ALREADY, ListenerConfiguration, lock_path


def main() -> int:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser(prog="python -m edge_node.listeners", description="Run a listener process.")
    parser.add_argument("--config", type=Path, required=True, help="the TOML file of the edge node's settings")
    parser.add_argument("--index", type=int, required=True, help="which of the listener processes, from 0 on")
    arguments = parser.parse_args()
    try:
        configuration = load(ListenerConfiguration, arguments.config, os.environ)
    except OperatorError as error:
        sys.stderr.write(f"{error}\n")
        return os.EX_CONFIG
    configure_logging(configuration.logging)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # it restarts the core, which this process outlives
    try:
        with ProcessLock(lock_path(configuration.backplane, arguments.index)):
            return run(configuration.process(arguments.index).run, configuration.drain_seconds)
    except LockHeld:
        return EXIT_RUNS_ALREADY
    except OperatorError as error:
        sys.stderr.write(f"{error}\n")
        return os.EX_CONFIG


if __name__ == "__main__":
    sys.exit(main())
