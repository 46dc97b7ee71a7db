"""Messages for accounts without an available resource (RFC 6121 section 8.5.2.2, XEP-0160)."""
