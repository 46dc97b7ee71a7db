"""`chappe demo`: a hub and two branches as real processes on this machine, with a small company in them."""
