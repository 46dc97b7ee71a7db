"""Plays stories: each line of a `.story` file is one of the sentences below, and says what somebody does or perceives.

The first line is the title; `#` begins a remark.  `Anna` is an account, `Anna's desk` one of her clients.  Whatever a
client hears is told: at the end of a story nobody may have heard more than it says.
"""

import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import Any

from tests.stories.character import Character, address_in, carried_by, name_of, state_of
from tests.stories.company import Company, address_of, text_of
from tests.support.edge import condition_of, jid
from xmpp import namespaces
from xmpp.errors import StreamError
from xmpp.stanza import Stanza

WHO = r"(?P<{0}>[A-Z]\w+(?:'s \w+)?)"
CLIENT = r"(?P<client>[A-Z]\w+'s \w+)"
TEXT = r'"(?P<text>[^"]*)"'

Step = Callable[..., Awaitable[None]]


class Play:
    """One performance of one story."""

    def __init__(self, company: Company, stack: AsyncExitStack) -> None:
        self._company = company
        self._stack = stack
        self._cast: dict[str, Character] = {}
        self._gone: list[Character] = []
        self._requests = 0

    async def perform(self, lines: list[tuple[int, str]]) -> None:
        """Play line by line; a failure names its line."""
        for number, line in lines:
            with _located(f"line {number}: {line}"):
                step, arguments = _understood(line)
                await step(self, **arguments)
        with _located("at the end"):
            await self._nobody_heard_more()

    async def _nobody_heard_more(self) -> None:
        await self._company.rest()
        for name, character in self._cast.items():
            character.listen()
            assert not character.messages, f"{name} has also heard {[m.render() for m in character.messages]}"

    async def _until(self, character: Character, condition: Callable[[], object], what: str) -> None:
        def holds() -> object:
            character.listen()
            return condition()

        def complaint() -> str:
            return f"{what}; {character.story()}"

        await self._company.eventually(holds, complaint)

    async def _ask(self, character: Character, type_: str, inner: str) -> Stanza:
        self._requests += 1
        id_ = f"request {self._requests}"
        character.client.send(f'<iq type="{type_}" id="{id_}">{inner}</iq>')
        await self._until(character, lambda: id_ in character.answers, f"no answer to {inner}")
        return character.answers.pop(id_)

    # ------------------------------------------------------------------------------------- the company

    async def lives(self, who: str, site: str) -> None:
        await self._company.open(name_of(site), self._stack)
        await self._company.move_in(name_of(who), name_of(site))

    async def link_down(self, site: str) -> None:
        await self._company.cut(name_of(site))

    async def link_up(self, site: str) -> None:
        await self._company.sites[name_of(site)].heal()

    async def core_dies(self, site: str) -> None:
        await self._company.rest()
        await self._company.sites[name_of(site)].restart()
        await self._company.renew_probe(name_of(site))

    async def time_passes(self, seconds: str) -> None:
        for site in self._company.sites.values():
            site.pass_time(float(seconds))

    async def disabled(self, who: str) -> None:
        await self._company.disable(name_of(who), disabled=True)

    async def enabled(self, who: str) -> None:
        await self._company.disable(name_of(who), disabled=False)

    # ------------------------------------------------------------------------------------- connections

    async def online(self, client: str, wishes: str | None) -> None:
        wishes = wishes or ""
        account, resource = address_in(client).split("/")
        priority = re.search(r"priority (-?\d+)", wishes)
        edge = self._company.homes[account]
        older = self._cast.get(client)
        if older is not None:
            self._gone.append(older)
        character = self._cast[client] = Character(await edge.bind(account, resource))
        if "stream management" in wishes:
            await character.client.manage()
        answer = await self._ask(character, "get", f'<query xmlns="{namespaces.ROSTER}"/>')
        for query in answer.elements():
            for item in query.elements:
                character.roster[address_of(jid(item.get("jid") or ""))] = item
        if "carbons" in wishes:
            await self._ask(character, "set", f'<enable xmlns="{namespaces.CARBONS}"/>')
        character.client.send(f"<presence><priority>{priority[1] if priority else 0}</priority></presence>")
        await edge.settle()

    async def goes_offline(self, client: str) -> None:
        await self._cast.pop(client).client.leave()

    async def loses_connection(self, client: str) -> None:
        character = self._cast[client]
        character.listen()
        await character.client.drop()

    async def resumes(self, client: str) -> None:
        character = self._cast[client]
        site = self._company.homes[address_in(client).split("/")[0]]
        character.client = await site.resume(character.client)
        assert character.client.wire.resumed_with is not None, character.client.wire.resumption_refused_with

    async def is_sent_home(self, who: str, site: str, home: str) -> None:
        client = self._company.sites[name_of(site)].connect()
        client.attachment.find_credentials(name_of(who))
        await self._company.eventually(lambda: client.wire.redirection, lambda: f"{who} is not sent anywhere")
        assert client.wire.redirection is not None
        assert client.wire.redirection[0].startswith(name_of(home))

    async def may_log_in(self, who: str, negation: str | None) -> None:
        client = self._company.homes[name_of(who)].connect()
        client.attachment.find_credentials(name_of(who))
        await self._company.eventually(lambda: client.wire.credentials, lambda: "no answer")
        assert (client.wire.credentials[0] is None) == bool(negation)

    async def is_thrown_out(self, client: str, condition: str) -> None:
        candidates = [self._cast[client], *self._gone]

        def reasons() -> list[StreamError | None]:
            return [error for character in candidates for error in character.client.wire.closed]

        await self._company.eventually(reasons, lambda: f"{client} is still there")
        assert [error.condition.value for error in reasons() if error] == [condition]
        if candidates[0].client.wire.closed:
            del self._cast[client]

    # ------------------------------------------------------------------------------------- messages

    async def says(self, client: str, text: str, who: str, kind: str | None, extra: str | None) -> None:
        more = {"no-store": '<no-store xmlns="urn:xmpp:hints"/>', "private": f'<private xmlns="{namespaces.CARBONS}"/>'}
        self._cast[client].client.send(
            f'<message to="{jid(address_in(who)).full}" type="{kind or "chat"}" id="{text}"><body>{text}</body>'
            f"{more.get(extra or '', '')}</message>"
        )

    async def hears(self, client: str, text: str, who: str | None, once: str | None) -> None:
        character = self._cast[client]

        def heard() -> list[Stanza]:
            return [message for message in character.messages if text_of(message) == text and message.type != "error"]

        await self._until(character, heard, f'{client} does not hear "{text}"')
        if once:
            await self._company.rest()
            character.listen()
            assert len(heard()) == 1, heard()
        found = heard()[0]
        assert character.messages[0] is found, f'"{text}" is not the next: {[text_of(m) for m in character.messages]}'
        character.messages.remove(found)
        assert who is None or address_of(found.sender) == address_in(who)

    async def hears_nothing(self, client: str) -> None:
        await self._company.rest()
        character = self._cast[client]
        character.listen()
        assert not character.messages, [message.render() for message in character.messages]

    async def gets_copy(self, client: str, text: str, way: str) -> None:
        character = self._cast[client]
        name = f"{{{namespaces.CARBONS}}}{way}"

        def copies() -> list[Stanza]:
            return [message for message in character.messages if carried_by(message.find(name)) == text]

        await self._until(character, copies, f'{client} gets no copy of "{text}"')
        character.messages.remove(copies()[0])

    async def is_told(self, client: str, condition: str, text: str) -> None:
        character = self._cast[client]

        def errors() -> list[Stanza]:
            return [message for message in character.messages if message.type == "error" and message.id == text]

        await self._until(character, errors, f'{client} is told nothing about "{text}"')
        assert condition_of(errors()[0]) == condition
        character.messages.remove(errors()[0])

    async def finds(self, client: str, texts: str) -> None:
        character = self._cast[client]
        await self._company.rest()
        await self._ask(character, "set", f'<query xmlns="{namespaces.ARCHIVE}"/>')
        result = f"{{{namespaces.ARCHIVE}}}result"
        results = [message for message in character.messages if message.find(result) is not None]
        found = [carried_by(message.find(result)) for message in results]
        assert found == re.findall(r'"([^"]*)"', texts), found
        for message in results:
            character.messages.remove(message)

    # ------------------------------------------------------------------------------------- presence

    async def becomes(self, client: str, state: str) -> None:
        inner = "" if state == "available" else f"<show>{state}</show>"
        self._cast[client].client.send(f"<presence>{inner}</presence>")

    async def sees(self, client: str, who: str, state: str) -> None:
        character, address = self._cast[client], address_in(who)

        def state_now() -> str:
            states = [
                state_of(stanza) for full, stanza in character.presence.items() if address in (full, full.split("/")[0])
            ]
            return next((each for each in states if each != "unavailable"), "unavailable")

        await self._until(character, lambda: state_now() == state, f"{client} sees {who} {state_now()}")

    async def asks_to_see(self, client: str, who: str) -> None:
        self._cast[client].client.send(f'<presence type="subscribe" to="{jid(address_in(who)).full}"/>')

    async def is_asked(self, client: str, who: str) -> None:
        character, request = self._cast[client], ("subscribe", address_in(who))
        await self._until(character, lambda: request in character.requests, f"{client} is not asked by {who}")
        character.requests.remove(request)

    async def answers(self, client: str, verb: str, who: str) -> None:
        type_ = {"lets": "subscribed", "refuses": "unsubscribed"}[verb]
        self._cast[client].client.send(f'<presence type="{type_}" to="{jid(address_in(who)).full}"/>')

    async def lists(self, client: str, who: str, state: str) -> None:
        character, address = self._cast[client], address_in(who)

        def listed() -> str | None:
            return character.roster[address].get("subscription") if address in character.roster else None

        await self._until(character, lambda: listed() == state, f"{client} lists {who} as {listed()}")

    async def pings(self, client: str, who: str, outcome: str) -> None:
        character = self._cast[client]
        target = self._cast.get(who)
        self._requests += 1
        id_ = f"request {self._requests}"
        to = jid(address_in(who)).full
        character.client.send(f'<iq type="get" id="{id_}" to="{to}"><ping xmlns="urn:xmpp:ping"/></iq>')

        def answered() -> bool:
            if target is not None:
                target.listen()
            return id_ in character.answers

        await self._until(character, answered, f"{who} does not answer")
        answer = character.answers.pop(id_)
        assert outcome == ("answered" if answer.type == "result" else condition_of(answer))


SENTENCES: tuple[tuple[str, Step], ...] = (
    (rf"{WHO} lives in (?P<site>\w+)".format("who"), Play.lives),
    (r"the link (?P<site>\w+)\u2013hub goes down", Play.link_down),
    (r"the link (?P<site>\w+)\u2013hub returns", Play.link_up),
    (r"the core of (?P<site>\w+) dies and starts again", Play.core_dies),
    (r"(?P<seconds>\d+) seconds pass", Play.time_passes),
    (rf"{WHO} is disabled".format("who"), Play.disabled),
    (rf"{WHO} is enabled again".format("who"), Play.enabled),
    (rf"{CLIENT} comes online(?: with (?P<wishes>.+))?", Play.online),
    (rf"{CLIENT} goes offline", Play.goes_offline),
    (rf"{CLIENT} loses its connection", Play.loses_connection),
    (rf"{CLIENT} resumes", Play.resumes),
    (rf"{WHO} tries to log in at (?P<site>\w+) and is sent to (?P<home>\w+)".format("who"), Play.is_sent_home),
    (rf"{WHO} may (?P<negation>not )?log in".format("who"), Play.may_log_in),
    (rf"{CLIENT} is thrown out: (?P<condition>[a-z-]+)", Play.is_thrown_out),
    (rf"{CLIENT} says {TEXT} to {WHO}(?: as (?P<kind>\w+))?(?:, (?P<extra>[a-z-]+))?".replace("{0}", "who"), Play.says),
    (rf"{CLIENT} hears {TEXT}(?: from {WHO})?(?P<once> once)?".replace("{0}", "who"), Play.hears),
    (rf"{CLIENT} hears nothing", Play.hears_nothing),
    (rf"{CLIENT} gets a copy of {TEXT}, (?P<way>sent|received)", Play.gets_copy),
    (rf"{CLIENT} is told (?P<condition>[a-z-]+) about {TEXT}", Play.is_told),
    (rf"{CLIENT} finds (?P<texts>.+) in the archive", Play.finds),
    (rf"{CLIENT} becomes (?P<state>\w+)", Play.becomes),
    (rf"{CLIENT} sees {WHO} (?P<state>\w+)".replace("{0}", "who"), Play.sees),
    (rf"{CLIENT} asks to see {WHO}".replace("{0}", "who"), Play.asks_to_see),
    (rf"{CLIENT} is asked by {WHO}".replace("{0}", "who"), Play.is_asked),
    (rf"{CLIENT} (?P<verb>lets|refuses) {WHO}".replace("{0}", "who"), Play.answers),
    (rf"{CLIENT} lists {WHO} as (?P<state>\w+)".replace("{0}", "who"), Play.lists),
    (rf"{CLIENT} pings {WHO}: (?P<outcome>[a-z-]+)".replace("{0}", "who"), Play.pings),
)


class Misunderstood(Exception):
    """A line that is none of the sentences."""


@contextmanager
def _located(where: str) -> Iterator[None]:
    """Say in an error where it happened."""
    try:
        yield
    except BaseException as error:
        error.add_note(where)
        raise


def _understood(line: str) -> tuple[Step, dict[str, Any]]:
    for pattern, step in SENTENCES:
        match = re.fullmatch(pattern, line)
        if match is not None:
            return step, match.groupdict()
    raise Misunderstood(line)


def script(text: str) -> list[tuple[int, str]]:
    """The lines to be played, with their numbers; the first line of the text is the title."""
    numbered = enumerate((line.strip() for line in text.splitlines()), 1)
    return [(number, line) for number, line in numbered if number > 1 and line and not line.startswith("#")]
