"""What every store of the hub may answer instead of its work."""


class StoreUnavailable(Exception):
    """The store could not commit or read (full disk, failing device).  Nothing was kept; trying later may do."""
