"""The store of tests and of the simulation: honest dictionaries, and a commit that a test can hold back."""

from edge_node.adapters.memory.store import MemoryStore, open_store

__all__ = ["MemoryStore", "open_store"]
