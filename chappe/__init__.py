"""The command line: administration, the demo, and a terminal client."""
