import pytest
from pydantic import ValidationError

from edge_node.features.archive.settings import ArchiveSettings


def test_messages_are_kept_for_ever_unless_days_are_given() -> None:
    assert ArchiveSettings().retention_seconds is None
    assert ArchiveSettings(retention_days=2).retention_seconds == 172_800


def test_the_roster_is_no_default_for_a_site() -> None:
    with pytest.raises(ValidationError):
        ArchiveSettings.model_validate({"default": "roster"})
