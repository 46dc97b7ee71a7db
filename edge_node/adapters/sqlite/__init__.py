"""The embedded store: one SQLite file per edge, written by one thread in group commits, read by a few."""

from edge_node.adapters.sqlite.migrations import StoreTooNew
from edge_node.adapters.sqlite.renewal import begin_epoch
from edge_node.adapters.sqlite.settings import StoreSettings
from edge_node.adapters.sqlite.store import SqliteStore, open_store

__all__ = ["SqliteStore", "StoreSettings", "StoreTooNew", "begin_epoch", "open_store"]
