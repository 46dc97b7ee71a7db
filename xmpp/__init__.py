"""The language: addresses, elements, stanzas, streams and payloads of XMPP.

Everything here is pure: no I/O, no clock, no randomness, no logging, no coroutines.
"""
