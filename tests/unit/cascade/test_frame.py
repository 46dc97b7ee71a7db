from cascade.frame import AccountPresence, AvailableResource, Frame


def test_the_size_of_a_presence_grows_with_its_resources() -> None:
    resource = AvailableResource("phone", b"x" * 100)
    sizes = [AccountPresence("anna@x", 1, (resource,) * count).size_bytes for count in range(3)]
    assert sizes[0] > 0
    assert sizes[2] - sizes[1] == sizes[1] - sizes[0] > 100


def test_what_a_presence_names_is_weighed() -> None:
    assert AccountPresence("a" * 1000, 1, (AvailableResource("r" * 500, b""),)).size_bytes > 1500


def test_a_presence_is_brought_within_a_size_by_leaving_resources_out() -> None:
    resources = tuple(AvailableResource(name, b"x" * size) for name, size in (("a", 10), ("b", 900), ("c", 10)))
    presence = AccountPresence("anna@x", 1, resources)
    assert presence.within(presence.size_bytes) is presence
    smaller = presence.within(500)
    assert [resource.resource for resource in smaller.resources] == ["a", "c"]
    assert smaller.size_bytes <= 500
    assert (smaller.account, smaller.version) == ("anna@x", 1)


def test_frames_do_not_share_their_lists() -> None:
    first = Frame()
    first.home_questions.append("anna@x")
    assert Frame().home_questions == []
