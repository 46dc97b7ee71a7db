"""The administration service: gRPC in, the verbs of `accounts` out; every change is logged with its author."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from itertools import islice

import grpc
import structlog

from cascade.v1 import administration_pb2 as messages
from cascade.v1 import administration_pb2_grpc as grpc_service
from central_hub.directory.accounts import Account
from central_hub.directory.changes import Edited, Refused
from central_hub.directory.derivation import UnusablePassword
from central_hub.directory.directory import Directory
from central_hub.directory.replicas import Replicas
from central_hub.directory.sites import InvalidSiteName, Site, checked_site_name
from central_hub.operations.accounts import Accounts, InvalidRow, Outcome, PutOptions, Row
from central_hub.operations.administrators import NotAnAdministrator, administrator
from central_hub.operations.settings import AdministrationSettings
from central_hub.operations.status import SiteStatus, Status
from central_hub.storage import StoreUnavailable
from chassis.clock import Clock

log = structlog.get_logger()

Context = grpc.aio.ServicerContext[object, object]

REFUSAL_CODES = {
    Refused.EXISTS: grpc.StatusCode.ALREADY_EXISTS,
    Refused.UNKNOWN_ACCOUNT: grpc.StatusCode.NOT_FOUND,
    Refused.UNKNOWN_SITE: grpc.StatusCode.NOT_FOUND,
}
LISTED_PER_MESSAGE = 500


class AdministrationService(grpc_service.AdministrationServicer):
    """Implements cascade.v1.Administration."""

    def __init__(
        self,
        settings: AdministrationSettings,
        clock: Clock,
        directory: Directory,
        replicas: Replicas,
        accounts: Accounts,
        status: Status,
    ) -> None:
        """Serve these; `clock` dates new sites, whose accounts' versions begin there."""
        self._settings = settings
        self._clock = clock
        self._directory = directory
        self._replicas = replicas
        self._accounts = accounts
        self._status = status

    async def AddSite(self, request: messages.AddSiteRequest, context: Context) -> messages.Site:  # noqa: N802 - gRPC's
        async with self._answering(context, "site_put", site=request.name):
            name = checked_site_name(request.name)
            if not request.client_host or not 0 < request.client_port < 65536:
                raise InvalidRow("a site needs the host and the port (1 to 65535) that its clients connect to")
            if name in self._directory.sites and not request.replace:
                await context.abort(grpc.StatusCode.ALREADY_EXISTS, f"the site {name!r} exists already")
            site = Site(name, request.client_host, request.client_port, self._clock.now_us())
            return site_message(self._status.site(await self._directory.put_site(site)))

    async def ListSites(  # noqa: N802 - gRPC's
        self, request: messages.ListSitesRequest, context: Context
    ) -> messages.ListSitesResponse:
        async with self._answering(context):
            found = [s for s in self._status.sites() if request.name in ("", s.site.name)]
            if request.name and not found:
                await context.abort(grpc.StatusCode.NOT_FOUND, f"no such site: {request.name!r}")
            return messages.ListSitesResponse(
                sites=[site_message(status) for status in found], domain=self._accounts.domain
            )

    async def PutAccounts(  # noqa: N802 - gRPC's
        self, request_iterator: AsyncIterable[messages.PutAccountsRequest], context: Context
    ) -> messages.PutAccountsResponse:
        outcome = Outcome(self._settings.row_errors_max)
        async with self._answering(context, "accounts_put", outcome=outcome):
            options = messages.PutOptions()
            async for request in request_iterator:
                if request.HasField("options"):
                    options.CopyFrom(request.options)
                if len(request.rows) > self._settings.rows_per_message_max:
                    raise InvalidRow(f"more than {self._settings.rows_per_message_max} rows in one message")
                await self._accounts.put(
                    [row(r) for r in request.rows],
                    outcome,
                    PutOptions(options.create_only, options.dry_run, options.initial_password),
                )
            return outcome_message(outcome)

    async def GenerateAccounts(  # noqa: N802 - gRPC's
        self, request: messages.GenerateAccountsRequest, context: Context
    ) -> messages.PutAccountsResponse:
        outcome = Outcome(self._settings.row_errors_max)
        async with self._answering(context, "accounts_generated", outcome=outcome, site=request.site):
            if not 0 < request.count <= self._settings.generated_accounts_max:
                raise InvalidRow(f"the count must be 1 to {self._settings.generated_accounts_max}")
            await self._accounts.generate(request.site, request.prefix, request.count, request.password, outcome)
            return outcome_message(outcome)

    async def ListAccounts(  # noqa: N802 - gRPC's
        self, request: messages.ListAccountsRequest, context: Context
    ) -> AsyncIterator[messages.ListAccountsResponse]:
        async with self._answering(context):
            accounts = self._directory.accounts(request.site, request.prefix)
            while batch := list(islice(accounts, LISTED_PER_MESSAGE)):
                yield messages.ListAccountsResponse(accounts=[self._account(account) for account in batch])

    async def GetAccount(  # noqa: N802 - gRPC's
        self, request: messages.GetAccountRequest, context: Context
    ) -> messages.AccountRecord:
        async with self._answering(context):
            account = self._directory.account(self._accounts.local(request.local))
            if account is None:
                await context.abort(grpc.StatusCode.NOT_FOUND, Refused.UNKNOWN_ACCOUNT.value)
            return self._account(account)

    async def SetPassword(  # noqa: N802 - gRPC's
        self, request: messages.SetPasswordRequest, context: Context
    ) -> messages.AccountRecord:
        async with self._answering(context, "password_set", account=request.local):
            return await self._edited(await self._accounts.set_password(request.local, request.password), context)

    async def SetDisabled(  # noqa: N802 - gRPC's
        self, request: messages.SetDisabledRequest, context: Context
    ) -> messages.AccountRecord:
        async with self._answering(context, "disabled_set", account=request.local, disabled=request.disabled):
            answer = await self._accounts.set_disabled(request.local, disabled=request.disabled)
            return await self._edited(answer, context)

    async def AwaitHeld(  # noqa: N802 - gRPC's
        self, request: messages.SiteVersion, context: Context
    ) -> messages.AwaitHeldResponse:
        async with self._answering(context):
            if request.site not in self._directory.sites:
                await context.abort(grpc.StatusCode.NOT_FOUND, f"no such site: {request.site!r}")
            try:
                async with asyncio.timeout(self._settings.await_held_seconds_max):
                    await self._replicas.wait(request.site, request.version)
            except TimeoutError:
                await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "the site has not confirmed it yet")
            return messages.AwaitHeldResponse()

    @asynccontextmanager
    async def _answering(
        self, context: Context, change: str | None = None, outcome: Outcome | None = None, **facts: object
    ) -> AsyncIterator[None]:
        """Admit administrators only, log a change that is or may be done, and turn faults into status codes."""
        try:
            name = administrator(context.auth_context())
        except NotAnAdministrator as error:
            log.warning("administration_refused", peer=context.peer(), certificate=error.found)
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, str(error))
        is_complete, may_have_changed = False, outcome is not None
        try:
            yield
            is_complete = may_have_changed = True
        except (InvalidRow, InvalidSiteName, UnusablePassword) as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        except StoreUnavailable as error:
            log.warning("directory_store_unavailable", reason=str(error))
            # Not UNAVAILABLE, which says that no hub answers.
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, f"the hub's store is unavailable: {error}")
        except asyncio.CancelledError:
            may_have_changed = True
            raise
        finally:
            if change is not None and may_have_changed:
                log.info(change, administrator=name, complete=is_complete, **facts, **counts(outcome))

    async def _edited(self, answer: Edited | Refused, context: Context) -> messages.AccountRecord:
        if isinstance(answer, Refused):
            await context.abort(REFUSAL_CODES.get(answer, grpc.StatusCode.INVALID_ARGUMENT), answer.value)
        return self._account(answer.account)

    def _account(self, account: Account) -> messages.AccountRecord:
        return messages.AccountRecord(
            local=account.local,
            site=account.site,
            disabled=account.disabled,
            display_name=account.display_name,
            version=account.version,
            held=self._replicas.held(account.site) >= account.version,
        )


def counts(outcome: Outcome | None) -> dict[str, int | bool]:
    """Describe an outcome for the log."""
    if outcome is None:
        return {}
    return {
        "created": outcome.created,
        "updated": outcome.updated,
        "refused": outcome.refused,
        "dry_run": outcome.dry_run,
    }


def row(message: messages.AccountRow) -> Row:
    """Read one row."""
    display_name = message.display_name if message.HasField("display_name") else None
    return Row(message.row, message.local, message.site, message.password, display_name)


def site_message(status: SiteStatus) -> messages.Site:
    """Write one site's status."""
    link = status.link
    return messages.Site(
        name=status.site.name,
        client_host=status.site.client_host,
        client_port=status.site.client_port,
        linked=link is not None,
        linked_since_us=0 if link is None else link.since_us,
        software="" if link is None else link.software,
        accounts=status.accounts,
        accounts_version=status.accounts_version,
        accounts_held=status.accounts_held,
        accounts_behind=status.accounts_behind,
        spooled_envelopes=status.spooled_envelopes,
        spooled_bytes=status.spooled_bytes,
    )


def outcome_message(outcome: Outcome) -> messages.PutAccountsResponse:
    """Write what became of many rows."""
    return messages.PutAccountsResponse(
        created=outcome.created,
        updated=outcome.updated,
        refused=outcome.refused,
        errors=[messages.RowError(row=n, local=local, reason=reason) for n, local, reason in outcome.errors],
        versions=[messages.SiteVersion(site=s, version=v) for s, v in sorted(outcome.versions.items())],
    )
