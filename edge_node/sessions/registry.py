"""Who is connected to this edge."""

from collections.abc import Iterator

from edge_node.sessions.account import LocalAccount
from edge_node.sessions.session import Session
from xmpp.jid import JID


class Registry:
    """Every session of this edge, by account and by key."""

    def __init__(self) -> None:
        self._accounts: dict[str, LocalAccount] = {}
        self._by_key: dict[int, Session] = {}

    def __len__(self) -> int:
        return len(self._by_key)

    def account(self, bare: str) -> LocalAccount | None:
        """The account with at least one session, or None."""
        return self._accounts.get(bare)

    def session(self, jid: JID) -> Session | None:
        """The session bound to a full JID."""
        account = self._accounts.get(jid.bare)
        return None if account is None else account.sessions.get(jid.resource or "")

    def by_key(self, key: int) -> Session | None:
        """The session with this key."""
        return self._by_key.get(key)

    def add(self, session: Session) -> None:
        """Enter a session; its account becomes known with it."""
        account = session.account
        self._accounts[account.bare] = account
        account.sessions[session.jid.resource or ""] = session
        self._by_key[session.key] = session

    def remove(self, session: Session) -> None:
        """Take a session out; an account without sessions goes with the last one."""
        account = session.account
        self._by_key.pop(session.key, None)
        resource = session.jid.resource or ""
        if account.sessions.get(resource) is session:
            del account.sessions[resource]
        account.presence_changed()
        if not account.sessions:
            self._accounts.pop(account.bare, None)

    def sessions(self) -> Iterator[Session]:
        """All sessions; the registry may change between two steps only if the caller makes a list first."""
        return iter(self._by_key.values())

    def accounts(self) -> Iterator[LocalAccount]:
        """All accounts with a session."""
        return iter(self._accounts.values())

    def rekey(self, session: Session, key: int) -> None:
        """Give a session another key."""
        self._by_key.pop(session.key, None)
        session.key = key
        self._by_key[key] = session
