"""What a reader of the documents meets: links that lead somewhere, words explained once, nothing about this machine."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
_MACHINE_PATH = re.compile(r"(?<![\w.~/-])/(home|root|Users|work|tmp|mnt|opt)/[\w.-]+")
_REGISTRY = re.compile(
    r"https?://[^\s)\"']*(?:pypi|simple/|npm|registry|artifact|mirror|index)[^\s)\"']*", re.IGNORECASE
)


def outside_fences(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def anchor(heading: str) -> str:
    """How GitHub makes an anchor of a heading."""
    kept = (char for char in heading.strip().lower() if char in "-_ " or unicodedata.category(char)[0] in "LN")
    return "".join(kept).replace(" ", "-")


def ids(pages: list[Path]) -> list[str]:
    return [str(page.relative_to(ROOT)) for page in pages]


@pytest.mark.parametrize("page", PAGES, ids=ids(PAGES))
def test_links_resolve(page: Path) -> None:
    for target in _LINK.findall(outside_fences(page.read_text(encoding="utf-8"))):
        if target.startswith(("https://", "mailto:")):
            continue
        path, _, fragment = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{page.name} links to {target}, which does not exist"
        assert file.is_relative_to(ROOT), f"{page.name} links out of the project: {target}"
        if fragment:
            headings = {anchor(text) for text in _HEADING.findall(file.read_text(encoding="utf-8"))}
            assert fragment in headings, f"{page.name} links to {target}, which has no such heading"


def project_files() -> list[Path]:
    patterns = (
        "*.md",
        "*.toml",
        "Makefile",
        ".ci/*",
        "docs/**/*.md",
        "sessions/**/*.*",
        "styles/**/*.*",
        "wesley_tui/**/*.*",
    )
    files = {file for pattern in patterns for file in ROOT.glob(pattern) if file.is_file()}
    return sorted(file for file in files if file.suffix not in (".pyc", ".svg") and ".egg-info" not in str(file))


def test_nothing_names_this_machine_or_a_package_index() -> None:
    for file in project_files():
        text = file.read_text(encoding="utf-8")
        for pattern in (_MACHINE_PATH, _REGISTRY):
            match = pattern.search(text)
            assert match is None, f"{file.relative_to(ROOT)}: {match.group()}"


def test_the_acronyms_are_explained_once() -> None:
    for acronym in ("T.A.S.K.S.", "S.L.A.P.S."):
        places = [file for file in project_files() if acronym in file.read_text(encoding="utf-8")]
        assert places == [ROOT / "README.md"]
        assert places[0].read_text(encoding="utf-8").count(acronym) == 1


def test_readme_shows_the_two_commands_first() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    first = re.search(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert first is not None
    assert first[1].split("\n") == ["make demo", "make test", ""]


def test_make_targets_are_documented() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert phony is not None
    documented = set(
        re.findall(r"^\| `make (\w+)` \|", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert documented == set(phony[1].split())
