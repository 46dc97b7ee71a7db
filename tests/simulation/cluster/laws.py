"""What must be true when everything has come to rest."""

from collections import Counter, defaultdict

from edge_node.composition import EdgeCore
from edge_node.features.archive.store import PageRequest, Selection
from edge_node.sessions.roster import LiveRoster
from tests.simulation.cluster.device import BODY
from tests.simulation.cluster.hub import FORWARDED_MAX
from tests.simulation.cluster.records import Message, Receipts
from tests.simulation.cluster.site import OUTBOX_IN_MEMORY, RESUME_SECONDS
from tests.simulation.cluster.world import World
from tests.support.edge import parse


class Broken(AssertionError):
    """A law does not hold; `about` are the names to look for in the trace."""

    def __init__(self, law: str, *about: str) -> None:
        super().__init__(law)
        self.about = about


async def check(world: World) -> None:
    """Check everything."""
    if world.trace.alarms:
        raise Broken(f"failed: {world.trace.alarms[0]}")
    if world.complaints:
        raise Broken(world.complaints[0], *world.complaints[0].replace(":", " ").split()[:1])
    for device in world.devices:
        if not device.is_online:
            raise Broken(f"{device.name} can't come back", device.name)
    find_doubtful(world)
    check_loss(world)
    check_repetition(world)
    check_copies(world)
    check_order(world)
    check_refusals(world)
    await check_archives(world)
    await check_rosters(world)
    check_presence(world)
    for site in world.sites.values():
        assert site.edge is not None
        await check_rest(world, site.name, site.edge)
    check_hub(world)


def find_doubtful(world: World) -> None:
    """A refusal that met nobody, because the session had ended, is seen by nobody."""
    for message in world.messages.values():
        until = message.accepted_at if message.accepted_at is not None else float("inf")
        message.is_doubtful = any(
            since <= until and message.sent_at <= to for since, to in world.failed[world.homes[message.from_account]]
        )


def check_loss(world: World) -> None:
    for message in world.messages.values():
        if message.accepted_at is None or message.refusal is not None or message.is_doubtful:
            continue
        if not message.receipts and not message.was_written:
            raise Broken(
                f"{message.id} of {message.sender} to {message.to_account} is lost",
                message.id,
                message.to_account,
                message.sender,
                *names(world, message.to_account),
            )


def names(world: World, account: str) -> list[str]:
    return [device.name for device in world.devices if device.account == account]


def check_repetition(world: World) -> None:
    for session in world.sessions:
        for message, times in Counter(message for _, message in session.messages).items():
            if times > 1 and not message.may_repeat:
                raise Broken(
                    f"{message.id} came {times} times to {session.session}", message.id, *names(world, session.account)
                )


def check_copies(world: World) -> None:
    """A copy comes once, and not behind the message itself; what had waited may come behind its copy."""
    for session in world.sessions:
        first: dict[str, float] = {}
        for received_at, message in session.messages:
            first.setdefault(message.id, received_at)
        for message, times in Counter(message for _, message in session.copies).items():
            if times > 1 and not message.may_repeat:
                about = (message.id, *names(world, session.account))
                raise Broken(f"a copy of {message.id} came {times} times to {session.session}", *about)
        for received_at, message in session.copies:
            if first.get(message.id, received_at + 1) <= received_at and not message.may_repeat:
                about = (message.id, *names(world, session.account))
                raise Broken(f"a copy of {message.id} came behind it to {session.session}", *about)


def check_order(world: World) -> None:
    """What a session gets of one device comes in order, but for what was meant for, or had, another session."""
    for session in world.sessions:
        last: dict[str, Message] = {}
        for received_at, message in session.messages:
            is_repetition = message.may_repeat or message.receipts[0] != session.session
            if is_repetition or message.is_direct or is_passed_on(world, session, message, received_at):
                continue
            before = last.get(message.sender)
            if before is not None and before.order > message.order:
                about = (message.id, before.id, message.sender, *names(world, session.account))
                raise Broken(f"{message.id} came after {before.id} to {session.session}", *about)
            last[message.sender] = message


def is_passed_on(world: World, session: Receipts, message: Message, received_at: float) -> bool:
    """Whether it may have been for another device of the account, whose session ended before it was read there.

    Such a session may have hibernated before the message was sent.
    """
    return any(
        message.sent_at - RESUME_SECONDS <= absence <= received_at
        for device in world.devices
        if device.account == session.account and not session.session.startswith(f"{device.name}#")
        for absence in device.absences
    )


def check_refusals(world: World) -> None:
    for message in world.messages.values():
        if message.refusal is None:
            continue
        if message.refusal != "resource-constraint" or not message.is_doubtful:
            raise Broken(f"{message.id} came back: {message.refusal}", message.id, message.sender)
        if message.receipts and not message.was_resent:
            raise Broken(f"{message.id} came back and was delivered", message.id, message.sender)


async def check_archives(world: World) -> None:
    kept: dict[str, list[str]] = {}
    for account, home in world.homes.items():
        page = await world.sites[home].store.archive.page(account, Selection(), PageRequest(1_000_000))
        bodies = [parse(row.stanza).find(BODY) for row in page.rows]
        kept[account] = [body.text for body in bodies if body is not None]
        orders: defaultdict[str, int] = defaultdict(int)
        for id_ in kept[account]:
            message = world.messages[id_]
            if message.may_repeat:
                continue
            if message.order < orders[message.sender]:
                raise Broken(
                    f"{id_} is archived out of order for {account}", id_, message.sender, *names(world, account)
                )
            orders[message.sender] = message.order
    counts = {account: Counter(ids) for account, ids in kept.items()}
    for message in world.messages.values():
        for account in (message.from_account, message.to_account):
            count = counts[account][message.id]
            if count > 1 and not message.may_repeat:
                raise Broken(f"{message.id} is {count} times in the archive of {account}", message.id, message.sender)
            if message.refusal is not None and count and not message.was_resent:
                raise Broken(f"{message.id} was refused and is in the archive of {account}", message.id, message.sender)
            is_promised = message.accepted_at is not None and message.refusal is None and not message.is_doubtful
            if is_promised and not count:
                raise Broken(f"{message.id} is not in the archive of {account}", message.id, message.sender)


async def check_rosters(world: World) -> None:
    """Who sees whom is the same in both rosters, here and elsewhere, on disk and in memory."""
    rosters = {
        account: LiveRoster(account, await world.sites[home].store.rosters.load(account))
        for account, home in world.homes.items()
    }
    for account, home in world.homes.items():
        edge = world.sites[home].edge
        assert edge is not None
        local = edge.registry.account(account)
        assert local is not None
        assert local.roster is not None
        if set(local.roster) != set(rosters[account]):
            raise Broken(f"the roster of {account} differs on disk", account, *names(world, account))
    for watcher, mine in rosters.items():
        for contact, theirs in rosters.items():
            about = (watcher, contact, *names(world, watcher), *names(world, contact))
            if mine.sees(contact) != theirs.is_seen_by(watcher):
                raise Broken(
                    f"{watcher} sees {contact}: {mine.sees(contact)}, is shown: {theirs.is_seen_by(watcher)}", *about
                )
            if mine.known(contact).ask != bool(theirs.known(watcher).request):
                raise Broken(f"{watcher} asks {contact}: {mine.get(contact)}, but there: {theirs.get(watcher)}", *about)


def check_presence(world: World) -> None:
    """Every available device sees what is to be seen, and nothing else."""
    shown: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for device in world.devices:
        if device.said is not None:
            shown[device.account][device.jid] = device.said
    for device in world.devices:
        edge = world.sites[world.homes[device.account]].edge
        assert edge is not None
        account = edge.registry.account(device.account)
        assert account is not None
        assert account.roster is not None
        seen = {device.account, *account.roster.watched()}
        expected = {jid: text for contact in seen for jid, text in shown[contact].items()}
        view = device.view
        if view != expected:
            wrong = sorted(set(view.items()) ^ set(expected.items()))
            raise Broken(
                f"{device.name} sees {view}, but it is {expected}",
                device.name,
                *(jid for jid, _ in wrong),
                *(name for jid, _ in wrong for name in names(world, jid.partition("/")[0])),
            )


async def check_rest(world: World, name: str, edge: EdgeCore) -> None:
    """Nothing waits any more, and nothing is kept that nobody needs."""
    site = world.sites[name]
    tables = {
        "outbox": site.store.outbox.envelopes,
        "backlog": site.store.custody.backlog,
        "tasks": 0 if site.tasks is None else site.tasks.running,
    }
    for what, count in tables.items():
        if count:
            raise Broken(f"{name}: {count} {what} left", name)
    assert site.site_link is not None
    if site.site_link.outbox.in_memory > OUTBOX_IN_MEMORY or site.site_link.outbox.backlog:
        raise Broken(f"{name} still owes {site.site_link.outbox.backlog}", name)
    mine = [device for device in world.devices if world.homes[device.account] == name]
    for account in world.homes:
        waiting = await site.store.deliveries.count_waiting(account, 100)
        if waiting and world.homes[account] == name:
            raise Broken(f"{waiting} messages wait for {account}, who is there", account, *names(world, account))
    if len(edge.registry) != len(mine):
        raise Broken(f"{name} has {len(edge.registry)} sessions of {len(mine)} devices", name)
    for session in edge.registry.sessions():
        if session.promises or session.early or session.pending or session.dormant or (session.queue or ()):
            raise Broken(
                f"{session.jid} has something left: {session.promises} {session.early} {session.pending}", name
            )
    records = await site.store.sessions.load_all()
    if {record.key for record in records} != {session.key for session in edge.registry.sessions() if session.is_kept}:
        raise Broken(f"{name} has {len(records)} session records", name)


def check_hub(world: World) -> None:
    custody = world.hub.custody
    assert custody is not None
    for site in world.sites:
        forwarding, ledger = custody.forwarding(site), custody.ledger(site)
        left = (forwarding.in_memory, forwarding.spooled, ledger.pending, forwarding.is_spooling)
        if any(left):
            raise Broken(f"the hub still keeps for {site}: {left}", "hub", site)
        extent = world.hub.spool_store.extents().get(site)
        if extent is not None and extent.last != extent.trimmed_to:
            raise Broken(f"the spool of {site} is not trimmed: {extent}", "hub", site)
        assert forwarding.in_memory <= FORWARDED_MAX
