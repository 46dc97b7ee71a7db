"""Stores without a disk, for tests and for reading what a port means."""
