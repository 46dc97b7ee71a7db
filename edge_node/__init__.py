"""The edge node: one site's XMPP server.  Listeners hold sockets, the core holds state."""
