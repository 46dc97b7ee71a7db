"""Who is where: sites and accounts, and how each site learns of its own people."""
