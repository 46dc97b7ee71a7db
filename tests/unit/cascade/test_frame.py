from cascade.frame import AccountPresence, AvailableResource, Frame


def test_the_size_of_a_presence_grows_with_its_resources() -> None:
    resource = AvailableResource("phone", b"x" * 100)
    sizes = [AccountPresence("anna@x", 1, (resource,) * count).size_bytes for count in range(3)]
    assert sizes[0] > 0
    assert sizes[2] - sizes[1] == sizes[1] - sizes[0] > 100


def test_frames_do_not_share_their_lists() -> None:
    first = Frame()
    first.home_questions.append("anna@x")
    assert Frame().home_questions == []
