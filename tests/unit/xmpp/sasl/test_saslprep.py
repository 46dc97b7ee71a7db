import pytest

from xmpp.sasl.saslprep import saslprep


@pytest.mark.parametrize(
    ("text", "prepared"),
    [
        ("", ""),
        ("user", "user"),
        ("x" * 1024, "x" * 1024),
        ("USER", "USER"),
        ("with space", "with space"),
        ("I\u00adX", "IX"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("a\u00a0b", "a b"),
        ("pä\u0308ss", "pä\u0308ss"),
        ("a\u0308", "ä"),
        ("\u0627\u0628", "\u0627\u0628"),
    ],
)
def test_what_two_sides_must_agree_on_is_brought_into_one_form(text: str, prepared: str) -> None:
    assert saslprep(text) == prepared


def test_a_user_name_may_be_newer_than_the_specification() -> None:
    assert saslprep("\ua64b", allows_unassigned=True) == "\ua64b"
    with pytest.raises(ValueError, match=r"U\+0007 is not allowed"):
        saslprep("\ua64b\u0007", allows_unassigned=True)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("\u0007", r"U\+0007 is not allowed"),
        ("\U0001f600", r"U\+1F600 is not allowed"),  # not in Unicode 3.2
        ("\ue000", "not allowed"),
        ("\u0627\u0031", "must begin and end"),
        ("\u0031\u0627", "must begin and end"),
        ("\u0627a\u0627", "mixed"),
        ("x" * 1025, "longer than 1024 characters"),
        ("\ufdfa" * 57, "longer than 1024 characters"),  # 18 each
    ],
)
def test_what_is_prohibited_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        saslprep(text)
