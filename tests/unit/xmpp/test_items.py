"""What a reader reports."""

import pytest

from xmpp.errors import StreamCondition, StreamError
from xmpp.items import Fault


def test_a_fault_says_the_same_and_holds_no_frames() -> None:
    with pytest.raises(StreamError) as raised:
        raise StreamError(StreamCondition.CONFLICT, "newer") from ValueError()
    fault = Fault.of(raised.value)
    assert fault == Fault(raised.value)
    assert (fault.error.__traceback__, fault.error.__cause__) == (None, None)
