"""Keeps the replica of our own accounts in step with the hub."""

from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from cascade.frame import AccountChange
from edge_node.accounts.directory import LocalDirectory
from edge_node.accounts.store import Account
from edge_node.uplink.alone import NoLink
from edge_node.uplink.envelopes import account_of
from edge_node.uplink.link import Link
from xmpp.errors import StreamCondition, StreamError

_log = structlog.get_logger()


class ReplicaKeeper:
    """Gathers the parts of a change, applies them durably, ends the sessions of those who may not be here any more."""

    def __init__(
        self,
        directory: LocalDirectory,
        end_account: Callable[[str, StreamError], None],
        spawn: Callable[[Coroutine[Any, Any, None]], bool],
    ) -> None:
        """Compose it; `end_account` ends every session of a local part."""
        self._directory = directory
        self._end_account = end_account
        self._spawn = spawn
        self._link: Link = NoLink()
        self._upserted: list[Account] = []
        self._removed: list[str] = []
        self._is_full = False
        self._ready: list[tuple[int, list[Account], list[str], bool]] = []
        self._is_busy = False

    def connect(self, link: Link) -> None:
        """Name the link.  Called once, by the composer, if there is one."""
        self._link = link

    def interrupted(self) -> None:
        """The link is down: a change that has not come whole will come again."""
        self._upserted, self._removed, self._is_full = [], [], False

    def take(self, change: AccountChange) -> None:
        """Take one part of a change."""
        self._is_full = self._is_full or change.is_full
        self._upserted.extend(account_of(account) for account in change.upserted)
        self._removed.extend(change.removed)
        if change.has_more:
            return
        self._ready.append((change.version, self._upserted, self._removed, self._is_full))
        self.interrupted()
        if not self._is_busy:
            self._is_busy = self._spawn(self._apply())
            if not self._is_busy:
                self._give_up()

    def _give_up(self) -> None:
        """Have the hub send again, over a new link, what could not be applied."""
        self._ready.clear()
        self._link.store_failed()

    async def _apply(self) -> None:
        try:
            while self._ready:
                version, upserted, removed, is_full = self._ready.pop(0)
                gone, changed = await self._directory.apply(version, upserted, removed, full=is_full)
                for local in gone:
                    self._end_account(
                        local, StreamError(StreamCondition.NOT_AUTHORIZED, "the account is gone or disabled")
                    )
                for local in changed:
                    self._end_account(local, StreamError(StreamCondition.RESET, "the password has changed"))
                _log.info(
                    "accounts_applied", version=version, upserted=len(upserted), removed=len(removed), full=is_full
                )
                self._link.accounts_held(version)
        except Exception as error:  # noqa: BLE001 - the store may fail, and nobody may stay whom the hub has shut out
            _log.error("accounts_not_applied", error=str(error))
            self._give_up()
        finally:
            self._is_busy = False
