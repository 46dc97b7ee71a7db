"""Frames of WebSocket, as RFC 6455 section 5.2 has them."""

import pytest

from edge_node.listeners.websocket import text_frame


@pytest.mark.parametrize(
    ("size", "head"),
    [
        (0, "8100"),
        (5, "8105"),
        (125, "817d"),
        (126, "817e007e"),
        (65_535, "817effff"),
        (65_536, "817f0000000000010000"),
    ],
)
def test_a_text_message(size: int, head: str) -> None:
    text = b"x" * size
    assert text_frame(text) == bytes.fromhex(head) + text
