"""The pages of specifications: a table for people, and a DOAP file for the XSF's lists (XEP-0453)."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from edge_node.pipeline.feature import Feature, Spec
from edge_node.specs import STANZAS, STREAMS
from xmpp.element import LANG, Element, serialize

DOAP = "http://usefulinc.com/ns/doap#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XMPP_DOAP = "https://linkmauve.fr/ns/xmpp-doap#"
LICENCE = "https://www.apache.org/licenses/LICENSE-2.0"
SUMMARY = "Instant messaging for companies with many branches"

_PREFIXES = {RDF: "rdf", XMPP_DOAP: "xmpp"}
_ROOT = "<rdf:RDF"
_HEAD = "<?xml version='1.0' encoding='UTF-8'?>\n" + _ROOT
_RESOURCE = f"{{{RDF}}}resource"
_INTRODUCTION = """# Specifications

What the edge node implements, as each part declares it; [chappe.doap](chappe.doap) says the same to machines.
A note says what is left out, or which part is meant.

| Document | Version | Declared by | Note |
|---|---|---|---|
"""


class Declared(NamedTuple):
    """A specification, and who declares it."""

    by: str
    spec: Spec


def declarations(features: Sequence[Feature]) -> list[Declared]:
    """Everything that an edge implements, RFCs first, by number."""
    found = [Declared("streams", spec) for spec in STREAMS] + [Declared("stanzas", spec) for spec in STANZAS]
    found += [Declared(feature.name, spec) for feature in features for spec in feature.specs]
    return sorted(found, key=lambda each: (each.spec.document.split()[0].split("-")[0], _number(each.spec), each.by))


def xeps_page(features: Sequence[Feature]) -> str:
    """Markdown: one row per declaration."""
    return _INTRODUCTION + "".join(_row(by, spec) for by, spec in declarations(features))


def _row(by: str, spec: Spec) -> str:
    return f"| [{spec.document}]({address(spec)}) | {spec.version} | {by} | {spec.note} |\n"


def address(spec: Spec) -> str:
    """Where the document is.  Raises ValueError for one that is neither an RFC nor a XEP."""
    if spec.document.startswith("RFC "):
        return f"https://www.rfc-editor.org/rfc/rfc{_number(spec)}"
    if spec.document.startswith("XEP-"):
        return f"https://xmpp.org/extensions/xep-{_number(spec):04}.html"
    raise ValueError(f"neither an RFC nor a XEP: {spec.document}")


def _number(spec: Spec) -> int:
    digits = re.search(r"[0-9]+", spec.document)
    if digits is None:
        raise ValueError(f"a document without a number: {spec.document}")
    return int(digits[0])


def doap(features: Sequence[Feature]) -> str:
    """A description of the project in RDF/XML (XEP-0453); a XEP that is declared with a note counts as partial."""
    text = {LANG: "en"}
    project = _nested(
        f"{{{DOAP}}}Project",
        Element(f"{{{DOAP}}}name", {}, ("Chappe",)),
        Element(f"{{{DOAP}}}shortdesc", text, (SUMMARY,)),
        Element(f"{{{DOAP}}}license", {_RESOURCE: LICENCE}),
        Element(f"{{{DOAP}}}programming-language", {}, ("Python",)),
        Element(f"{{{DOAP}}}os", {}, ("Linux",)),
        Element(f"{{{DOAP}}}category", {_RESOURCE: f"{XMPP_DOAP}category-server"}),
        *_implemented(declarations(features)),
        depth=1,
    )
    document = serialize(_nested(f"{{{RDF}}}RDF", project, depth=0), DOAP, _PREFIXES).decode()
    prefixes = "".join(f"\n    xmlns:{prefix}='{namespace}'" for namespace, prefix in _PREFIXES.items())
    return _HEAD + prefixes + f"\n    xmlns='{DOAP}'" + document.removeprefix(_ROOT) + "\n"


def _implemented(declared: Sequence[Declared]) -> Iterator[Element]:
    documents: dict[str, list[Spec]] = {}
    for _, spec in declared:
        documents.setdefault(spec.document, []).append(spec)
    for document, specs in documents.items():
        if document.startswith("RFC "):
            yield Element(f"{{{DOAP}}}implements", {_RESOURCE: address(specs[0])})
        else:
            yield _nested(f"{{{DOAP}}}implements", _supported(specs), depth=2)


def _supported(specs: Sequence[Spec]) -> Element:
    note = "; ".join(spec.note for spec in specs if spec.note)
    return _nested(
        f"{{{XMPP_DOAP}}}SupportedXep",
        Element(f"{{{XMPP_DOAP}}}xep", {_RESOURCE: address(specs[0])}),
        Element(f"{{{XMPP_DOAP}}}status", {}, ("partial" if note else "complete",)),
        Element(f"{{{XMPP_DOAP}}}version", {}, (specs[0].version,)),
        *((Element(f"{{{XMPP_DOAP}}}note", {LANG: "en"}, (note,)),) if note else ()),
        depth=3,
    )


def _nested(name: str, *children: Element, depth: int) -> Element:
    """An element with its children on lines of their own."""
    lines: list[Element | str] = []
    for child in children:
        lines += ["\n" + "  " * (depth + 1), child]
    return Element(name, {}, (*lines, "\n" + "  " * depth))
