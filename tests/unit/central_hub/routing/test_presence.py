from collections.abc import Iterable

import pytest

from cascade.frame import AccountPresence, AvailableResource, InterestChange
from central_hub.routing.presence import PresenceExchange

HOMES = {"anna@c": "paris", "chloe@c": "lyon", "david@c": "lyon"}
PHONE = (AvailableResource("phone", b"<presence/>"),)
DESK = (AvailableResource("desk", b"<presence/>"),)


class Said:
    """Records what linked sites are told."""

    def __init__(self) -> None:
        self.presence: list[tuple[str, str, int, bool]] = []
        self.asked: list[tuple[str, object]] = []

    def publish(self, site: str, presence: AccountPresence) -> None:
        self.presence.append((site, presence.account, presence.version, bool(presence.resources)))

    def ask_all(self, site: str, accounts: Iterable[tuple[str, int]]) -> None:
        self.asked.append((site, sorted(accounts)))

    def ask(self, site: str, account: str) -> None:
        self.asked.append((site, f"+{account}"))

    def unask(self, site: str, account: str) -> None:
        self.asked.append((site, f"-{account}"))

    def take(self) -> list[tuple[str, str, int, bool]]:
        taken, self.presence = self.presence, []
        return taken


@pytest.fixture
def said() -> Said:
    return Said()


@pytest.fixture
def exchange(said: Said) -> PresenceExchange:
    exchange = PresenceExchange(HOMES.get, said, grace_seconds=30, accounts_per_site_max=2)
    for site in ("paris", "lyon", "nice"):
        exchange.linked(site)
    said.asked.clear()
    return exchange


def watch(*accounts: str, held: int = 0, full: bool = False) -> InterestChange:
    return InterestChange(tuple((account, held) for account in accounts), is_full=full)


def test_an_account_is_watched_by_its_one_name(said: Said) -> None:
    exchange = PresenceExchange(
        lambda jid: HOMES.get(jid.partition("/")[0]), said, grace_seconds=30, accounts_per_site_max=9
    )
    exchange.linked("paris")
    exchange.interest("paris", watch("chloe@c/1", "chloe@c/2", "chloe@c"))
    assert (exchange.watched_by("paris"), exchange.watched_by("lyon")) == (1, 0)


def test_goes_once_to_each_watching_site_and_to_no_other(exchange: PresenceExchange, said: Said) -> None:
    exchange.interest("paris", watch("chloe@c"))
    assert exchange.presence("lyon", AccountPresence("chloe@c", 10, PHONE))
    assert exchange.presence("lyon", AccountPresence("david@c", 10, PHONE))
    assert said.take() == [("paris", "chloe@c", 10, True)]


def test_home_is_asked_for_the_first_watcher_and_told_of_the_last(exchange: PresenceExchange, said: Said) -> None:
    exchange.interest("paris", watch("chloe@c"))
    exchange.interest("nice", watch("chloe@c"))
    exchange.interest("paris", InterestChange(removed=("chloe@c", "david@c")))
    exchange.interest("nice", InterestChange(removed=("chloe@c",)))
    assert said.asked == [("lyon", "+chloe@c"), ("lyon", "-chloe@c")]
    assert [exchange.watched_by(site) for site in ("paris", "nice")] == [0, 0]


def test_later_watcher_is_served_from_the_hub(exchange: PresenceExchange, said: Said) -> None:
    exchange.interest("paris", watch("chloe@c"))
    exchange.presence("lyon", AccountPresence("chloe@c", 10, PHONE))
    said.take()
    exchange.interest("nice", watch("chloe@c"))
    assert said.take() == [("nice", "chloe@c", 10, True)]


def test_who_holds_the_newest_is_told_nothing(exchange: PresenceExchange, said: Said) -> None:
    exchange.interest("paris", watch("chloe@c"))
    exchange.presence("lyon", AccountPresence("chloe@c", 10, PHONE))
    said.take()
    exchange.interest("nice", watch("chloe@c", held=10))
    exchange.presence("lyon", AccountPresence("chloe@c", 10, PHONE))
    assert said.take() == []


def test_full_interest_replaces(exchange: PresenceExchange, said: Said) -> None:
    exchange.interest("paris", watch("chloe@c", "david@c"))
    exchange.interest("paris", watch("david@c", full=True))
    assert said.asked[-1] == ("lyon", "-chloe@c")
    assert exchange.watched_by("paris") == 1


def test_own_people_unknown_people_and_foreign_speakers(exchange: PresenceExchange, said: Said) -> None:
    exchange.interest("lyon", watch("chloe@c", "nobody@c"))
    assert exchange.watched_by("lyon") == 0
    assert not exchange.presence("paris", AccountPresence("chloe@c", 10, PHONE))
    exchange.interest("nice", watch("chloe@c"))
    exchange.interest("lyon", watch("chloe@c"))
    assert not exchange.presence("paris", AccountPresence("chloe@c", 10, PHONE))
    assert said.take() == []


def test_home_away_beyond_the_grace_time_is_unavailable_until_it_speaks_again(
    exchange: PresenceExchange, said: Said
) -> None:
    exchange.interest("paris", watch("chloe@c", "david@c"))
    exchange.presence("lyon", AccountPresence("chloe@c", 10, PHONE))
    said.take()
    exchange.unlinked("lyon", now=100)
    assert exchange.deadline() == 130
    exchange.timeout(129)
    assert said.take() == []
    exchange.timeout(130)
    assert said.take() == [("paris", "chloe@c", 11, False)]
    assert exchange.deadline() is None
    exchange.linked("lyon")
    assert said.asked[-1] == ("lyon", [("chloe@c", 0), ("david@c", 0)])
    exchange.presence("lyon", AccountPresence("chloe@c", 10, PHONE))
    assert said.take() == [("paris", "chloe@c", 12, True)]
    exchange.presence("lyon", AccountPresence("chloe@c", 50, DESK))
    assert said.take() == [("paris", "chloe@c", 50, True)]


def test_short_absence_changes_nothing_and_asks_for_the_difference(exchange: PresenceExchange, said: Said) -> None:
    exchange.interest("paris", watch("chloe@c"))
    exchange.presence("lyon", AccountPresence("chloe@c", 10, PHONE))
    said.take()
    exchange.unlinked("lyon", now=100)
    exchange.linked("lyon")
    exchange.timeout(1000)
    assert said.asked[-1] == ("lyon", [("chloe@c", 10)])
    assert said.take() == []


def test_watcher_away_is_told_nothing_and_catches_up_when_it_asks(exchange: PresenceExchange, said: Said) -> None:
    exchange.interest("paris", watch("chloe@c"))
    exchange.unlinked("paris", now=100)
    exchange.presence("lyon", AccountPresence("chloe@c", 10, PHONE))
    assert said.take() == []
    exchange.linked("paris")
    exchange.interest("paris", watch("chloe@c", full=True))
    assert said.take() == [("paris", "chloe@c", 10, True)]


def test_watcher_away_beyond_the_grace_time_is_forgotten(exchange: PresenceExchange, said: Said) -> None:
    exchange.interest("paris", watch("chloe@c"))
    exchange.unlinked("paris", now=100)
    exchange.timeout(130)
    assert said.asked[-1] == ("lyon", "-chloe@c")


def test_restarted_hub_believes_the_watchers_version_until_the_home_differs(said: Said) -> None:
    exchange = PresenceExchange(HOMES.get, said, grace_seconds=30, accounts_per_site_max=2)
    exchange.linked("paris")
    exchange.linked("lyon")
    exchange.interest("paris", watch("chloe@c", held=10, full=True))
    exchange.presence("lyon", AccountPresence("chloe@c", 10, PHONE))
    assert said.take() == []
    exchange.presence("lyon", AccountPresence("chloe@c", 20, DESK))
    assert said.take() == [("paris", "chloe@c", 20, True)]


def test_restarted_hub_overrules_what_another_life_of_it_assumed(said: Said) -> None:
    exchange = PresenceExchange(HOMES.get, said, grace_seconds=30, accounts_per_site_max=2)
    exchange.linked("paris")
    exchange.linked("lyon")
    exchange.interest("paris", watch("chloe@c", held=11, full=True))
    exchange.presence("lyon", AccountPresence("chloe@c", 10, PHONE))
    assert said.take() == [("paris", "chloe@c", 12, True)]
    exchange.linked("nice")
    exchange.interest("nice", watch("chloe@c", held=40, full=True))
    assert sorted(said.take()) == [("nice", "chloe@c", 41, True), ("paris", "chloe@c", 41, True)]


def test_home_that_never_linked_is_unavailable_to_who_still_sees_its_people(said: Said) -> None:
    exchange = PresenceExchange(HOMES.get, said, grace_seconds=30, accounts_per_site_max=2)
    exchange.unlinked("lyon", now=0)
    exchange.linked("paris")
    exchange.interest("paris", watch("chloe@c", held=10))
    exchange.interest("paris", watch("david@c"))
    assert said.take() == []
    exchange.timeout(30)
    assert said.take() == [("paris", "chloe@c", 11, False)]
    exchange.interest("paris", InterestChange(removed=("chloe@c",)))
    exchange.interest("paris", watch("chloe@c", held=10))
    assert said.take() == [("paris", "chloe@c", 11, False)]


def test_what_one_site_watches_is_bounded(said: Said) -> None:
    exchange = PresenceExchange(HOMES.get, said, grace_seconds=30, accounts_per_site_max=1)
    exchange.linked("paris")
    exchange.interest("paris", watch("chloe@c", "david@c"))
    assert exchange.watched_by("paris") == 1
    exchange.interest("paris", watch("chloe@c", held=3))
    exchange.interest("paris", InterestChange(removed=("chloe@c",)))
    exchange.interest("paris", watch("david@c"))
    assert exchange.watched_by("paris") == 1
