"""Where a stanza that needs no custody goes next."""
