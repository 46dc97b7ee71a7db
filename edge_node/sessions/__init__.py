"""Sessions, and the accounts and rosters that they belong to.  Pure."""
