from dataclasses import replace

import pytest

from cascade.custody import Custody, CustodyLedger, Fenced, Routing
from cascade.frame import Acknowledgement, Refusal
from cascade.spool import Extent
from tests.unit.cascade.envelopes import held


def ledger(refusals_max: int = 10, released: int = 0) -> CustodyLedger:
    book = CustodyLedger(refusals_max)
    book.resume(1, released)
    return book


def receive(book: CustodyLedger, *numbers: int, to: tuple[str, ...] = ("lyon",)) -> None:
    for number in numbers:
        assert book.receive(number)
        book.expect(number, to)


def test_the_origin_is_told_up_to_the_first_unanswered() -> None:
    book = ledger()
    receive(book, 1, 2, 4)
    assert not book.answer(1, 2, "lyon")
    assert book.take_acknowledgement() is None
    assert book.answer(1, 1, "lyon")
    assert book.take_acknowledgement() == Acknowledgement(2)
    assert book.take_acknowledgement() is None
    assert book.answer(1, 4, "lyon")
    assert (book.take_acknowledgement(), book.pending) == (Acknowledgement(4), 0)


def test_every_destination_has_to_answer() -> None:
    book = ledger()
    receive(book, 1, to=("lyon", "nice"))
    assert not book.answer(1, 1, "lyon")
    assert not book.answer(1, 1, "lyon")
    assert book.answer(1, 1, "nice")


def test_what_is_not_routed_yet_holds_back_what_follows() -> None:
    book = ledger()
    receive(book, 1)
    book.receive(2)
    receive(book, 3)
    book.answer(1, 1, "lyon")
    book.answer(1, 3, "lyon")
    assert book.take_acknowledgement() == Acknowledgement(1)
    assert book.expect(2, ())
    assert book.take_acknowledgement() == Acknowledgement(3)


def test_refusals_travel_with_the_acknowledgement_that_covers_them() -> None:
    book = ledger()
    receive(book, 1)
    book.receive(2)
    book.refuse(Refusal(2, "item-not-found"))
    assert not book.expect(2, ())
    assert book.take_acknowledgement() is None
    book.answer(1, 1, "lyon")
    assert book.take_acknowledgement() == Acknowledgement(2, (Refusal(2, "item-not-found"),))


def test_duplicates_are_recognised() -> None:
    book = ledger()
    receive(book, 5)
    assert not book.receive(5)
    assert not book.receive(4)


def test_strange_answers_change_nothing() -> None:
    book = ledger()
    receive(book, 1)
    assert not book.answer(2, 1, "lyon")
    assert not book.answer(1, 9, "lyon")
    assert not book.expect(9, ("lyon",))
    assert (book.acknowledged, book.pending) == (0, 1)


def test_a_site_that_comes_back_is_told_again_what_it_has_not_settled() -> None:
    book = ledger()
    for number in (1, 2, 3):
        book.receive(number)
        book.refuse(Refusal(number, "gone"))
        book.expect(number, ())
    receive(book, 4)
    book.take_acknowledgement()
    book.resume(1, 1)
    assert (book.acknowledged, book.received) == (3, 4)
    assert book.take_acknowledgement() == Acknowledgement(3, (Refusal(2, "gone"), Refusal(3, "gone")))
    assert not book.receive(4)
    assert book.answer(1, 4, "lyon")


def test_a_site_that_has_settled_everything_is_told_nothing() -> None:
    book = ledger()
    receive(book, 1)
    book.answer(1, 1, "lyon")
    book.resume(1, 1)
    assert book.take_acknowledgement() is None


def test_what_the_site_has_released_is_settled() -> None:
    book = ledger()
    receive(book, 1, 2)
    book.resume(1, 7)
    assert (book.acknowledged, book.received, book.pending) == (7, 7, 0)


def test_forgotten_refusals_make_the_site_send_again() -> None:
    book = ledger(refusals_max=1)
    for number in (1, 2, 3):
        book.receive(number)
        book.refuse(Refusal(number, "gone"))
        book.expect(number, ())
    book.resume(1, 2)
    assert book.take_acknowledgement() == Acknowledgement(3, (Refusal(3, "gone"),))
    book.resume(1, 0)
    assert (book.acknowledged, book.take_acknowledgement()) == (0, None)
    assert book.receive(1)


def test_what_a_fault_kept_from_being_routed_comes_again_on_the_next_link() -> None:
    book = ledger()
    receive(book, 1)
    assert book.receive(2)
    book.resume(1, 0)
    receive(book, 1, 2)
    assert book.answer(1, 1, "lyon")
    assert book.answer(1, 2, "lyon")
    assert (book.take_acknowledgement(), book.pending) == (Acknowledgement(2), 0)


def test_what_was_met_is_remembered_through_forgetting_but_not_through_an_epoch() -> None:
    book = ledger(released=5)
    receive(book, 6, 9)
    book.resume(1, 2)
    assert (book.received, book.met) == (2, 9)
    book.receive(3)
    assert book.met == 9
    book.resume(2, 0)
    assert book.met == 0


def test_epochs_are_fenced() -> None:
    book = ledger()
    receive(book, 8)
    book.resume(2, 0)
    assert book.receive(1)
    assert not book.answer(1, 8, "lyon")
    with pytest.raises(Fenced):
        book.resume(1, 8)


def custody() -> Custody:
    hub = Custody({"nice": Extent(0, 2)}, envelopes_max=10, refusals_max=10)
    hub.ledger("paris").resume(1, 0)
    hub.forwarding("lyon").linked(10)
    return hub


def test_an_envelope_goes_to_each_destination_with_its_own_recipients() -> None:
    hub = custody()
    envelope = replace(held(1), recipients=("c@lyon", "n@nice", "nobody@x"))
    hub.ledger("paris").receive(1)
    refusal = Refusal(1, "item-not-found", "", ("nobody@x",))
    assert set(hub.accept(envelope, Routing({"lyon": ("c@lyon",), "nice": ("n@nice",)}, (refusal,)))) == {
        "lyon",
        "nice",
    }
    copy = hub.forwarding("lyon").take()
    assert copy is not None
    assert copy.recipients == ("c@lyon",)
    assert hub.acknowledged("lyon", 1) == set()
    wanted = hub.forwarding("nice").wanted_append()
    assert wanted is not None
    assert [spooled.recipients for spooled in wanted] == [("n@nice",)]
    assert hub.appended("nice", [3]) == {"paris"}
    assert hub.ledger("paris").take_acknowledgement() == Acknowledgement(1, (refusal,))


def test_an_envelope_that_is_refused_wakes_its_origin() -> None:
    hub = custody()
    hub.ledger("paris").receive(1)
    assert set(hub.accept(held(1), Routing({}, (Refusal(1, "forbidden"),)))) == {"paris"}


def test_what_was_spooled_before_a_restart_answers_nobody() -> None:
    hub = custody()
    hub.forwarding("rome").offer(held(1, origin="never-met"))
    wanted = hub.forwarding("rome").wanted_append()
    assert wanted is not None
    assert hub.appended("rome", [1]) == set()
    assert {way.site for way in hub.forwardings} == {"lyon", "nice", "rome"}


def test_what_the_spool_has_stored_and_the_hub_has_not_answered_for_is_not_stored_twice() -> None:
    """The hub died between the two, and the origin sends it again."""
    hub = Custody({"nice": Extent(0, 2, {"paris": (1, 2)})}, envelopes_max=10, refusals_max=10)
    hub.ledger("paris").resume(1, 0)
    to_nice = Routing({"nice": ("n@nice",)})
    for sequence in (1, 2, 3):
        hub.ledger("paris").receive(sequence)
    assert set(hub.accept(held(1), to_nice)) == {"nice", "paris"}
    hub.accept(held(2), to_nice)
    hub.accept(held(3), to_nice)
    wanted = hub.forwarding("nice").wanted_append()
    assert wanted is not None
    assert [envelope.sequence for envelope in wanted] == [3]
    assert hub.ledger("paris").take_acknowledgement() == Acknowledgement(2)


def test_what_is_spooled_for_one_goes_to_the_others_all_the_same() -> None:
    hub = Custody({"nice": Extent(0, 2, {"paris": (1, 2)})}, envelopes_max=10, refusals_max=10)
    hub.ledger("paris").resume(1, 0)
    hub.forwarding("lyon").linked(10)
    hub.ledger("paris").receive(1)
    hub.accept(held(1), Routing({"lyon": ("c@lyon",), "nice": ("n@nice",)}))
    assert hub.ledger("paris").take_acknowledgement() is None
    assert hub.forwarding("lyon").take() is not None
    assert hub.acknowledged("lyon", 1) == {"paris"}
    assert hub.ledger("paris").take_acknowledgement() == Acknowledgement(1)
