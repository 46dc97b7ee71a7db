"""Where people live who log in here although their home is elsewhere."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from cascade.frame import HomeAnswer
from edge_node.uplink.alone import NoLink
from edge_node.uplink.link import Link

Found = Callable[[tuple[str, int] | None], None]


class Question(NamedTuple):
    """One that the hub has been asked."""

    timer: asyncio.TimerHandle
    waiting: list[Found]


class Homes:
    """Asks the hub; waits for its answers for a bounded time, and for a bounded number of them."""

    def __init__(self, site: str, *, wait_seconds: float, questions_max: int) -> None:
        """Compose it.

        Args:
            site: our name: an account that lives here needs no redirection.
            wait_seconds: after which the account counts as unknown.
            questions_max: how many may wait for an answer; to further ones the account is unknown.
        """
        self._link: Link = NoLink()
        self._site = site
        self._wait_seconds = wait_seconds
        self._questions_max = questions_max
        self._questions: dict[str, Question] = {}
        self._waiting = 0

    def connect(self, link: Link) -> None:
        """Name the link.  Called once, by the composer, if there is one."""
        self._link = link

    def find(self, bare: str, found: Found) -> None:
        """Answer with (host, port) for clients of the account's home site; None: nobody knows such an account."""
        question = self._questions.get(bare)
        if self._waiting >= self._questions_max or (question is None and not self._link.ask_home(bare)):
            found(None)
            return
        if question is None:
            timer = asyncio.get_running_loop().call_later(self._wait_seconds, self._settle, bare, None)
            question = self._questions[bare] = Question(timer, [])
        question.waiting.append(found)
        self._waiting += 1

    def answered(self, answer: HomeAnswer) -> None:
        """The hub has answered."""
        is_elsewhere = bool(answer.site) and answer.site != self._site and bool(answer.client_host)
        self._settle(answer.account, (answer.client_host, answer.client_port) if is_elsewhere else None)

    def _settle(self, bare: str, address: tuple[str, int] | None) -> None:
        question = self._questions.pop(bare, None)
        if question is None:
            return
        question.timer.cancel()
        self._waiting -= len(question.waiting)
        for found in question.waiting:
            found(address)
