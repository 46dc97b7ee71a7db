"""The edge's side of the cascade: what leaves this site, and what comes from others."""
