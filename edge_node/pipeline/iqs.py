"""The way of an IQ (RFC 6120 section 8.2.3, RFC 6121 section 8.5): answered here, passed to a resource, or sent on.

Rule: every request is answered exactly once; a request that leaves the site has a deadline.
"""

from collections.abc import Coroutine, Sequence
from typing import Any, Protocol

from edge_node.pipeline.feature import Feature, Query, Request, To, handlers_of
from edge_node.pipeline.messages import Journal
from edge_node.pipeline.pending import Pending, PendingRequests
from edge_node.routing.router import Asked, Router
from edge_node.sessions.registry import Registry
from edge_node.sessions.session import Session
from xmpp.errors import StanzaCondition, StanzaError
from xmpp.jid import JID
from xmpp.payloads import disco
from xmpp.stanza import Stanza

_REQUESTS = ("get", "set")
_RESPONSES = ("result", "error")


class Tasks(Protocol):
    """Runs what needs to wait, in a bounded number."""

    def spawn(self, work: Coroutine[Any, Any, None]) -> bool:
        """Run it soon; False (and it is closed) when too much is under way."""


class IQPath:
    """Sees to it that every IQ request is answered."""

    def __init__(
        self,
        *,
        router: Router,
        registry: Registry,
        features: Sequence[Feature],
        pending: PendingRequests,
        tasks: Tasks,
        journal: Journal,
    ) -> None:
        """Compose the path of where to route, who is here, who answers what, and who waits for other sites."""
        self._router = router
        self._registry = registry
        self._handlers = handlers_of(features)
        self._pending = pending
        self._tasks = tasks
        self._journal = journal

    def send(self, session: Session, stanza: Stanza) -> None:
        """Take an IQ from a local session, `sender` stamped."""
        to = stanza.to
        if stanza.type in _RESPONSES:
            if stanza.id is not None and to is not None and to.resource is not None:
                _note_answered(session, to, stanza.id)
                self._router.to_full(stanza)
        elif stanza.id is None or stanza.type not in _REQUESTS or len(stanza.payloads) != 1:
            self._refuse(stanza, session.jid, StanzaError(StanzaCondition.BAD_REQUEST))
        else:
            self._send_request(session, stanza, to)

    def _send_request(self, session: Session, stanza: Stanza, to: JID | None) -> None:
        if to is None:
            self._answer(Request(stanza, session.jid, session.account.jid, session))
        elif to.domain != self._router.domain:
            self._refuse(stanza, session.jid, StanzaError(StanzaCondition.REMOTE_SERVER_NOT_FOUND))
        elif to.local is None:
            self._answer(Request(stanza, session.jid, None, session))
        elif self._router.is_elsewhere(to):
            self._send_away(stanza, session.jid, to)
        elif not self._router.is_local(to):
            self._reply(session.jid, _answer_for_nobody(stanza, stanza.payloads[0]))
        elif to.resource is None:
            self._answer(Request(stanza, session.jid, to, session))
        else:
            self._send_to_resource(stanza, session.jid, to)

    def arrive(self, stanza: Stanza) -> None:
        """Take an IQ that came over the cascade; the hub has vouched for its sender."""
        to, sender = stanza.to, stanza.sender
        if to is None or sender is None:
            return
        if stanza.type in _RESPONSES:
            if self._pending.answered(to, sender, stanza.id or "") is not None:
                self._router.to_full(stanza)
        elif stanza.type not in _REQUESTS or len(stanza.payloads) != 1:
            self._refuse(stanza, sender, StanzaError(StanzaCondition.BAD_REQUEST))
        elif not self._router.is_local(to):
            self._reply(sender, _answer_for_nobody(stanza, stanza.payloads[0]))
        elif to.resource is None:
            self._answer(Request(stanza, sender, to, None))
        else:
            self._send_to_resource(stanza, sender, to)

    def unread(self, request: Stanza) -> None:
        """The session that a request was delivered to has ended, and its client has not acknowledged it."""
        if request.sender is not None:
            self._refuse(request, request.sender, StanzaError(StanzaCondition.SERVICE_UNAVAILABLE))

    def undeliverable(self, requester: JID, recipient: JID, id: str, condition: StanzaCondition) -> None:
        """The hub could not pass a request on."""
        pending = self._pending.answered(requester, recipient, id)
        if pending is None:
            return
        request = _request_of(pending)
        if condition is StanzaCondition.ITEM_NOT_FOUND:
            answer = _answer_for_nobody(request, pending.payload)
        else:
            answer = request.error(StanzaError(condition))
        self._router.to_full(answer)

    def expire(self, now: float) -> None:
        """Answer the requests whose deadline has passed with remote-server-timeout."""
        for pending in self._pending.expired(now):
            self._router.to_full(_request_of(pending).error(StanzaError(StanzaCondition.REMOTE_SERVER_TIMEOUT)))

    def _send_away(self, stanza: Stanza, sender: JID, to: JID) -> None:
        if not self._pending.expect(sender, to, stanza):
            self._refuse(stanza, sender, StanzaError(StanzaCondition.RESOURCE_CONSTRAINT))
        elif not self._router.to_full(stanza):
            self._pending.answered(sender, to, stanza.id or "")
            self._refuse(stanza, sender, StanzaError(StanzaCondition.REMOTE_SERVER_TIMEOUT))

    def _send_to_resource(self, stanza: Stanza, sender: JID, to: JID) -> None:
        """RFC 6121 section 8.5.3: strangers get the same answer whether or not the resource is there."""
        if not self._shows_presence(to, sender) or not self._router.to_full(stanza):
            self._refuse(stanza, sender, StanzaError(StanzaCondition.SERVICE_UNAVAILABLE))

    def _shows_presence(self, to: JID, sender: JID) -> bool:
        """Whether the resource shows its presence to who asks, by a subscription or directly."""
        session = self._registry.session(to)
        if session is None:
            return False
        roster, directed = session.account.roster, session.directed or ()
        return (
            sender.bare == to.bare
            or (roster is not None and roster.is_seen_by(sender.bare))
            or sender in directed
            or sender.bare_jid in directed
        )

    def _answer(self, request: Request) -> None:
        stanza = request.stanza
        to = To.SERVER if request.account is None else To.ACCOUNT
        handler = self._handlers.get(Query(stanza.type or "", stanza.payloads[0], to))
        if handler is None:
            self._refuse(stanza, request.sender, StanzaError(StanzaCondition.SERVICE_UNAVAILABLE))
            return
        try:
            answer = handler(request)
        except StanzaError as error:
            self._refuse(stanza, request.sender, error)
        except Exception as error:  # noqa: BLE001  a feature must not take the core down
            self._failed(request, error)
        else:
            if isinstance(answer, Coroutine):
                if not self._tasks.spawn(self._await(request, answer)):
                    answer.close()
                    self._refuse(stanza, request.sender, StanzaError(StanzaCondition.RESOURCE_CONSTRAINT))
            elif answer is not None:
                self._reply(request.sender, answer)

    async def _await(self, request: Request, waiting: Coroutine[Any, Any, Stanza | None]) -> None:
        try:
            answer = await waiting
        except StanzaError as error:
            self._refuse(request.stanza, request.sender, error)
        except Exception as error:  # noqa: BLE001  as above
            self._failed(request, error)
        else:
            if answer is not None:
                self._reply(request.sender, answer)

    def _failed(self, request: Request, error: Exception) -> None:
        self._journal.failed(request.stanza.payloads[0], error)
        self._refuse(request.stanza, request.sender, StanzaError(StanzaCondition.INTERNAL_SERVER_ERROR))

    def _refuse(self, stanza: Stanza, sender: JID, error: StanzaError) -> None:
        if stanza.type not in _RESPONSES:
            self._reply(sender, stanza.error(error))

    def _reply(self, sender: JID, answer: Stanza) -> None:
        answer.to = sender
        self._router.to_full(answer)


def _note_answered(session: Session, requester: JID, id: str) -> None:
    """A client may answer a request, and leave before it acknowledges it: such a request is not `unread`."""
    for _, (_, subject) in session.queue.unacknowledged() if session.queue else ():
        if isinstance(subject, Asked) and (subject.request.sender, subject.request.id) == (requester, id):
            subject.is_answered = True


def _request_of(pending: Pending) -> Stanza:
    """A request that left the site, without its payload."""
    return Stanza("iq", pending.type, pending.id, pending.recipient, pending.requester)


def _answer_for_nobody(request: Stanza, payload: str) -> Stanza:
    """The answer when the account addressed exists nowhere (RFC 6121 section 8.5.1).

    An account that may not be looked at gives the same (XEP-0030 section 8), so strangers learn nothing from it.
    """
    to_account = request.to is not None and request.to.resource is None
    if to_account and request.type == "get" and payload == disco.ITEMS:
        return request.result(disco.Items().element())
    return request.error(StanzaError(StanzaCondition.SERVICE_UNAVAILABLE))
