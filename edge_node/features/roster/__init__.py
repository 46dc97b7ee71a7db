"""Rosters and presence subscriptions (RFC 6121 sections 2 and 3)."""
