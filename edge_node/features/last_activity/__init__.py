"""XEP-0012: since when the server runs, and when an account was last connected."""
