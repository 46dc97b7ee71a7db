"""Presence and subscriptions (RFC 6121 sections 3 and 4), here and across sites."""
