"""XEP-0199: is anybody there?  The server answers for itself, and for an account to that account alone."""

from edge_node.pipeline.feature import Feature, Query, Request, Spec, To
from xmpp import namespaces
from xmpp.errors import StanzaCondition, StanzaError
from xmpp.stanza import Stanza

PING = f"{{{namespaces.PING}}}ping"


def feature() -> Feature:
    """The feature."""
    return Feature(
        name="ping",
        specs=(Spec("XEP-0199", "2.0.1"),),
        server_features=(namespaces.PING,),
        account_features=(namespaces.PING,),
        iq={Query("get", PING, To.SERVER): _pong, Query("get", PING, To.ACCOUNT): _pong_to_owner},
    )


def _pong(request: Request) -> Stanza:
    return request.stanza.result()


def _pong_to_owner(request: Request) -> Stanza:
    if not request.is_own:
        raise StanzaError(StanzaCondition.SERVICE_UNAVAILABLE)
    return _pong(request)
