"""Where an envelope and a presence go.  Pure: no I/O, no clock, no log."""
