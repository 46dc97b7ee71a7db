"""The generated pages: what is in them, and how the command writes them."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner
from prometheus_client import CollectorRegistry

from chappe.cli import main
from chappe.reference.composition import Composed, composed
from chappe.reference.figures import metrics_page
from chappe.reference.pages import PAGES, written
from chappe.reference.specifications import DOAP, RDF, XMPP_DOAP, Declared, address, declarations, doap, xeps_page
from edge_node.pipeline.feature import Feature, Spec
from edge_node.specs import STANZAS, STREAMS

FEATURES = (
    Feature(name="ping", specs=(Spec("XEP-0199", "2.0.1"),)),
    Feature(name="archive", specs=(Spec("XEP-0334", "1.0.0", "store"),)),
    Feature(name="carbons", specs=(Spec("XEP-0334", "1.0.0", "no-copy & more"),)),
)


def test_declarations_are_everybodys_in_order() -> None:
    found = declarations(FEATURES)
    assert len(found) == len(STREAMS) + len(STANZAS) + 3
    assert [each.spec.document for each in found] == sorted(each.spec.document for each in found)
    assert Declared("ping", FEATURES[0].specs[0]) in found


def test_addresses() -> None:
    assert address(Spec("XEP-0030")) == "https://xmpp.org/extensions/xep-0030.html"
    assert address(Spec("RFC 6120")) == "https://www.rfc-editor.org/rfc/rfc6120"


@pytest.mark.parametrize("document", ["ISO 8601", "XEP-next"])
def test_other_documents_are_a_mistake(document: str) -> None:
    with pytest.raises(ValueError, match=document):
        address(Spec(document))


def test_the_table_has_a_row_for_each_declaration() -> None:
    page = xeps_page(FEATURES)
    assert "| [XEP-0199](https://xmpp.org/extensions/xep-0199.html) | 2.0.1 | ping |  |\n" in page
    assert page.count("XEP-0334]") == 2


def test_the_description_of_the_project_names_each_document_once() -> None:
    root = ET.fromstring(doap(FEATURES))  # noqa: S314 - written a line above
    resource = f"{{{RDF}}}resource"
    xeps = {
        element.find(f"{{{XMPP_DOAP}}}xep").attrib[resource][-9:-5]: element  # type: ignore[union-attr] # or it fails
        for element in root.iter(f"{{{XMPP_DOAP}}}SupportedXep")
    }
    hints = xeps["0334"]
    assert hints.findtext(f"{{{XMPP_DOAP}}}status") == "partial"
    assert hints.findtext(f"{{{XMPP_DOAP}}}note") == "store; no-copy & more"
    assert xeps["0199"].findtext(f"{{{XMPP_DOAP}}}status") == "complete"
    documents = [
        element.attrib[resource] for element in root.iter(f"{{{DOAP}}}implements") if resource in element.attrib
    ]
    assert (
        len(documents) == len(set(documents)) == len({s.document for s in (*STREAMS, *STANZAS) if "RFC" in s.document})
    )


def test_every_feature_declares_what_it_implements() -> None:
    assert [feature.name for feature in composed().features if not feature.specs] == []


def test_metrics_are_named_as_they_are_shown() -> None:
    page = metrics_page(composed())
    assert "| `edge_custody_commits_total` | counter | Commits. |" in page
    assert "| `hub_spool_bytes` | gauge | Bytes that wait for the site. |" in page
    assert metrics_page(Composed((), *(CollectorRegistry() for _ in range(3)))).count("| Metric |") == 3


def test_subjects_are_parts_of_the_whole() -> None:
    everything = composed()
    parts = [path for subject in PAGES for path in written(subject, everything)]
    assert sorted(parts) == sorted(written("docs", everything))


def test_the_command_writes_what_is_missing_and_then_has_nothing_to_do(tmp_path: Path) -> None:
    arguments = ["reference", "docs", "--folder", str(tmp_path)]
    stale = CliRunner().invoke(main, [*arguments, "--check"])
    assert (stale.exit_code, "xeps.md" in stale.output) == (1, True)
    assert list(tmp_path.iterdir()) == []
    assert "xeps.md" in CliRunner().invoke(main, arguments).output
    assert (tmp_path / "operations" / "hub-settings.md").read_text().startswith("# Settings of the central hub\n")
    assert CliRunner().invoke(main, [*arguments, "--check"]).exit_code == 0
    assert CliRunner().invoke(main, arguments).output == ""
