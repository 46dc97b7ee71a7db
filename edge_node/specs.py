"""What an edge implements outside of its features: the stream layer, and the ways of stanzas."""

from typing import Final

from edge_node.pipeline.feature import Spec

STREAMS: Final = (
    Spec("RFC 6120", note="the server's side of client streams, in a domain without server-to-server streams"),
    Spec("RFC 7395"),
    Spec("RFC 7590"),
    Spec("RFC 7622"),
    Spec("RFC 5802", note="SCRAM-SHA-1 and SCRAM-SHA-1-PLUS"),
    Spec("RFC 7677", note="SCRAM-SHA-256 and SCRAM-SHA-256-PLUS"),
    Spec("RFC 4616", note="inside TLS only"),
    Spec("RFC 5929", note="tls-server-end-point"),
    Spec("XEP-0156", "1.4.0", "host-meta in XML and JSON"),
    Spec("XEP-0198", "1.6.3", "without the location of another server to resume at"),
    Spec("XEP-0368", "1.1.0", "direct TLS with ALPN; the SRV records are the operator's"),
    Spec("XEP-0440", "1.0.0"),
    Spec("XEP-0474", "0.5.0"),
)
"""Listeners, with `xmpp` under them."""

STANZAS: Final = (
    Spec("RFC 6121", note="sections 4, 5 and 8: presence, messages, and the rules of delivery"),
    Spec("XEP-0297", "1.0", "in the archive and in carbons"),
)
"""Presence and messages, which no feature owns."""
