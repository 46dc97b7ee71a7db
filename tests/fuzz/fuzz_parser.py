"""Feeds a stream reader with anything, whole and in pieces; `make fuzz` runs it.

What must hold: nothing is raised, the pieces do not change what is read, and every
stanza that is accepted can be written, and read again from the bytes alone.
"""

import sys

import atheris

with atheris.instrument_imports():
    from xmpp.element import parse_fragment
    from xmpp.parser import Fault, Item, Limits, ParserPool, StreamReader
    from xmpp.stanza import Stanza

HEADER = b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
LIMITS = Limits(depth_max=8, elements_max=64, tag_size_bytes_max=65_536)


def read(pieces: list[bytes]) -> list[Item]:
    reader = StreamReader(ParserPool(LIMITS))
    return [item for piece in pieces for item in reader.receive(piece)]


def check(data: bytes) -> None:
    if not data:
        return
    cut, stream = data[0], HEADER + data[1:]
    whole = read([stream])
    begin = len(HEADER) + cut
    pieces = read([HEADER, stream[len(HEADER) : begin], *(stream[at : at + 1] for at in range(begin, len(stream)))])
    if [said(item) for item in pieces] != [said(item) for item in whole]:
        raise AssertionError("pieces were read differently")
    for item in whole:
        if isinstance(item, Stanza):
            check_stanza(item)


def said(item: Item) -> object:
    return item.error.condition if isinstance(item, Fault) else item


def check_stanza(stanza: Stanza) -> None:
    again = StreamReader(ParserPool(Limits())).receive_frame(stanza.render())
    if again != stanza.copy(malformed=None):
        raise AssertionError("a stanza was not read back")
    (element,) = parse_fragment(stanza.render())
    if isinstance(element, str) or tuple(child.name for child in element.elements) != stanza.payloads:
        raise AssertionError("the payload's names are wrong")


if __name__ == "__main__":
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()
