"""Tells since when the server runs, and those who see an account's presence, when it was last connected."""

from collections.abc import Awaitable, Callable

from edge_node.features.last_activity.store import DepartureStore
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
        store: DepartureStore,
        monotonic: Callable[[], float],
        now_us: Callable[[], int],
    ) -> None:
        """Compose it.

        Args:
            registry: who is connected.
            roster_of: the live roster of a bare JID at home here.
            store: where departures are kept.
            monotonic: seconds, never running backwards: how long the server runs.
            now_us: wall clock: how long ago somebody left, whatever has been restarted since.
        """
        self._registry = registry
        self._roster_of = roster_of
        self._store = store
        self._monotonic = monotonic
        self._now_us = now_us
        self._started = monotonic()

    def feature(self) -> Feature:
        """The feature."""
        return Feature(
            name="last_activity",
            specs=(Spec("XEP-0012", "2.0", "of the server and of accounts"),),
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
        if not account.sessions:
            self._store.left(account.bare, self._now_us())

    def _uptime(self, request: Request) -> Stanza:
        return _answer(request, self._monotonic() - self._started)

    async def _absence(self, request: Request) -> Stanza:
        account = request.sender.bare if request.account is None else request.account.bare
        if not request.is_own and not (await self._roster_of(account)).is_seen_by(request.sender.bare):
            raise StanzaError(StanzaCondition.FORBIDDEN)
        if self._registry.account(account) is not None:
            return _answer(request, 0)
        left = await self._store.last(account)
        if left is None:
            raise StanzaError(StanzaCondition.ITEM_NOT_FOUND, text="never seen")
        return _answer(request, max(0, self._now_us() - left) / 1_000_000)


def _answer(request: Request, seconds: float) -> Stanza:
    return request.stanza.result(Element(QUERY, {"seconds": str(int(seconds))}))
