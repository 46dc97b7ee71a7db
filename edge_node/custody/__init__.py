"""Custody: the one way in which a message is written down before anybody is told that it was taken.

Rule: persist, then acknowledge.  An `Acceptance` is everything that one stanza leaves in the store; it is
committed whole or not at all, and only then is the sender acknowledged and the recipient served.
"""

from edge_node.custody.port import Acceptance, Custody, Done, Entry, EntryFlag, StoreUnavailable, Watermark

__all__ = ["Acceptance", "Custody", "Done", "Entry", "EntryFlag", "StoreUnavailable", "Watermark"]
