from cascade.frame import AccountPresence, AvailableResource
from cascade.presence import PendingPresence, PresenceTable


def state(version: int, account: str = "anna@corp.example", size: int = 0) -> AccountPresence:
    return AccountPresence(account, version, (AvailableResource("phone", b"x" * size),))


def test_the_newest_wins_whatever_the_order() -> None:
    table = PresenceTable()
    assert [table.apply(state(version)) for version in (2, 1, 2, 3)] == [True, False, False, True]
    assert table.get("anna@corp.example") == state(3)
    assert table.version("anna@corp.example") == 3
    assert (table.get("bruno@corp.example"), table.version("bruno@corp.example")) == (None, 0)


def test_what_nobody_watches_is_forgotten() -> None:
    table = PresenceTable()
    table.apply(state(1))
    table.forget(["anna@corp.example", "never@met"])
    assert len(table) == 0
    assert table.apply(state(1))


def test_only_the_newest_state_is_ever_sent() -> None:
    pending = PendingPresence()
    for version in (1, 3, 2):
        pending.put(state(version))
    assert pending.take(1000) == [state(3)]
    assert pending.take(1000) == []


def test_a_frame_takes_what_fits_and_at_least_one() -> None:
    pending = PendingPresence()
    for account in "abc":
        pending.put(state(1, account, size=400))
    assert [presence.account for presence in pending.take(1)] == ["a"]
    assert [presence.account for presence in pending.take(1100)] == ["b", "c"]


def test_what_is_no_longer_asked_for_is_not_sent() -> None:
    pending = PendingPresence()
    pending.put(state(1, "a"))
    pending.put(state(1, "b"))
    pending.discard(["a", "x"])
    assert len(pending) == 1
    pending.clear()
    assert len(pending) == 0
