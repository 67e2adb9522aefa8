"""From the text of a script to the reports of its statements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from wesley_tui.catalog.model import Catalog, QName
from wesley_tui.lint.hazard import judge
from wesley_tui.lint.outline import outline_of
from wesley_tui.lint.rules import all_rules, rules_for
from wesley_tui.lint.script import Note, Piece, Script, read_script
from wesley_tui.lint.session import Session
from wesley_tui.lint.subject import Finding, StatementReport, Subject
from wesley_tui.planner.effects import EffectContext, Effects, effects_of_node
from wesley_tui.planner.effects.code import Body, body_of
from wesley_tui.planner.effects.tree import Node
from wesley_tui.planner.plan import HazardClass

__all__ = ["LintOptions", "lint_script", "notes_of"]

_SYNTAX_FIX = "Correct the statement; the server would refuse it, and the rest of a transaction with it."


@dataclass(frozen=True, slots=True)
class LintOptions:
    """What is known besides the script."""

    server_version_num: int = 180000
    single_transaction: bool = False
    """The whole script runs in one transaction, as with ``psql -1``."""
    catalog: Catalog | None = None
    """Of the live database; None: only what the script itself makes is known."""
    sizes: Mapping[QName, int] = field(default_factory=dict)
    """Pages by table."""
    timezone: str = "UTC"
    search_path: tuple[str, ...] = ("public",)


def lint_script(text: str, options: LintOptions) -> list[StatementReport]:
    """One report per statement, in order."""
    all_rules()
    script = read_script(text)
    context = EffectContext(
        options.server_version_num,
        options.timezone,
        options.catalog if options.catalog is not None else Catalog(),
        search_path=options.search_path,
        partial=options.catalog is None,
    )
    session = Session(context, single_transaction=options.single_transaction)
    session.outline = outline_of(piece.node for piece in script.pieces)
    return [_report(piece, position, script, session, options) for position, piece in enumerate(script.pieces)]


def notes_of(text: str) -> tuple[Note, ...]:
    """The meta-commands of a script, which are skipped."""
    return read_script(text).notes if "\\" in text else ()


def _report(piece: Piece, position: int, script: Script, session: Session, options: LintOptions) -> StatementReport:
    if piece.node is None:
        finding = Finding(
            "syntax-error", "error", f"{piece.error_line}:{piece.error_column}: {piece.error}", _SYNTAX_FIX
        )
        return StatementReport(
            piece.error_line or piece.line,
            piece.text,
            HazardClass.H3,
            {},
            (),
            (),
            True,
            (finding,),
            ("it cannot be parsed",),
            piece.error_column,
            parsed=False,
        )
    if piece.starts_file:
        session.start_file()
    session.begin(piece.node)
    effects = effects_of_node(piece.node, session.context)
    subject = _subject(piece.node, piece.text, position, effects, session, options)
    hazard, why = judge(subject)
    body = body_of(piece.node) if piece.node.tag == "DoStmt" else Body()
    findings = tuple(_kept(_found(subject), piece, script))
    if body.statements and not body.opaque:
        findings += tuple(_kept(_found_in(body, position, session, options), piece, script))
    else:
        session.end(subject, script.source[piece.start :] if piece.start else script.source)
    return StatementReport(
        piece.line,
        piece.text,
        hazard,
        effects.locks,
        effects.rewrites,
        effects.scans,
        effects.in_transaction,
        findings,
        why + tuple(f"assumed: {item}" for item in effects.assumes),
        notes=_notes(subject),
    )


def _notes(subject: Subject) -> tuple[str, ...]:
    effects = subject.effects
    rows = [f"rows of {name} are locked {effects.row_locks[name].clause}" for name in subject.others(effects.row_locks)]
    return (
        *rows,
        *(f"clients: {text}" for text in effects.notices),
        *(f"standbys: {text}" for text in effects.standbys),
        *(f"replication: {text}" for text in effects.replication),
    )


def _subject(node: Node, text: str, position: int, effects: Effects, session: Session, options: LintOptions) -> Subject:
    return Subject(
        node,
        text,
        effects,
        session.context,
        session.transaction,
        session.settings,
        options.sizes,
        session.context.created,
        session.flags,
        session.outline,
        position,
    )


def _found_in(body: Body, position: int, session: Session, options: LintOptions) -> Iterator[Finding]:
    """What the rules say of the statements of a DO block, which are one transaction."""
    session.start_block()
    said = set()
    for statement in body.statements:
        effects = effects_of_node(statement.node, session.context)
        subject = _subject(statement.node, statement.text, position, effects, session, options)
        for finding in _found(subject):
            if finding not in said:
                said.add(finding)
                yield finding
        session.end(subject, statement.text.encode())
    session.end_block()


def _found(subject: Subject) -> Iterator[Finding]:
    for rule in rules_for(subject.node.tag):
        for message in rule.check(subject):
            yield Finding(rule.id, rule.severity, message, rule.fix)


def _kept(findings: Iterator[Finding], piece: Piece, script: Script) -> Iterator[Finding]:
    ignored = {
        name
        for ignore in script.ignores
        if piece.gap_line <= ignore.line <= piece.last_line and ignore.reason
        for name in ignore.rules
        if not (ignore.line == piece.gap_line < piece.line and _trails(ignore.line, script))
    }
    for finding in findings:
        if finding.rule not in ignored:
            yield finding
    for ignore in script.ignores:
        if piece.gap_line <= ignore.line <= piece.last_line and not ignore.reason:
            yield Finding(
                "ignore-without-reason",
                "warning",
                f"wesley:ignore {', '.join(ignore.rules)} gives no reason, so it is not obeyed",
                "Say in a few words why the rule does not apply here: -- wesley:ignore RULE REASON",
            )


def _trails(line: int, script: Script) -> bool:
    """The comment stands behind the end of the statement before, which it belongs to then."""
    text = script.source.split(b"\n", line)[line - 1]
    return bool(text.split(b"--")[0].strip())
