from dataclasses import replace

import pytest

from edge_node.pipeline.traits import CACHED_CHARACTERS_MAX, Traits, traits_of
from xmpp import namespaces as ns

BODY = "{jabber:client}body"
SUBJECT = "{jabber:client}subject"
THREAD = "{jabber:client}thread"
COMPOSING = f"{{{ns.CHAT_STATES}}}composing"
ACTIVE = f"{{{ns.CHAT_STATES}}}active"
REQUEST = f"{{{ns.RECEIPTS}}}request"
RECEIPT = f"{{{ns.RECEIPTS}}}received"
MARKABLE = f"{{{ns.CHAT_MARKERS}}}markable"
DISPLAYED = f"{{{ns.CHAT_MARKERS}}}displayed"
PROPOSE = f"{{{ns.JINGLE_MESSAGE}}}propose"
OMEMO = f"{{{ns.OMEMO}}}encrypted"
OPENPGP = f"{{{ns.OPENPGP}}}openpgp"
REACTIONS = f"{{{ns.REACTIONS}}}reactions"
RETRACT = f"{{{ns.RETRACT}}}retract"
ROOM = f"{{{ns.MUC_USER}}}x"
INVITATION = f"{{{ns.CONFERENCE}}}x"
STORE = f"{{{ns.HINTS}}}store"
NO_STORE = f"{{{ns.HINTS}}}no-store"
NO_PERMANENT_STORE = f"{{{ns.HINTS}}}no-permanent-store"
NO_COPY = f"{{{ns.HINTS}}}no-copy"
PRIVATE = f"{{{ns.CARBONS}}}private"
ORIGIN_ID = f"{{{ns.STANZA_ID}}}origin-id"
STANZA_ID = f"{{{ns.STANZA_ID}}}stanza-id"
ERROR = "{jabber:client}error"
OTHER = "{urn:example}thing"

A, W, S, R = "archived", "offline", "copied_when_sent", "copied_when_received"
ALL = {A, W, S, R}

CASES: list[tuple[str | None, tuple[str, ...], set[str]]] = [
    # Conversation.
    ("chat", (BODY,), ALL),
    ("normal", (BODY,), ALL),
    (None, (BODY,), ALL),
    ("nonsense", (BODY,), ALL),
    ("chat", (BODY, ACTIVE, REQUEST, MARKABLE, ORIGIN_ID), ALL),
    ("normal", (SUBJECT,), {W}),
    ("chat", (OMEMO,), ALL),
    ("normal", (OPENPGP,), ALL),
    ("chat", (REACTIONS,), ALL),
    ("chat", (RETRACT,), ALL),
    ("chat", (PROPOSE, STORE), ALL),
    ("normal", (PROPOSE,), ALL),
    # What is worth nothing later.
    ("chat", (COMPOSING,), {S, R}),
    ("chat", (COMPOSING, THREAD), {S, R}),
    ("normal", (COMPOSING,), {S, R}),
    ("chat", (MARKABLE,), {S, R}),
    ("chat", (), {S, R}),
    ("normal", (), set()),
    # Receipts and markers.
    ("chat", (RECEIPT,), ALL),
    ("normal", (RECEIPT,), ALL),
    (None, (DISPLAYED,), ALL),
    ("error", (RECEIPT, ERROR), {S, R}),
    ("error", (DISPLAYED, ERROR), {S, R}),
    # Payloads that nobody here knows.
    ("normal", (OTHER,), {W}),
    ("chat", (OTHER,), {W, S, R}),
    # Rooms.
    ("groupchat", (BODY,), set()),
    ("groupchat", (BODY, STORE), set()),
    ("chat", (BODY, ROOM), {A, W, S}),
    ("normal", (ROOM,), ALL),
    ("normal", (ROOM, BODY), ALL),
    (None, (INVITATION,), ALL),
    # Headlines.
    ("headline", (BODY,), set()),
    ("headline", (BODY, STORE), {A}),
    # Errors: their hints are those of the message that they answer.
    ("error", (BODY, ERROR), {S, R}),
    ("error", (ERROR,), set()),
    ("error", (OTHER, ERROR), set()),
    ("error", (BODY, STORE, ERROR), {S, R}),
    ("error", (BODY, PRIVATE, ERROR), set()),
    # Hints.
    ("chat", (BODY, NO_STORE), {S, R}),
    ("chat", (BODY, NO_PERMANENT_STORE), {W, S, R}),
    ("chat", (BODY, NO_COPY), {A, W}),
    ("chat", (BODY, PRIVATE), {A, W}),
    ("chat", (BODY, PRIVATE, NO_COPY, NO_STORE), set()),
    ("chat", (COMPOSING, STORE), ALL),
    ("normal", (OTHER, STORE), {A, W}),
    ("chat", (BODY, STORE, NO_STORE), {S, R}),
    ("chat", (BODY, STORE, NO_PERMANENT_STORE), {W, S, R}),
]


@pytest.mark.parametrize(("type_", "payloads", "expected"), CASES)
def test_table(type_: str | None, payloads: tuple[str, ...], expected: set[str]) -> None:
    traits = traits_of(type_, payloads)
    assert {name for name in ALL if getattr(traits, name)} == expected


def test_an_unknown_type_is_normal() -> None:
    assert [traits_of(each, ()).type for each in (None, "nonsense", "chat", "error")] == [
        "normal",
        "normal",
        "chat",
        "error",
    ]


def test_body_and_stanza_id_are_noticed() -> None:
    assert traits_of("chat", (BODY,)).has_body
    assert not traits_of("chat", (OTHER,)).has_body
    assert traits_of("chat", (STANZA_ID,)).has_stanza_id
    assert not traits_of("chat", (ORIGIN_ID,)).has_stanza_id


def test_what_would_wait_is_kept_and_so_are_errors() -> None:
    kept = [traits_of(*each).kept for each in (("chat", (BODY,)), ("error", (BODY,)), ("error", ()))]
    assert kept == [True] * 3
    assert not any(traits_of(*each).kept for each in (("chat", (COMPOSING,)), ("groupchat", (BODY,))))


def test_equal_questions_share_their_answer() -> None:
    assert traits_of("chat", (BODY, ACTIVE)) is traits_of("chat", (BODY, ACTIVE))


def test_long_lists_of_names_are_answered_but_not_kept() -> None:
    names = (BODY, f"{{urn:example}}{'x' * CACHED_CHARACTERS_MAX}")
    first, second = traits_of("chat", names), traits_of("chat", names)
    assert first == second == replace(traits_of("chat", (BODY,)))
    assert first is not second


def test_traits_say_nothing_else() -> None:
    assert traits_of("headline", ()) == Traits(
        type="headline",
        archived=False,
        offline=False,
        kept=False,
        copied_when_sent=False,
        copied_when_received=False,
        has_body=False,
        has_stanza_id=False,
    )
