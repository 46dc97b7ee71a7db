"""Questions to the hub have bounds in number and in time, and everybody who asks gets one answer."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from cascade.frame import HomeAnswer
from edge_node.uplink.homes import Homes
from tests.support.edge import Hub
from tests.support.virtual_time import run_in_virtual_time

ANNA, DAVID, EMIL = (f"{name}@corp.example" for name in ("anna", "david", "emil"))
LYON = HomeAnswer(DAVID, "lyon", "lyon.corp.example", 5222)
ADDRESS = ("lyon.corp.example", 5222)


class Asked(list[tuple[str, tuple[str, int] | None]]):
    """(who asked, what he was told)."""

    def by(self, name: str) -> Any:  # noqa: ANN401 - a closure of `Found`
        return lambda address: self.append((name, address))


def homes_of(hub: Hub | None = None, questions_max: int = 10) -> Homes:
    homes = Homes("paris", wait_seconds=2.0, questions_max=questions_max)
    if hub is not None:
        homes.connect(hub)
    return homes


def run(main: Coroutine[Any, Any, None]) -> None:
    run_in_virtual_time(main)


def test_everybody_who_asks_for_the_same_account_gets_the_one_answer() -> None:
    async def main() -> None:
        hub, asked = Hub(), Asked()
        homes = homes_of(hub)
        homes.find(DAVID, asked.by("one"))
        homes.find(DAVID, asked.by("other"))
        assert (hub.asked_homes, asked) == ([DAVID], [])
        for _ in range(2):
            homes.answered(LYON)
        assert asked == [("one", ADDRESS), ("other", ADDRESS)]

    run(main())


def test_nobody_is_sent_to_nowhere_or_to_where_he_is() -> None:
    async def main() -> None:
        asked = Asked()
        homes = homes_of(Hub())
        for answer in (
            HomeAnswer(DAVID, ""),
            HomeAnswer(DAVID, "paris", "paris.corp.example", 5222),
            HomeAnswer(DAVID, "lyon"),
        ):
            homes.find(DAVID, asked.by("client"))
            homes.answered(answer)
        assert asked == [("client", None)] * 3

    run(main())


def test_answers_that_nobody_waits_for_are_nothing() -> None:
    async def main() -> None:
        asked = Asked()
        homes = homes_of(Hub())
        homes.find(EMIL, asked.by("client"))
        homes.answered(LYON)
        assert asked == []
        await asyncio.sleep(2.1)

    run(main())


def test_without_a_link_the_account_is_unknown_at_once() -> None:
    async def main() -> None:
        hub, asked = Hub(), Asked()
        hub.is_linked = False
        homes_of(hub).find(DAVID, asked.by("cut off"))
        homes_of().find(DAVID, asked.by("alone"))
        assert asked == [("cut off", None), ("alone", None)]

    run(main())


def test_an_answer_is_waited_for_two_seconds() -> None:
    async def main() -> None:
        asked = Asked()
        homes = homes_of(Hub())
        homes.find(DAVID, asked.by("client"))
        await asyncio.sleep(1.9)
        assert asked == []
        await asyncio.sleep(0.2)
        assert asked == [("client", None)]
        homes.answered(LYON)
        assert len(asked) == 1

    run(main())


def test_who_asks_again_after_an_answer_has_the_whole_time() -> None:
    async def main() -> None:
        asked = Asked()
        homes = homes_of(Hub())
        homes.find(DAVID, asked.by("one"))
        homes.answered(LYON)
        await asyncio.sleep(1.5)
        homes.find(DAVID, asked.by("other"))
        await asyncio.sleep(1.0)
        homes.answered(LYON)
        assert asked == [("one", ADDRESS), ("other", ADDRESS)]

    run(main())


def test_the_bound_is_on_all_who_wait_and_costs_nobody_else_his_answer() -> None:
    async def main() -> None:
        hub, asked = Hub(), Asked()
        homes = homes_of(hub, questions_max=3)
        for name in ("1", "2"):
            homes.find(DAVID, asked.by(name))
        homes.find(EMIL, asked.by("3"))
        homes.find(DAVID, asked.by("4"))
        homes.find(ANNA, asked.by("5"))
        assert asked == [("4", None), ("5", None)]
        assert hub.asked_homes == [DAVID, EMIL]
        asked.clear()
        homes.answered(LYON)
        homes.find(ANNA, asked.by("6"))
        homes.answered(HomeAnswer(EMIL, ""))
        homes.answered(HomeAnswer(ANNA, "lyon", *ADDRESS))
        assert asked == [("1", ADDRESS), ("2", ADDRESS), ("3", None), ("6", ADDRESS)]

    run(main())
