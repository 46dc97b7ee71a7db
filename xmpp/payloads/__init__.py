"""Payloads that features read and write, as values: pure functions between elements and dataclasses.

A reader raises StanzaError (`bad-request`, `jid-malformed`) for what a peer may not send.
"""
