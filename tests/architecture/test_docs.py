"""Documents are in step with the code: generated pages, links, decisions, files that are named."""

import re
from pathlib import Path

import pytest

from chappe.reference.composition import composed
from chappe.reference.pages import written
from tests.architecture.tree import ROOT, text_files

DOCS = ROOT / "docs"
DECISIONS = DOCS / "adr"
PAGES = [path for path in text_files() if path.suffix == ".md" and path.name != "CHANGELOG.md"]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
NAMED_FILE = re.compile(r"`((?:xmpp|cascade|chassis|edge_node|central_hub|chappe|tests|docs|proto)/[\w./-]*\w/?)`")
MAKE = re.compile(r"(?:`|^)make ([a-z][a-z-]*)(?=[ `\n])", re.MULTILINE)
STATUSES = ("accepted", "superseded")


def names(paths: list[Path]) -> list[str]:
    return [path.relative_to(ROOT).as_posix() for path in paths]


def anchors(path: Path) -> set[str]:
    """The anchors of headings, as forges make them."""
    headings = HEADING.findall(path.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_generated_pages_are_what_the_code_says() -> None:
    pages = {DOCS / path: text for path, text in written("docs", composed()).items()}
    stale = [path for path, text in pages.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    assert names(stale) == [], "run make docs"


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_links_lead_somewhere(page: Path) -> None:
    folder = ROOT if page.name.startswith("+") else page.parent  # fragments become part of CHANGELOG.md
    broken = []
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        linked = (folder / path).resolve() if path else page
        if not linked.exists() or (anchor and anchor not in anchors(linked)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_files_that_are_named_exist(page: Path) -> None:
    named = NAMED_FILE.findall(page.read_text(encoding="utf-8"))
    assert [path for path in named if not (ROOT / path).exists() and not list(ROOT.glob(f"{path}*"))] == []


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_targets_that_are_named_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(MAKE.findall(page.read_text(encoding="utf-8"))) - targets == set()


def test_decisions_are_numbered_listed_and_have_a_status() -> None:
    paths = sorted(DECISIONS.glob("[0-9]*.md"))
    assert [int(path.name[:4]) for path in paths] == list(range(1, len(paths) + 1))
    index = (DECISIONS / "README.md").read_text(encoding="utf-8")
    for path in paths:
        text = path.read_text(encoding="utf-8")
        title = text.partition("\n")[0]
        assert re.fullmatch(rf"# {int(path.name[:4])}\. .+", title), path.name
        assert re.search(rf"^Status: ({'|'.join(STATUSES)})\b", text, re.MULTILINE), path.name
        assert f"[{title.removeprefix('# ').partition('. ')[2]}]({path.name})" in index, path.name


def test_the_checks_see_what_they_are_for(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One: two\n[a](#one-two) `edge_node/nowhere.py` `make nothing`\n")
    assert anchors(page) == {"one-two"}
    assert LINK.findall(page.read_text()) == ["#one-two"]
    assert NAMED_FILE.findall(page.read_text()) == ["edge_node/nowhere.py"]
    assert MAKE.findall(page.read_text()) == ["nothing"]
