"""docs/licences.md says what the packages themselves declare: all that an installation of Wesley brings along."""

from __future__ import annotations

import re
import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "licences.md"
_ROW = re.compile(r"^\| ([\w.-]+) \| (.+?) \| (yes|no) \|$", re.MULTILINE)
_CLASSIFIERS = {"Apache Software License": "Apache-2.0", "BSD License": "BSD", "MIT License": "MIT"}


def _project() -> dict[str, list[Requirement]]:
    data = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = {"always": data["dependencies"], "demo": data["optional-dependencies"]["demo"]}
    return {name: [Requirement(text) for text in texts] for name, texts in groups.items()}


def _closure(requirements: list[Requirement]) -> set[str]:
    """Canonical names of all that ``requirements`` bring along on this platform."""
    seen: set[tuple[str, str]] = set()
    todo = [(item.name, extra) for item in requirements for extra in ("", *item.extras)]
    while todo:
        name, extra = todo.pop()
        if (canonicalize_name(name), extra) in seen:
            continue
        seen.add((canonicalize_name(name), extra))
        for text in distribution(name).requires or ():
            item = Requirement(text)
            if item.marker is None or item.marker.evaluate({"extra": extra}):
                todo += [(item.name, further) for further in ("", *item.extras)]
    return {name for name, _ in seen}


def _declared(name: str) -> str:
    """The licence as the installed package's metadata says it: expression, else classifier, else the free text."""
    metadata = distribution(name).metadata
    if metadata["License-Expression"]:
        return str(metadata["License-Expression"])
    for classifier in metadata.get_all("Classifier") or []:
        last = classifier.rsplit(" :: ", 1)[-1]
        if classifier.startswith("License ::") and last in _CLASSIFIERS:
            return _CLASSIFIERS[last]
    return metadata["License"] or "unknown"


def _rows(names: set[str], direct: list[Requirement]) -> list[tuple[str, str, str]]:
    named = {canonicalize_name(item.name) for item in direct}
    return [(name, _declared(name), "yes" if name in named else "no") for name in sorted(names)]


def _section(title: str) -> str:
    text = PAGE.read_text(encoding="utf-8")
    start = text.index(f"## {title}")
    return text[start : text.index("\n## ", start + 1)]


@pytest.mark.parametrize("group", ["always", "demo"])
def test_tables_say_what_the_packages_declare(group: str) -> None:
    project = _project()
    names = _closure(project[group])
    if group == "demo":
        names -= _closure(project["always"])
    expected = _rows(names, project[group])
    title = {"always": "Always installed", "demo": "With the extra `demo`"}[group]
    written = _ROW.findall(_section(title))
    table = "\n".join(f"| {' | '.join(row)} |" for row in expected)
    if sys.version_info[:2] > (3, 11):
        # newer interpreters need fewer back-ports: what the oldest one needs may stand in the table too
        written = [row for row in written if row in expected]
    assert written == expected, f"docs/licences.md, {title!r}, should hold:\n{table}"


def test_copyleft_is_explained_in_readme_and_on_the_page() -> None:
    always = _closure(_project()["always"])
    copyleft = {name: _declared(name) for name in always if "GPL" in _declared(name)}
    assert copyleft.keys() == {"pglast", "psycopg", "psycopg-binary"}
    for page in (PAGE, ROOT / "README.md"):
        text = page.read_text(encoding="utf-8")
        for name, licence in copyleft.items():
            assert name.removesuffix("-binary") in text
            assert licence in text
