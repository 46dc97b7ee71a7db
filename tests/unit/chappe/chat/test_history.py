from chappe.chat.history import RESULTS_MAX, History
from chappe.chat.messages import outgoing, receipt
from tests.unit.chappe.chat.conftest import ANNA, CHLOE, PHONE, Stage
from xmpp.element import Element
from xmpp.jid import JID
from xmpp.payloads import archive
from xmpp.payloads.archive import Fin
from xmpp.payloads.delay import Delay
from xmpp.payloads.result_set import Page
from xmpp.stanza import Stanza


def result(query: Element, number: int, message: Stanza, sender: JID | None = ANNA.bare_jid) -> Stanza:
    inner = archive.render_result(message.render(), f"{number:04}", Delay(number), query.get("queryid"))
    return Stanza("message", None, None, ANNA, sender, payloads=(archive.RESULT,), inner=inner)


def archive_of(stage: Stage, *messages: Stanza, complete: bool = True, sender: JID | None = ANNA.bare_jid) -> History:
    def answer(query: Element) -> tuple[Element, ...]:
        for number, message in enumerate(messages):
            assert stage.conversation.history.take(result(query, number, message, sender))
        return (Fin(Page(), complete).element(),)

    stage.session.results[archive.QUERY] = answer
    return stage.conversation.history


def said(number: int) -> Stanza:
    return outgoing(ANNA, f"text {number}", f"m{number}").copy(sender=PHONE)


async def test_the_last_page(stage: Stage) -> None:
    history = archive_of(stage, said(0), receipt(ANNA, "m1", "r1").copy(sender=PHONE), said(2), complete=False)
    first, messages = await history.last(CHLOE, 20)
    assert first == "0000"
    assert [(each.text, each.moment_us) for each in messages] == [("text 0", 0), ("text 2", 2)]
    query = archive.read_query(stage.session.requests[-1])
    assert (query.with_, query.page.limit, query.page.before) == (CHLOE, 20, "")


async def test_there_is_nothing_before(stage: Stage) -> None:
    assert await archive_of(stage, said(0)).last(CHLOE, 20, "0005") == ("", [archived(0)])
    assert archive.read_query(stage.session.requests[-1]).page.before == "0005"


def archived(number: int) -> object:
    from chappe.chat.messages import Said  # noqa: PLC0415 - the name is taken here

    return Said(CHLOE, False, f"text {number}", f"m{number}", number)


async def test_only_the_own_archive_is_believed(stage: Stage) -> None:
    history = archive_of(stage, said(0), sender=JID.parse("mallory@corp.example"))
    assert await history.last(CHLOE, 20) == ("", [])


async def test_results_are_bounded_and_late_ones_are_swallowed(stage: Stage) -> None:
    history = archive_of(stage, *(said(number) for number in range(RESULTS_MAX + 5)))
    _, messages = await history.last(CHLOE, 20)
    assert len(messages) == RESULTS_MAX
    assert history.take(result(Element("query", {"queryid": "old"}), 1, said(1)))
    assert not history.take(said(1))
