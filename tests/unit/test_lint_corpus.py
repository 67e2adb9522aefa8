"""Migrations as people write them: the safe ones raise no warning, the others exactly what they announce."""

from __future__ import annotations

from pathlib import Path

import pytest

from wesley_tui.lint import LintOptions, lint_script

CORPUS = sorted((Path(__file__).parents[1] / "lint_corpus").glob("*.sql"))


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_migration(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    reports = lint_script(text, LintOptions())
    assert all(report.parsed for report in reports)
    findings = [item for report in reports for item in report.findings]
    first = text.split("\n", 1)[0]
    expected = first.removeprefix("-- expect: ").split() if first.startswith("-- expect: ") else []
    found = sorted({item.rule for item in findings if expected or item.severity != "info"})
    assert found == expected
    assert path.stem.startswith("safe_") == (not expected)
    for report in reports if not expected else ():
        # What is meant to go is lost, and said so; nobody waits for long, and nothing is unknown.
        assert report.hazard < 3 or report.why[0].startswith(("is lost", "connected clients notice")), report


def test_the_corpus_is_there() -> None:
    assert len([path for path in CORPUS if path.stem.startswith("safe_")]) >= 60
