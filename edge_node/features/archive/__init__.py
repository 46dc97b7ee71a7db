"""The message archive (XEP-0313) and its preferences (XEP-0441)."""
