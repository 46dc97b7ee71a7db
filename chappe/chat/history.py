"""Reading the message archive (XEP-0313): results come as messages, then the answer."""

from chappe.chat.messages import Said, archived, query_id_of
from chappe.chat.session import Session
from chappe.client.client import new_id
from xmpp.jid import JID
from xmpp.payloads import archive
from xmpp.payloads.result_set import PageRequest
from xmpp.stanza import Stanza

RESULTS_MAX = 1000
"""Kept of one query, whatever the server sends."""


class History:
    """The archive of the own account."""

    def __init__(self, client: Session) -> None:
        """Ask through this client."""
        self._client = client
        self._results: dict[str, list[Stanza]] = {}

    def take(self, message: Stanza) -> bool:
        """Take a message if it is a result that was asked for; tells whether it was."""
        query_id = query_id_of(message)
        if query_id is None:
            return False
        results = self._results.get(query_id)
        is_ours = message.sender is None or message.sender.full == self._client.jid.bare
        if results is not None and is_ours and len(results) < RESULTS_MAX:
            results.append(message)
        return True

    async def last(self, peer: JID, limit: int, before: str = "") -> tuple[str, list[Said]]:
        """Return the last messages exchanged with somebody, oldest first.

        Args:
            peer: bare address.
            limit: how many at most.
            before: only those before the one of this archive id.

        Returns:
            The archive id of the first one (empty: there is nothing before), and what was said.

        Raises:
            StanzaError, RequestTimedOut, NotConnected: the archive cannot be read.
        """
        query_id = new_id()
        results: list[Stanza] = []
        self._results[query_id] = results
        query = archive.Query(query_id=query_id, with_=peer, page=PageRequest(limit=limit, before=before))
        try:
            answer = await self._client.request(query.element(), type="set")
        finally:
            del self._results[query_id]
        fin = answer.find(archive.FIN)
        is_complete = fin is None or archive.read_fin(fin).complete
        found = [
            read for each in results for element in (each.find(archive.RESULT),) if element is not None
            if (read := archived(element, self._client.jid)) is not None
        ]  # fmt: skip
        first = "" if is_complete or not found else found[0][0]
        return first, [message for _, message in found]
