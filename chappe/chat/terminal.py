"""Screens: a terminal with line editing, and plain lines for pipes and scripts."""

import asyncio
import sys
import threading
from collections.abc import AsyncGenerator, Iterable
from typing import Final, TextIO

from prompt_toolkit import PromptSession, print_formatted_text
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.patch_stdout import patch_stdout

from chappe.chat.commands import COMMANDS
from chappe.chat.conversation import Conversation
from chappe.chat.lines import Kind, Line, printable

STYLES: Final = {
    Kind.THEIRS: "bold ansicyan",
    Kind.OWN: "",
    Kind.NOTE: "ansibrightblack",
    Kind.PRESENCE: "ansigreen",
    Kind.ERROR: "bold ansired",
}
LINE_CHARACTERS_MAX: Final = 65_536
LINES_WAITING_MAX: Final = 1_000


class Words(Completer):
    """Completes commands, and names behind them."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """As the library asks."""
        text = document.text_before_cursor
        if not text.startswith("/"):
            return
        command, blank, name = text[1:].partition(" ")
        if not blank:
            words, typed = [f"{each} " for each in COMMANDS], command
        elif command in ("to", "accept", "decline", "remove"):
            words, typed = [self._conversation.name_of(each.jid) for each in self._conversation.contacts.sorted()], name
        else:
            return
        yield from (Completion(word, -len(typed)) for word in words if word.startswith(typed))


class Terminal:
    """A person's terminal: lines scroll by above the one that is being typed."""

    def show(self, line: Line) -> None:
        """Print above the prompt."""
        print_formatted_text(FormattedText([(STYLES[line.kind], line.text)]))

    async def lines(self, conversation: Conversation) -> AsyncGenerator[str, None]:
        """Yield what is typed, until Ctrl-D or Ctrl-C."""

        def prompt() -> str:
            return f"{conversation.name_of(conversation.peer)}> " if conversation.peer is not None else "> "

        session: PromptSession[str] = PromptSession(
            prompt,
            bottom_toolbar=lambda: status(conversation),
            completer=Words(conversation),
            complete_while_typing=True,
            erase_when_done=True,
            refresh_interval=0.5,
        )
        with patch_stdout(raw=True):
            while True:
                try:
                    yield await session.prompt_async()
                except (EOFError, KeyboardInterrupt):
                    return


def status(conversation: Conversation) -> str:
    """What stands below the prompt."""
    client = conversation.client
    state = "connected" if client.is_connected else "NOT CONNECTED, trying again ..."
    parts = [f" {client.jid.bare}: {state}"]
    contact = None if conversation.peer is None else conversation.contacts.get(conversation.peer)
    if contact is not None:
        parts.append(f"{printable(contact.name)} is {printable(str(contact.availability))}")
    if conversation.delivery:
        parts.append(f"last message: {conversation.delivery}")
    parts.append("/help")
    return "  |  ".join(parts)


class Plain:
    """Lines in, lines out; no more."""

    def __init__(self, source: TextIO = sys.stdin, target: TextIO = sys.stdout) -> None:
        self._source = source
        self._target = target

    def show(self, line: Line) -> None:
        """Write one line; what nobody said begins with a star."""
        is_said = line.kind in (Kind.THEIRS, Kind.OWN)
        self._target.write(f"{'' if is_said else '! ' if line.kind is Kind.ERROR else '* '}{line.text}\n")
        self._target.flush()

    async def lines(self, conversation: Conversation) -> AsyncGenerator[str, None]:
        """Yield lines until the end of the file."""
        waiting: asyncio.Queue[str] = asyncio.Queue()
        # A thread, because a file cannot be waited for; a daemon, because nothing ends a read of a pipe.
        room = threading.Semaphore(LINES_WAITING_MAX)
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._read, args=(loop, waiting, room), daemon=True).start()
        while line := await waiting.get():
            room.release()
            yield line.rstrip("\n")

    def _read(self, loop: asyncio.AbstractEventLoop, waiting: "asyncio.Queue[str]", room: threading.Semaphore) -> None:
        line = " "
        while line:
            line = self._source.readline(LINE_CHARACTERS_MAX)
            room.acquire()
            try:
                loop.call_soon_threadsafe(waiting.put_nowait, line)
            except RuntimeError:
                return  # the loop has ended first
