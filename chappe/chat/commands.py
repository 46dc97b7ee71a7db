"""What may be typed: a message, or a command that begins with a slash."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from chappe.chat.contacts import Contact
from chappe.chat.conversation import HISTORY_LIMIT, Conversation
from chappe.chat.lines import printable
from chappe.client import ClientError
from xmpp.jid import JID, InvalidJID


class Quit(Exception):
    """The person leaves."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command."""

    run: Callable[[Conversation, str], Awaitable[None]]
    usage: str
    help: str


async def execute(conversation: Conversation, line: str) -> None:
    """Do what a line says.

    Raises:
        Quit: to end.
        ClientError, StanzaError, ValueError: it cannot be done; the text says why.
    """
    if not line.startswith("/"):
        if line.strip():
            conversation.say(line)
        return
    name, _, argument = line[1:].partition(" ")
    if name.startswith("/"):
        conversation.say(line[1:])  # two slashes: a message that begins with one
        return
    command = COMMANDS.get(name)
    if command is None:
        raise ClientError(f"no command /{printable(name)}; /help shows all")
    await command.run(conversation, argument.strip())


def address(conversation: Conversation, text: str) -> JID:
    """Read an address: a colleague's local part is enough, and so is a contact's name."""
    if not text:
        raise ClientError("whom? name somebody")
    for contact in conversation.contacts.sorted():
        if text.casefold() == contact.name.casefold():
            return contact.jid
    try:
        return JID.parse(text if "@" in text else f"{text}@{conversation.client.jid.domain}").bare_jid
    except InvalidJID as error:
        raise ClientError(f"{printable(text)} is no address") from error


async def _to(conversation: Conversation, argument: str) -> None:
    await conversation.open(address(conversation, argument))


async def _contacts(conversation: Conversation, _argument: str) -> None:
    group = None
    for contact in conversation.contacts.sorted():
        if contact.item.groups[:1] != group:
            group = contact.item.groups[:1]
            conversation.note(printable(group[0]) if group else "(no group)")
        conversation.note(contact_line(contact))
    for jid in conversation.contacts.asking.values():
        conversation.note(f"{conversation.name_of(jid)} asks to be accepted")


def contact_line(contact: Contact) -> str:
    """Describe one contact."""
    mark = "*" if contact.resources else " "
    return f"  {mark} {printable(contact.jid.bare):<28} {printable(contact.name):<22} {contact_state(contact)}"


def contact_state(contact: Contact) -> str:
    """Tell about presence, or why it is not known."""
    if contact.item.is_asking:
        return "asked, no answer yet"
    return printable(str(contact.availability))


async def _add(conversation: Conversation, argument: str) -> None:
    await conversation.add(address(conversation, argument))


async def _remove(conversation: Conversation, argument: str) -> None:
    await conversation.remove(address(conversation, argument))


async def _accept(conversation: Conversation, argument: str) -> None:
    await conversation.accept(address(conversation, argument))


async def _decline(conversation: Conversation, argument: str) -> None:
    conversation.decline(address(conversation, argument))


async def _away(conversation: Conversation, argument: str) -> None:
    conversation.set_presence("away", argument)


async def _busy(conversation: Conversation, argument: str) -> None:
    conversation.set_presence("dnd", argument)


async def _back(conversation: Conversation, argument: str) -> None:
    conversation.set_presence("", argument)


async def _history(conversation: Conversation, argument: str) -> None:
    if argument and not argument.isdigit():
        raise ClientError("how many? give a number")
    await conversation.show_earlier(int(argument or HISTORY_LIMIT))


async def _help(conversation: Conversation, _argument: str) -> None:
    for command in COMMANDS.values():
        conversation.note(f"  {command.usage:<20} {command.help}")
    conversation.note("  anything else        is said to whom you are talking to")


async def _quit(_conversation: Conversation, _argument: str) -> None:
    raise Quit


COMMANDS: Mapping[str, Command] = {
    "to": Command(_to, "/to NAME", "talk to somebody, and show what was said last"),
    "contacts": Command(_contacts, "/contacts", "show your contacts; * is online"),
    "history": Command(_history, "/history [COUNT]", "show what was said before"),
    "away": Command(_away, "/away [TEXT]", "be away"),
    "busy": Command(_busy, "/busy [TEXT]", "be busy"),
    "back": Command(_back, "/back [TEXT]", "be here again"),
    "add": Command(_add, "/add NAME", "ask somebody to become a contact"),
    "accept": Command(_accept, "/accept NAME", "let somebody who asks see when you are online"),
    "decline": Command(_decline, "/decline NAME", "do not"),
    "remove": Command(_remove, "/remove NAME", "take somebody off your contacts"),
    "help": Command(_help, "/help", "show this"),
    "quit": Command(_quit, "/quit", "leave"),
}
