"""``wesley lint``: what hand-written SQL would do to those who use the database meanwhile. Nothing is executed."""

from __future__ import annotations

import gc
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wesley_tui.cli.exit_codes import ExitCode
from wesley_tui.cli.output import note, printable, result, result_json

if TYPE_CHECKING:
    from wesley_tui.lint.run import LintOptions
    from wesley_tui.lint.subject import StatementReport


@click.command("lint", short_help="Show the hazards of hand-written SQL.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--db", "conninfo", default="", metavar="URI", help="Ask this database for tables, sizes and version.")
@click.option("--server-version", type=click.IntRange(12, 18), default=18, show_default=True, help="Without --db.")
@click.option("--single-transaction", is_flag=True, help="The file runs in one transaction, as with psql -1.")
@click.option("--json", "form", flag_value="json", help="One object per statement, as JSON on stdout.")
@click.option("--sarif", "form", flag_value="sarif", help="SARIF 2.1.0, for code scanning.")
@click.option("--github", "form", flag_value="github", help="Annotations of a GitHub workflow.")
def command(
    files: tuple[str, ...], conninfo: str, server_version: int, single_transaction: bool, form: str | None
) -> None:
    """Show locks, rewrites, scans and hazards of each statement in FILE (SQL scripts, hand-written plans, -)."""
    gc.disable()  # one answer, then exit: collecting cycles meanwhile costs time and frees nothing
    from wesley_tui.lint.report import as_github, as_json, as_sarif, as_text
    from wesley_tui.lint.run import LintOptions, lint_script, notes_of

    if conninfo:
        from wesley_tui.services.linting import options_from

        options = options_from(conninfo, single_transaction=single_transaction)
    else:
        options = LintOptions(server_version * 10000, single_transaction)
    linted = []
    for name in files:
        text = _read(name)
        if text.lstrip().startswith("{"):
            linted.append((name, _lint_plan(name, text, options)))
            continue
        for item in notes_of(text):
            note(f"{name}:{item.line}: skipped, psql alone can run it: {item.text}")
        linted.append((name, lint_script(text, options)))
    if form == "json":
        # One statement per line: Python's encoder is many times faster without an indent.
        result("[\n" + ",\n".join(json.dumps(item, ensure_ascii=False) for item in as_json(linted)) + "\n]")
    elif form == "sarif":
        from wesley_tui import __version__

        result_json(as_sarif(linted, __version__))
    elif form == "github":
        result(printable(as_github(linted)))
    else:
        result(printable(as_text(linted)))
    reports = [report for _, found in linted for report in found]
    if not all(report.parsed for report in reports):
        sys.exit(int(ExitCode.SCHEMA_INVALID))
    if any(item.severity == "error" for report in reports for item in report.findings):
        sys.exit(int(ExitCode.FAILED))


def _lint_plan(name: str, text: str, options: LintOptions) -> list[StatementReport]:
    """A hand-written plan, statement by statement, at the lines of its steps."""
    from wesley_tui.dsl.document import read_plan
    from wesley_tui.dsl.script import lint_script_of
    from wesley_tui.lint.run import lint_script

    script = lint_script_of(read_plan(name, text.encode()))
    for line, op in script.left_out:
        note(f"{name}:{line}: {op} is judged by `wesley plan {name} --db …`: it needs the database")
    reports = lint_script(script.text, options)
    return [replace(item, line=script.lines[item.line]) for item in reports if item.line in script.lines]


def _read(name: str) -> str:
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise click.UsageError(f"{name} cannot be read: {error.strerror}") from error
    return data.decode("utf-8-sig", "replace")
