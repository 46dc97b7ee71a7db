"""Requests that wait for their answers.

Rule: an answer belongs to a request only if the id and the sender fit (RFC 6120 section 8.1.3): an id alone could be
guessed by anybody.
"""

import asyncio
from collections.abc import Callable

from chappe.client.errors import ClientError, RequestTimedOut
from xmpp.errors import StanzaCondition, StanzaError
from xmpp.jid import JID
from xmpp.stanza import ERROR, Stanza

ANSWERS = frozenset({"result", "error"})


class PendingRequests:
    """Requests of one account, by (peer, id)."""

    def __init__(self) -> None:
        """Nothing waits."""
        self._waiting: dict[tuple[str, str], asyncio.Future[Stanza]] = {}
        self._own = ""

    def of(self, own: JID) -> None:
        """Say whose requests these are: what is asked of nobody is asked of the own account, which may sign so."""
        self._own = own.bare

    async def ask(self, iq: Stanza, send: Callable[[Stanza], None], seconds: float) -> Stanza:
        """Send a request and wait.

        Raises:
            StanzaError: the answer is an error.
            RequestTimedOut: there is none in `seconds`.
            NotConnected: it cannot be sent, or the session that it was sent in is over.
        """
        key = (self._peer(iq.to), iq.id or "")
        self._waiting[key] = answer = asyncio.get_running_loop().create_future()
        try:
            send(iq)
            async with asyncio.timeout(seconds):
                stanza: Stanza = await answer
        except TimeoutError as error:
            raise RequestTimedOut(f"{iq.to or self._own}: no answer in {seconds:g} s") from error
        finally:
            del self._waiting[key]
        if stanza.type == "error":
            raise error_of(stanza)
        return stanza

    def take(self, iq: Stanza) -> bool:
        """Give an answer to whom it belongs; tells whether it belonged to anybody."""
        if iq.type not in ANSWERS:
            return False
        waiting = self._waiting.get((self._peer(iq.sender), iq.id or ""))
        if waiting is None or waiting.done():
            return False
        waiting.set_result(iq)
        return True

    def fail(self, error: ClientError) -> None:
        """The session is over: nothing that waits will be answered."""
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(error)

    def _peer(self, jid: JID | None) -> str:
        return "" if jid is None or jid.full == self._own else jid.full


def error_of(stanza: Stanza) -> StanzaError:
    """Read the error out of a stanza of type `error`."""
    element = stanza.find(ERROR)
    if element is None:
        return StanzaError(StanzaCondition.UNDEFINED_CONDITION)
    return StanzaError.from_element(element)
