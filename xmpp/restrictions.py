"""What XMPP takes away from XML (RFC 6120, section 11.1), as handlers and as errors."""

from typing import Final, Never
from xml.parsers import expat

from xmpp.errors import StreamCondition, StreamError

_CONDITIONS: Final = {
    11: StreamCondition.RESTRICTED_XML,  # undefined entity: none can be defined
    27: StreamCondition.BAD_NAMESPACE_PREFIX,  # unbound prefix
    28: StreamCondition.BAD_NAMESPACE_PREFIX,  # undeclared prefix
    38: StreamCondition.BAD_NAMESPACE_PREFIX,  # `xml` bound to something else
    39: StreamCondition.BAD_NAMESPACE_PREFIX,  # `xmlns` bound
    40: StreamCondition.INVALID_NAMESPACE,  # a name that is reserved for `xml` or `xmlns`
}
"""By expat's error codes; any other means that the data are not well-formed."""


def restricted_parser() -> expat.XMLParserType:
    """Return a namespace-aware UTF-8 parser that refuses comments, instructions and DTDs.

    Names come as `namespace local`.
    """
    parser = expat.ParserCreate("UTF-8", " ")
    parser.CommentHandler = _refuse_comment
    parser.ProcessingInstructionHandler = _refuse_instruction
    parser.StartDoctypeDeclHandler = _refuse_dtd
    if hasattr(parser, "SetReparseDeferralEnabled"):
        # Expat 2.6 may otherwise sit on a complete stanza until more data come.
        # What this defends against is bounded by Limits.tag_size_bytes_max.
        parser.SetReparseDeferralEnabled(False)
    return parser


def stream_error(error: expat.ExpatError, at_fault: bytes = b"") -> StreamError:
    """Return what to tell the peer.

    Args:
        error: what expat reported.
        at_fault: the byte that was refused, with the two before it.

    """
    if at_fault.startswith(b"<!") and at_fault[2:].isalpha():
        return StreamError(StreamCondition.RESTRICTED_XML, "a DTD")
    condition = _CONDITIONS.get(error.code, StreamCondition.NOT_WELL_FORMED)
    return StreamError(condition, expat.ErrorString(error.code))


def _refuse_comment(_text: str) -> Never:
    raise StreamError(StreamCondition.RESTRICTED_XML, "a comment")


def _refuse_instruction(_target: str, _data: str) -> Never:
    raise StreamError(StreamCondition.RESTRICTED_XML, "a processing instruction")


def _refuse_dtd(_name: str, _system: str | None, _public: str | None, _internal: bool) -> Never:
    raise StreamError(StreamCondition.RESTRICTED_XML, "a DTD")
