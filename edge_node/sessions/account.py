"""A local account with what the core keeps in memory for it."""

from typing import TYPE_CHECKING

from xmpp.jid import JID

if TYPE_CHECKING:
    from edge_node.sessions.roster import LiveRoster
    from edge_node.sessions.session import Session


class LocalAccount:
    """One account at home here that has a session, or had one a moment ago.  Slots: 30,000 of these."""

    __slots__ = ("bare", "jid", "local", "roster", "sessions", "targets")

    def __init__(self, jid: JID) -> None:
        """Make it without sessions and without a roster; the roster is loaded before the first session is bound."""
        self.jid = jid
        self.bare = jid.bare
        self.local = jid.local or ""
        self.sessions: dict[str, Session] = {}
        """By resource."""
        self.targets: tuple[Session, ...] = ()
        """Available sessions with a priority of 0 or more: who gets what is sent to the bare JID."""
        self.roster: LiveRoster | None = None

    def presence_changed(self) -> None:
        """Work out `targets` anew; call it after any change of presence, priority or sessions."""
        self.targets = tuple(
            session
            for session in self.sessions.values()
            if session.presence is not None and session.priority >= 0 and not session.dormant
        )
