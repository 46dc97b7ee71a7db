from cascade.envelope import Envelope
from cascade.frame import Refusal
from central_hub.routing.router import Router
from xmpp.errors import StanzaCondition

HOMES = {"anna": "paris", "bruno": "paris", "chloe": "lyon"}
ROUTER = Router("corp.example", HOMES.get)


def envelope(sender: str, *recipients: str) -> Envelope:
    return Envelope(origin="paris", epoch=1, sequence=9, sender=sender, recipients=recipients, kind="message")


def test_home_of_bare_and_full() -> None:
    assert ROUTER.home_of("chloe@corp.example") == "lyon"
    assert ROUTER.home_of("chloe@corp.example/a@b/c") == "lyon"


def test_home_of_nobody() -> None:
    for jid in ("nobody@corp.example", "chloe@elsewhere.example", "corp.example", "chloe", "", "@corp.example"):
        assert ROUTER.home_of(jid) is None, jid


def test_one_recipient() -> None:
    routing = ROUTER.route(envelope("anna@corp.example/x", "chloe@corp.example"))
    assert (routing.parts, routing.refusals) == ({"lyon": ("chloe@corp.example",)}, ())


def test_one_part_for_each_site() -> None:
    recipients = ("chloe@corp.example/1", "bruno@corp.example", "chloe@corp.example/2")
    routing = ROUTER.route(envelope("anna@corp.example", *recipients))
    assert routing.parts == {
        "lyon": ("chloe@corp.example/1", "chloe@corp.example/2"),
        "paris": ("bruno@corp.example",),
    }


def test_unreachable_are_refused_by_condition_and_the_others_served() -> None:
    recipients = ("no@corp.example", "chloe@corp.example", "x@elsewhere.example", "neither@corp.example/r")
    routing = ROUTER.route(envelope("anna@corp.example/x", *recipients))
    assert routing.parts == {"lyon": ("chloe@corp.example",)}
    assert routing.refusals == (
        Refusal(9, StanzaCondition.ITEM_NOT_FOUND, recipients=("no@corp.example", "neither@corp.example/r")),
        Refusal(9, StanzaCondition.REMOTE_SERVER_NOT_FOUND, recipients=("x@elsewhere.example",)),
    )


def test_forged_sender_is_refused_as_a_whole() -> None:
    for sender in ("chloe@corp.example/x", "nobody@corp.example", "corp.example", "anna@elsewhere.example"):
        routing = ROUTER.route(envelope(sender, "chloe@corp.example"))
        assert routing.parts == {}
        assert [(r.sequence, r.condition, r.recipients) for r in routing.refusals] == [
            (9, StanzaCondition.FORBIDDEN, ())
        ]
