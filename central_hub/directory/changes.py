"""What may be changed about an account, and the one rule for applying it.  Pure; every store uses it."""

from dataclasses import dataclass
from enum import Enum, StrEnum

from central_hub.directory.accounts import Account, AccountRecord
from xmpp.sasl import ScramVerifier


class Expectation(Enum):
    """What the author of a change believes about the account."""

    ANY = "any"
    ABSENT = "absent"
    PRESENT = "present"


class Refused(StrEnum):
    """Why a change was not made."""

    EXISTS = "the account exists already"
    UNKNOWN_ACCOUNT = "no such account"
    UNKNOWN_SITE = "no such site"
    OTHER_HOME = "the account's home is another site"
    NO_PASSWORD = "a new account needs a password"  # noqa: S105 - a sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountEdit:
    """A wish.  None means: leave as it is."""

    local: str
    expects: Expectation = Expectation.ANY
    site: str | None = None
    display_name: str | None = None
    verifiers: tuple[ScramVerifier, ...] | None = None
    disabled: bool | None = None


@dataclass(frozen=True, slots=True)
class Edited:
    """A wish granted."""

    account: Account
    is_new: bool


def check(edit: AccountEdit, current: Account | None) -> Refused | None:
    """Say why `edit` can't be applied to `current` (None: no such account); None when it can."""
    if current is None:
        if edit.expects is Expectation.PRESENT:
            return Refused.UNKNOWN_ACCOUNT
        if edit.site is None:
            return Refused.UNKNOWN_SITE
        return Refused.NO_PASSWORD if edit.verifiers is None else None
    if edit.expects is Expectation.ABSENT:
        return Refused.EXISTS
    if edit.site is not None and edit.site != current.site:
        return Refused.OTHER_HOME
    return None


def applied(edit: AccountEdit, current: AccountRecord | None, version: int) -> AccountRecord:
    """Return the record after a checked `edit`.

    Args:
        edit: passed `check` against `current`.
        current: the record before; None when the account is new.
        version: the next version of the home site.
    """
    if current is None:
        account = Account(edit.local, edit.site or "", version, bool(edit.disabled), edit.display_name or "")
        return AccountRecord(account, edit.verifiers or ())
    old = current.account
    account = Account(
        old.local,
        old.site,
        version,
        old.disabled if edit.disabled is None else edit.disabled,
        old.display_name if edit.display_name is None else edit.display_name,
    )
    return AccountRecord(account, current.verifiers if edit.verifiers is None else edit.verifiers)
