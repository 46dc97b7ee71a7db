"""Implementations of the hub's ports."""
