"""Reports of a linted script as text, JSON, SARIF and GitHub annotations. Pure: text in, text out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wesley_tui.lint.rules import all_rules
from wesley_tui.lint.subject import StatementReport

__all__ = ["as_github", "as_json", "as_sarif", "as_text"]

_LEVELS = {"error": "error", "warning": "warning", "info": "note"}


def as_json(files: Sequence[tuple[str, Sequence[StatementReport]]]) -> list[dict[str, Any]]:
    """One object per statement; with several files each says which one it is from."""
    return [
        ({"file": name} if len(files) > 1 else {})
        | {
            "line": report.line,
            "sql": report.sql,
            "hazard": report.hazard.name,
            "locks": {relation: mode.name for relation, mode in report.locks.items()},
            "rewrites": list(report.rewrites),
            "scans": list(report.scans),
            "in_transaction": report.in_transaction,
            "findings": [
                {"rule": item.rule, "severity": item.severity, "message": item.message, "fix": item.fix}
                for item in report.findings
            ],
        }
        for name, reports in files
        for report in reports
    ]


def as_text(files: Sequence[tuple[str, Sequence[StatementReport]]]) -> str:
    """For people: what has a finding, or is H2 or worse."""
    lines = []
    statements = findings = 0
    for name, reports in files:
        for report in reports:
            statements += 1
            findings += len(report.findings)
            if not report.findings and report.hazard < 2:
                continue
            first = report.sql.split("\n", 1)[0]
            lines.append(f"{name}:{report.line}: {report.hazard.name} {report.hazard.word}  {first[:100]}")
            lines += [f"    {relation}: {mode.name}" for relation, mode in report.locks.items()]
            lines += [f"    {text}" for text in (*report.why, *report.notes)]
            for item in report.findings:
                lines.append(f"  {item.severity} {item.rule}: {item.message}")
                lines.append(f"    instead: {item.fix}")
    lines.append(f"{statements} statements, {findings} findings")
    return "\n".join(lines)


def as_github(files: Sequence[tuple[str, Sequence[StatementReport]]]) -> str:
    """Workflow commands that GitHub shows beside the lines of a pull request."""
    lines = []
    for name, reports in files:
        for report in reports:
            for item in report.findings:
                level = {"info": "notice"}.get(item.severity, item.severity)
                place = f"file={_property(name)},line={report.line},col={report.column},title={_property(item.rule)}"
                lines.append(f"::{level} {place}::{_data(f'{item.message}. {item.fix}')}")
    return "\n".join(lines)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def as_sarif(files: Sequence[tuple[str, Sequence[StatementReport]]], version: str) -> dict[str, Any]:
    """SARIF 2.1.0, https://docs.oasis-open.org/sarif/sarif/v2.1.0/."""
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "wesley",
                        "version": version,
                        "rules": [
                            {
                                "id": rule.id,
                                "shortDescription": {"text": rule.title},
                                "fullDescription": {"text": rule.why},
                                "help": {"text": rule.fix},
                                "defaultConfiguration": {"level": _LEVELS[rule.severity]},
                            }
                            for rule in all_rules()
                        ],
                    }
                },
                "results": [
                    {
                        "ruleId": item.rule,
                        "level": _LEVELS[item.severity],
                        "message": {"text": f"{item.message}. {item.fix}"},
                        "locations": [
                            {
                                "physicalLocation": {
                                    "artifactLocation": {"uri": name},
                                    "region": {"startLine": report.line, "startColumn": report.column},
                                }
                            }
                        ],
                    }
                    for name, reports in files
                    for report in reports
                    for item in report.findings
                ],
            }
        ],
    }
