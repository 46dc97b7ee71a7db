"""Step 8 of a stanza's journey: from recipients to home sites.  Pure.

Rule: a site speaks only for its own people.  An envelope whose sender is not at home at the site that it came from is
refused as a whole, so a stolen branch server can't speak for another branch.
"""

from collections.abc import Callable

from cascade.custody import Routing
from cascade.envelope import Envelope
from cascade.frame import Refusal
from xmpp.errors import StanzaCondition

HomeOf = Callable[[str], str | None]
"""Local part to the name of the home site; None for an unknown account."""

FORGED_TEXT = "the sender is not at home at the site that sent this"


class Router:
    """Resolves recipients."""

    __slots__ = ("_domain", "_home_of")

    def __init__(self, domain: str, home_of: HomeOf) -> None:
        """Route inside `domain`, asking `home_of` for every local part (normalized by the edge that sent it)."""
        self._domain = domain
        self._home_of = home_of

    def home_of(self, jid: str) -> str | None:
        """Return the home site of a bare or full JID; None when it is not an account of this company."""
        local, at, rest = jid.partition("@")
        if not at or rest.partition("/")[0] != self._domain:
            return None
        return self._home_of(local)

    def is_forged(self, envelope: Envelope) -> bool:
        """Whether the sender's home is not the site that the envelope came from (its link has checked `origin`)."""
        return self.home_of(envelope.sender) != envelope.origin

    def route(self, envelope: Envelope) -> Routing:
        """Return each site's recipients, and the refusals of those that can't be reached."""
        recipients = envelope.recipients
        if self.is_forged(envelope):
            return Routing({}, (Refusal(envelope.sequence, StanzaCondition.FORBIDDEN, FORGED_TEXT),))
        if len(recipients) == 1:
            site = self.home_of(recipients[0])
            if site is not None:
                return Routing({site: recipients})
        by_site: dict[str, list[str]] = {}
        by_condition: dict[StanzaCondition, list[str]] = {}
        for recipient in recipients:
            site = self.home_of(recipient)
            if site is not None:
                by_site.setdefault(site, []).append(recipient)
            else:
                by_condition.setdefault(self._unreachable(recipient), []).append(recipient)
        return Routing(
            {site: tuple(mine) for site, mine in by_site.items()},
            tuple(
                Refusal(envelope.sequence, condition, recipients=tuple(mine))
                for condition, mine in by_condition.items()
            ),
        )

    def _unreachable(self, recipient: str) -> StanzaCondition:
        """RFC 6121 section 8.5.1 for an account that does not exist, RFC 6120 section 10.4 for another domain."""
        bare = recipient.partition("/")[0]
        domain = bare.rpartition("@")[2]
        return StanzaCondition.ITEM_NOT_FOUND if domain == self._domain else StanzaCondition.REMOTE_SERVER_NOT_FOUND
