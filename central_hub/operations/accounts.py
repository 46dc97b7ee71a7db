"""Changing accounts: from a row of an administrator to an edit of the directory, or to the reason why not."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from central_hub.directory.changes import AccountEdit, Edited, Expectation, Refused, check
from central_hub.directory.derivation import Derivation, UnusablePassword, check_password
from central_hub.directory.directory import Directory
from xmpp.jid import JID, InvalidJID

DISPLAY_NAME_CHARACTERS_MAX = 256
GENERATED_PER_TURN = 500
"""Accounts made before the event loop gets a turn."""


class InvalidRow(ValueError):
    """What is wrong with a row, for the person who wrote it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One account as an administrator wishes it."""

    number: int
    local: str
    site: str
    password: str = field(repr=False)
    display_name: str | None


@dataclass(slots=True)
class Outcome:
    """What became of many rows."""

    errors_max: int
    created: int = 0
    updated: int = 0
    refused: int = 0
    errors: list[tuple[int, str, str]] = field(default_factory=list)
    """(row, local part, reason) of the first `errors_max` refused rows."""
    versions: dict[str, int] = field(default_factory=dict)
    """Newest version of each site that changed."""
    rows: dict[str, int] = field(default_factory=dict)
    """Local part to the number of the row that was taken for it: a second one is refused."""
    dry_run: bool = False

    def refuse(self, row: Row, reason: str) -> None:
        """Count a refused row."""
        self.refused += 1
        if len(self.errors) < self.errors_max:
            self.errors.append((row.number, row.local, reason))

    def grant(self, edited: Edited) -> None:
        """Count a row that was taken."""
        if edited.is_new:
            self.created += 1
        else:
            self.updated += 1
        account = edited.account
        self.versions[account.site] = max(account.version, self.versions.get(account.site, 0))


@dataclass(frozen=True, slots=True)
class PutOptions:
    """How rows are taken."""

    create_only: bool = False
    """Refuse accounts that exist."""
    dry_run: bool = False
    """Check everything, change nothing."""
    initial_password: str = field(default="", repr=False)
    """Of new accounts whose row has none; "" = refuse those."""


class Accounts:
    """The verbs behind the administration of accounts."""

    def __init__(self, directory: Directory, derivation: Derivation, domain: str) -> None:
        """Change `directory`; JIDs are checked against `domain`."""
        self._directory = directory
        self._derivation = derivation
        self.domain = domain

    def local(self, text: str) -> str:
        """Return the normal form of a local part (RFC 7622 section 3.3); raise InvalidRow."""
        local, at, domain = text.partition("@")
        if at and domain != self.domain:
            raise InvalidRow(f"{text!r} is not an address of {self.domain}")
        try:
            jid = JID.parse(f"{local}@{self.domain}")
        except InvalidJID as error:
            raise InvalidRow(f"{text!r} is not a local part: {error}") from error
        if not jid.local or not jid.is_bare:
            raise InvalidRow(f"{text!r} is not a local part")
        return jid.local

    async def put(self, rows: Sequence[Row], outcome: Outcome, options: PutOptions) -> None:
        """Add or change the accounts of one batch of rows; `outcome` counts what became of them.

        Each row stands alone: a wrong one hinders no other.  Raises StoreUnavailable.
        """
        outcome.dry_run = options.dry_run
        usable: list[tuple[AccountEdit, Row]] = []
        for row in rows:
            try:
                usable.append(self._edit(row, options, outcome.rows))
            except InvalidRow as error:
                outcome.refuse(row, str(error))
        if options.dry_run:
            self._rehearse(usable, outcome)
            return
        ready = await self._with_verifiers(usable, outcome)
        answers = await self._directory.edit([edit for edit, _ in ready])
        for (_, row), answer in zip(ready, answers, strict=True):
            if isinstance(answer, Edited):
                outcome.grant(answer)
            else:
                outcome.refuse(row, answer)

    async def generate(self, site: str, prefix: str, count: int, password: str, outcome: Outcome) -> None:
        """Make `count` numbered accounts that share one derived password; existing ones get it too.

        Raises:
            InvalidRow: no such site, or a prefix that makes no local part.
            UnusablePassword: see Derivation.
        """
        if site not in self._directory.sites:
            raise InvalidRow(f"no such site: {site!r}")
        stem = self.local(f"{prefix}000001").removesuffix("000001")
        verifiers = await self._derivation.verifiers(password)
        for first in range(1, count + 1, GENERATED_PER_TURN):
            edits = [
                AccountEdit(local=f"{stem}{n:06}", site=site, display_name=f"{prefix} {n}", verifiers=verifiers)
                for n in range(first, min(first + GENERATED_PER_TURN, count + 1))
            ]
            for edit, answer in zip(edits, await self._directory.edit(edits), strict=True):
                if isinstance(answer, Edited):
                    outcome.grant(answer)
                else:
                    outcome.refuse(Row(0, edit.local, site, "", None), answer)

    async def set_password(self, local: str, password: str) -> Edited | Refused:
        """Give an existing account a new password; raise InvalidRow, UnusablePassword."""
        name = self.local(local)
        if self._directory.account(name) is None:  # spares the derivation
            return Refused.UNKNOWN_ACCOUNT
        verifiers = await self._derivation.verifiers(password)
        return await self._single(AccountEdit(local=name, expects=Expectation.PRESENT, verifiers=verifiers))

    async def set_disabled(self, local: str, *, disabled: bool) -> Edited | Refused:
        """Shut an account out, or let it in again; raise InvalidRow."""
        return await self._single(AccountEdit(local=self.local(local), expects=Expectation.PRESENT, disabled=disabled))

    async def _single(self, edit: AccountEdit) -> Edited | Refused:
        (answer,) = await self._directory.edit([edit])
        return answer

    def _edit(self, row: Row, options: PutOptions, taken: dict[str, int]) -> tuple[AccountEdit, Row]:
        """Return the checked edit, still without verifiers, and the row with the password that it is going to get.

        Args:
            row: as it came.
            options: of the call.
            taken: local part to the number of the row that has it; gets this one.

        Raises:
            InvalidRow: why it can't be.
        """
        local = self.local(row.local)
        if not row.site:
            raise InvalidRow("no site is given")
        if row.site not in self._directory.sites:
            raise InvalidRow(f"no such site: {row.site!r}")
        name = row.display_name
        if name is not None and (len(name) > DISPLAY_NAME_CHARACTERS_MAX or not name.isprintable()):
            raise InvalidRow(f"the display name is longer than {DISPLAY_NAME_CHARACTERS_MAX} or not printable")
        current = self._directory.account(local)
        if current is None and not row.password:
            row = replace(row, password=options.initial_password)
        edit = AccountEdit(
            local=local,
            expects=Expectation.ABSENT if options.create_only else Expectation.ANY,
            site=row.site,
            display_name=name,
            verifiers=() if row.password else None,
        )
        refused = check(edit, current)
        if refused is not None:
            raise InvalidRow(refused.value)
        first = taken.setdefault(local, row.number)
        if first != row.number:
            raise InvalidRow(f"the same account is in row {first}")
        return edit, row

    def _rehearse(self, usable: list[tuple[AccountEdit, Row]], outcome: Outcome) -> None:
        for edit, row in usable:
            try:
                if row.password:
                    check_password(row.password)
            except UnusablePassword as error:
                outcome.refuse(row, str(error))
                continue
            if self._directory.account(edit.local) is None:
                outcome.created += 1
            else:
                outcome.updated += 1

    async def _with_verifiers(
        self, usable: list[tuple[AccountEdit, Row]], outcome: Outcome
    ) -> list[tuple[AccountEdit, Row]]:
        """Derive on all processors; refuse the rows whose password can't be used."""
        derived = iter(await self._derivation.verifiers_of_many([row.password for _, row in usable if row.password]))
        ready: list[tuple[AccountEdit, Row]] = []
        for edit, row in usable:
            if not row.password:
                ready.append((edit, row))
                continue
            verifiers = next(derived)
            if isinstance(verifiers, UnusablePassword):
                outcome.refuse(row, str(verifiers))
            else:
                ready.append((replace(edit, verifiers=verifiers), row))
        return ready
