from edge_node.adapters.selection import EVERYTHING, ID_MAX, IdRange, is_backward, named_ids, paged, selected
from edge_node.features.archive.store import PageRequest, Selection


def test_a_selection_is_a_range_of_ids() -> None:
    assert selected(Selection()) == EVERYTHING
    assert selected(Selection(start_us=5, end_us=9)) == IdRange(5, 9)
    assert selected(Selection(after_id=5, before_id=9)) == IdRange(6, 8)
    assert selected(Selection(start_us=8, after_id=5, end_us=20, before_id=9)) == IdRange(8, 8)


def test_bounds_stay_within_what_a_store_can_hold() -> None:
    assert selected(Selection(start_us=2**80)).low == ID_MAX
    assert selected(Selection(end_us=-(2**80))).high == -1
    assert paged(EVERYTHING, PageRequest(1, after=2**80, before=-(2**80))) == IdRange(ID_MAX, -1)


def test_a_page_lies_beside_the_id_it_names() -> None:
    assert paged(IdRange(3, 20), PageRequest(1, after=10)) == IdRange(11, 20)
    assert paged(IdRange(3, 20), PageRequest(1, before=10)) == IdRange(3, 9)
    assert paged(IdRange(12, 20), PageRequest(1, after=10)) == IdRange(12, 20)


def test_paging_goes_back_from_before_or_from_the_end() -> None:
    assert is_backward(PageRequest(1, last=True))
    assert is_backward(PageRequest(1, before=3))
    assert not is_backward(PageRequest(1))
    assert not is_backward(PageRequest(1, after=2, before=3))


def test_every_id_that_is_named_is_collected() -> None:
    selection = Selection(after_id=1, before_id=2, ids=(3, 4))
    assert named_ids(selection, PageRequest(1, after=5, before=0)) == {0, 1, 2, 3, 4, 5}
    assert named_ids(Selection(), PageRequest(1)) == set()
