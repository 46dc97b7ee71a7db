"""What all of the wire form has in common: its numbers, and what breaks its rules."""

_NUMBER_BITS = 63


class MalformedFrame(ValueError):
    """Bytes from a peer, or from a store, that are no frame or envelope of this contract."""


def varint(number: int) -> bytes:
    """Return a number as protobuf writes it."""
    if number < 0x80:
        return bytes((number,))
    digits = bytearray()
    while number >= 0x80:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    digits.append(number)
    return bytes(digits)


def check_numbers(union: int) -> None:
    """Refuse numbers above 2^63 - 1: the others fit into every store, and may be counted up.

    Args:
        union: of the numbers, bit by bit.

    Raises:
        MalformedFrame: one of them is above.

    """
    if union >> _NUMBER_BITS:
        raise MalformedFrame("a number above 2^63 - 1")
