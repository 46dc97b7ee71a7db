"""Hypothesis strategies for trees that can stand in a stream."""

from hypothesis import strategies as st

from xmpp.element import LANG, Element

CHARACTERS = st.characters(
    codec="utf-8", exclude_characters=[chr(c) for c in (*range(9), 11, 12, *range(14, 32))]
).filter(lambda character: character not in "\ufffe\uffff")
TEXTS = st.text(CHARACTERS, max_size=12)
LOCALS = st.from_regex(r"[a-zA-Z_\u00e4][a-zA-Z0-9._\u00e4-]{0,5}", fullmatch=True)
NAMESPACES = st.sampled_from(["jabber:client", "urn:a", "urn:b?x=<&\"'>", "", "http://etherx.jabber.org/streams"])


@st.composite
def names(draw: st.DrawFn) -> str:
    namespace, local = draw(NAMESPACES), draw(LOCALS)
    return f"{{{namespace}}}{local}" if namespace else local


ATTRIBUTES = st.dictionaries(st.one_of(names(), st.just(LANG)), TEXTS, max_size=3)


def joined(children: list[Element | str]) -> tuple[Element | str, ...]:
    """Children as a reader reports them: no empty text, and no two texts side by side."""
    result: list[Element | str] = []
    for child in children:
        if isinstance(child, str) and result and isinstance(result[-1], str):
            result[-1] += child
        elif child != "":
            result.append(child)
    return tuple(result)


ELEMENTS: st.SearchStrategy[Element] = st.recursive(
    st.builds(Element, names(), ATTRIBUTES),
    lambda inner: st.builds(Element, names(), ATTRIBUTES, st.lists(inner | TEXTS, max_size=4).map(joined)),
    max_leaves=12,
)
