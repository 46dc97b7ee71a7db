from typing import get_args

import pytest

from xmpp import events
from xmpp.stanza import Stanza

OWN = sorted(
    {event for union in (events.ServerEvent, events.ClientEvent) for event in get_args(union)} - {Stanza},
    key=lambda event: event.__name__,
)


@pytest.mark.parametrize("event", OWN)
def test_an_event_is_a_fact_that_does_not_change(event: type) -> None:
    assert event.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert "__slots__" in vars(event)


def test_every_event_belongs_to_a_role() -> None:
    defined = {
        event for event in vars(events).values() if isinstance(event, type) and event.__module__ == events.__name__
    }
    assert defined == set(OWN)
