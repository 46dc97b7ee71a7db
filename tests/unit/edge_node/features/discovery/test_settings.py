import pytest
from pydantic import ValidationError

from edge_node.features.discovery.settings import ContactSettings


def test_names_only_what_is_set() -> None:
    contact = ContactSettings(admin=("mailto:admin@corp.example",), security=("https://corp.example/security",))
    assert list(contact.named()) == [
        ("admin", ("mailto:admin@corp.example",)),
        ("security", ("https://corp.example/security",)),
    ]
    assert list(ContactSettings().named()) == []


def test_has_bounds() -> None:
    with pytest.raises(ValidationError):
        ContactSettings(abuse=("x:y",) * 21)
