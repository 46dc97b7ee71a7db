"""Who comes and goes, in the log: an operator's first question, and nothing of what anybody says."""

import structlog

from edge_node.sessions.session import Session

log = structlog.get_logger()


class Attendance:
    """A `pipeline.feature.SessionObserver` that logs an account's first available resource and its last."""

    def available(self, session: Session, *, first: bool) -> None:
        """An account is there once one of its resources is."""
        if first:
            log.info("account_online", account=session.account.local)

    def unavailable(self, session: Session, *, last: bool) -> None:
        """It is gone when none is."""
        if last:
            log.info("account_offline", account=session.account.local)

    def closed(self, session: Session) -> None:
        """Nothing: presence has ended before."""
