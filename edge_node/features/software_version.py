"""XEP-0092: which software this is.  The operating system is told only where an operator wants it to be."""

from edge_node.pipeline.feature import Feature, Query, Request, Spec, To
from xmpp import namespaces
from xmpp.element import Element
from xmpp.stanza import Stanza

QUERY = f"{{{namespaces.VERSION}}}query"
NAME = "Chappe"


def feature(version: str, operating_system: str = "") -> Feature:
    """The feature, which tells this version (and, unless empty, this operating system)."""
    said = [("name", NAME), ("version", version)]
    if operating_system:
        said.append(("os", operating_system))
    payload = Element(
        QUERY, children=tuple(Element(f"{{{namespaces.VERSION}}}{local}", children=(text,)) for local, text in said)
    )

    def tell(request: Request) -> Stanza:
        return request.stanza.result(payload)

    return Feature(
        name="software_version",
        specs=(Spec("XEP-0092", "1.1"),),
        server_features=(namespaces.VERSION,),
        iq={Query("get", QUERY, To.SERVER): tell},
    )
