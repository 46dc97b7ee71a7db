"""XEP-0202: what time it is on the server, in UTC: where the machine stands is nobody's business."""

from collections.abc import Callable

from edge_node.pipeline.feature import Feature, Query, Request, Spec, To
from xmpp import namespaces
from xmpp.element import Element
from xmpp.payloads.timestamps import format_datetime
from xmpp.stanza import Stanza

TIME = f"{{{namespaces.TIME}}}time"


def feature(now_us: Callable[[], int]) -> Feature:
    """The feature; `now_us` is the wall clock in microseconds."""

    def tell(request: Request) -> Stanza:
        utc = Element(f"{{{namespaces.TIME}}}utc", children=(format_datetime(now_us()),))
        offset = Element(f"{{{namespaces.TIME}}}tzo", children=("+00:00",))
        return request.stanza.result(Element(TIME, children=(offset, utc)))

    return Feature(
        name="entity_time",
        specs=(Spec("XEP-0202", "2.0"),),
        server_features=(namespaces.TIME,),
        iq={Query("get", TIME, To.SERVER): tell},
    )
