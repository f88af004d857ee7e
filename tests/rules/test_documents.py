"""What is written for people: the links lead somewhere, and the project speaks of itself alone."""

import re

from tests.rules.tree import ROOT, files, shown

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
ADDRESS = re.compile(r"^[a-z]+:")
# A path of one machine, or a document that is not here.
ELSEWHERE = re.compile(r"(?<![\w.>-])/(?:home|root|work|Users)/[a-z]|\b(?:DESIGN|STYLE)\.md\b")


def test_links_lead_somewhere() -> None:
    broken = []
    for page in files():
        if page.suffix != ".md":
            continue
        for target in LINK.findall(page.read_text()):
            if ADDRESS.match(target) or target.startswith("#"):
                continue
            if not (page.parent / target.split("#")[0]).exists():
                broken.append(f"{shown(page)}: {target}")
    assert not broken, broken


def test_every_page_of_the_docs_is_found_from_the_index() -> None:
    index = (ROOT / "docs/index.md").read_text()
    missing = [page.name for page in (ROOT / "docs").glob("*.md") if page.name != "index.md" and page.name not in index]
    assert not missing, f"docs/index.md does not mention {missing}"


def test_the_documents_of_a_project_exist() -> None:
    for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE"):
        assert (ROOT / name).stat().st_size > 500, name
    assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text()


def test_nothing_points_to_another_machine() -> None:
    here = ROOT / "tests/rules/test_documents.py"
    found = []
    for path in files():
        if path == here or path.suffix in {".lock", ".png", ".woff2"}:
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if ELSEWHERE.search(line):
                found.append(f"{shown(path)}:{number}: {line.strip()[:80]}")
    assert not found, found
