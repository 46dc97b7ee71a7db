"""How a service process lives: settings, logs, metrics, health, clock, TLS, signals and locks.

Rule: nothing here knows what the process does; no package of the domain is imported.
"""
