"""A process that says that it runs, and waits for its end."""

import signal
import sys

sys.stderr.write("running\n")
sys.stderr.flush()
signal.pause()
