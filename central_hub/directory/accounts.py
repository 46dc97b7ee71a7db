"""Accounts as the hub knows them: an index entry for resolution, and the full record for replication."""

from dataclasses import dataclass

from xmpp.sasl import ScramVerifier


@dataclass(frozen=True, slots=True)
class Account:
    """What resolution needs of an account.  Small: the hub keeps one for everybody in the company."""

    local: str
    site: str
    """Home site."""
    version: int
    """Position in the home site's changes; unique there, and grows with every change."""
    disabled: bool
    display_name: str


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """An account with what its home site needs to authenticate it.  Never holds a password."""

    account: Account
    verifiers: tuple[ScramVerifier, ...]
