"""XEP-0030: what this server and its accounts are and can do, derived from the features' declarations.

Nothing here tells strangers whether an account exists or has resources (XEP-0030 section 8).
"""

from collections.abc import Awaitable, Callable, Sequence

from edge_node.features.discovery.settings import ContactSettings
from edge_node.pipeline.feature import Feature, Query, Request, Spec, To
from edge_node.sessions.registry import Registry
from edge_node.sessions.roster import LiveRoster
from xmpp import namespaces
from xmpp.errors import StanzaCondition, StanzaError
from xmpp.jid import JID
from xmpp.payloads import data_form, disco
from xmpp.payloads.capabilities import Capabilities, verification_string
from xmpp.payloads.data_form import Field, Form
from xmpp.stanza import Stanza

SERVER = disco.Identity("server", "im", "Chappe")
ACCOUNT = disco.Identity("account", "registered")
OWN_FEATURES = (namespaces.DISCO_INFO, namespaces.DISCO_ITEMS)


class Discovery:
    """Answers for the server and, to those who may know, for its accounts."""

    def __init__(
        self,
        domain: JID,
        features: Sequence[Feature],
        contact: ContactSettings,
        registry: Registry,
        roster_of: Callable[[str], Awaitable[LiveRoster]],
    ) -> None:
        """Compose it.

        Args:
            domain: the company's domain.
            features: all the others; what they declare is what is told.
            contact: told about the server (XEP-0157).
            registry: who is connected.
            roster_of: the live roster of a bare JID at home here.
        """
        self._registry = registry
        self._roster_of = roster_of
        self._server = disco.Info(
            (SERVER,),
            _sorted(
                *OWN_FEATURES, namespaces.CAPABILITIES, *(name for each in features for name in each.server_features)
            ),
            tuple(_contact_forms(contact)),
        )
        self._account = disco.Info(
            (ACCOUNT,), _sorted(*OWN_FEATURES, *(name for each in features for name in each.account_features))
        )
        self._capabilities = Capabilities(f"https://{domain.domain}", verification_string(self._server))

    def feature(self) -> Feature:
        """The feature."""
        return Feature(
            name="discovery",
            specs=(
                Spec("XEP-0030", "2.5.0"),
                Spec("XEP-0115", "1.6.0", "of the server, as a stream feature"),
                Spec("XEP-0157", "1.1.1"),
            ),
            stream_features=(self._capabilities.element(),),
            iq={
                Query("get", disco.INFO, To.SERVER): self._server_info,
                Query("get", disco.ITEMS, To.SERVER): self._server_items,
                Query("get", disco.INFO, To.ACCOUNT): self._account_info,
                Query("get", disco.ITEMS, To.ACCOUNT): self._account_items,
            },
        )

    def _server_info(self, request: Request) -> Stanza:
        node = request.payload.get("node")
        if node not in (None, self._capabilities.info_node):
            raise StanzaError(StanzaCondition.ITEM_NOT_FOUND)
        return _answer(request, self._server)

    def _server_items(self, request: Request) -> Stanza:
        if request.payload.get("node") is not None:
            raise StanzaError(StanzaCondition.ITEM_NOT_FOUND)
        return request.stanza.result(disco.Items().element())

    async def _account_info(self, request: Request) -> Stanza:
        if not await self._may_know(request):
            raise StanzaError(StanzaCondition.SERVICE_UNAVAILABLE)
        if request.payload.get("node") is not None:
            raise StanzaError(StanzaCondition.ITEM_NOT_FOUND)
        return _answer(request, self._account)

    async def _account_items(self, request: Request) -> Stanza:
        node = request.payload.get("node")
        if not await self._may_know(request):
            return request.stanza.result(disco.Items(node=node).element())
        if node is not None:
            raise StanzaError(StanzaCondition.ITEM_NOT_FOUND)
        account = None if request.account is None else self._registry.account(request.account.bare)
        sessions = () if account is None else account.sessions.values()
        items = tuple(disco.Item(session.jid) for session in sessions if session.is_available)
        return request.stanza.result(disco.Items(items).element())

    async def _may_know(self, request: Request) -> bool:
        """The account itself, and those who see its presence."""
        if request.account is None or request.is_own:
            return True
        return (await self._roster_of(request.account.bare)).is_seen_by(request.sender.bare)


def _answer(request: Request, info: disco.Info) -> Stanza:
    node = request.payload.get("node")
    return request.stanza.result(disco.Info(info.identities, info.features, info.forms, node).element())


def _sorted(*names: str) -> tuple[str, ...]:
    return tuple(sorted(set(names)))


def _contact_forms(contact: ContactSettings) -> Sequence[Form]:
    fields = [Field(f"{name}-addresses", addresses, "list-multi") for name, addresses in contact.named()]
    return [data_form.of_type(namespaces.SERVER_INFO, *fields, type="result")] if fields else []
