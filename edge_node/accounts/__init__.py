"""This site's own accounts, replicated from the hub."""
