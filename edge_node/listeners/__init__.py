"""Where clients connect: sockets, TLS, streams, and the way of a stanza to the core and back."""
