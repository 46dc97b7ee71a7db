"""XEP-0012: since when the server runs, and when an account was last connected.

The second is known since the start of this process and for a bounded number of accounts; it is told to those who see
the account's presence.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable

from edge_node.pipeline.feature import Feature, Query, Request, Spec, To
from edge_node.sessions.registry import Registry
from edge_node.sessions.roster import LiveRoster
from edge_node.sessions.session import Session
from xmpp import namespaces
from xmpp.element import Element
from xmpp.errors import StanzaCondition, StanzaError
from xmpp.stanza import Stanza

QUERY = f"{{{namespaces.LAST_ACTIVITY}}}query"


class LastActivity:
    """Remembers when accounts were last connected."""

    def __init__(
        self,
        registry: Registry,
        roster_of: Callable[[str], Awaitable[LiveRoster]],
        monotonic: Callable[[], float],
        *,
        accounts_max: int,
    ) -> None:
        """Compose it.

        Args:
            registry: who is connected.
            roster_of: the live roster of a bare JID at home here.
            monotonic: seconds, never running backwards.
            accounts_max: how many accounts are remembered; who left first is forgotten first.
        """
        self._registry = registry
        self._roster_of = roster_of
        self._monotonic = monotonic
        self._accounts_max = accounts_max
        self._started = monotonic()
        self._left: OrderedDict[str, float] = OrderedDict()

    def feature(self) -> Feature:
        """The feature."""
        return Feature(
            name="last_activity",
            specs=(Spec("XEP-0012", "2.0", "of the server and of accounts, the latter since the server's start"),),
            server_features=(namespaces.LAST_ACTIVITY,),
            account_features=(namespaces.LAST_ACTIVITY,),
            iq={Query("get", QUERY, To.SERVER): self._uptime, Query("get", QUERY, To.ACCOUNT): self._absence},
            sessions=self,
        )

    def available(self, session: Session, *, first: bool) -> None:
        """Nothing."""

    def unavailable(self, session: Session, *, last: bool) -> None:
        """Nothing: connected is enough."""

    def closed(self, session: Session) -> None:
        """Remember the end of an account's last session."""
        account = session.account
        if account.sessions:
            return
        self._left[account.bare] = self._monotonic()
        self._left.move_to_end(account.bare)
        if len(self._left) > self._accounts_max:
            self._left.popitem(last=False)

    def _uptime(self, request: Request) -> Stanza:
        return _answer(request, self._monotonic() - self._started)

    async def _absence(self, request: Request) -> Stanza:
        account = request.sender.bare if request.account is None else request.account.bare
        if not request.is_own and not (await self._roster_of(account)).is_seen_by(request.sender.bare):
            raise StanzaError(StanzaCondition.FORBIDDEN)
        if self._registry.account(account) is not None:
            return _answer(request, 0)
        left = self._left.get(account)
        if left is None:
            raise StanzaError(StanzaCondition.ITEM_NOT_FOUND, text="not seen since the server started")
        return _answer(request, self._monotonic() - left)


def _answer(request: Request, seconds: float) -> Stanza:
    return request.stanza.result(Element(QUERY, {"seconds": str(int(seconds))}))
