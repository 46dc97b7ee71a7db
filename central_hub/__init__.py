"""The central hub: knows every account's home site, routes between sites, holds what an absent site is owed."""
