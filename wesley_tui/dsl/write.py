"""A plan as people would write it: the same JSON that :mod:`.document` reads.

Every step is written with the operation that its statements are; several statements become ``in_one_transaction``, a
statement that no operation says ``run_sql``. What is written is read again at once, against the same database: it must
give the same statements, so nothing is ever written that would run something else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from pglast.parser import ParseError, parse_sql_json

from wesley_tui.catalog.snapshot import Snapshot
from wesley_tui.dsl.backfill import statement_of
from wesley_tui.dsl.build import build_hand_written
from wesley_tui.dsl.document import LIMITS, REASON_LENGTH, TITLE_LENGTH, VERSION, read_plan
from wesley_tui.dsl.json_text import PlanError
from wesley_tui.dsl.spelling import spelled_parts
from wesley_tui.dsl.template import Values, Wrong
from wesley_tui.dsl.tokens import split_at_commas, tokens_of
from wesley_tui.dsl.vocabulary import recognised
from wesley_tui.planner.plan import HazardClass, Plan, Step, Wave

__all__ = ["operations_in", "plan_text", "same_statement", "write_plan"]

_TAG = re.compile(r"wesley_retired_([0-9a-f]{8})_|_([0-9a-f]{8})\b")


def plan_text(plan: Plan, snapshot: Snapshot, *, title: str = "", reason: str = "") -> str:
    """:func:`write_plan` as indented JSON."""
    return json.dumps(write_plan(plan, snapshot, title=title, reason=reason), ensure_ascii=False, indent=2) + "\n"


def write_plan(plan: Plan, snapshot: Snapshot, *, title: str = "", reason: str = "") -> dict[str, Any]:
    """The document of ``plan``, which was made for ``snapshot``.

    Raises ``ValueError`` for a plan that cannot be written: one without steps, or with a step that refuses to run.
    """
    waves = [_wave(wave) for wave in plan.waves]
    if not waves:
        raise ValueError("there is nothing to do: a plan without steps cannot be written")
    count = sum(len(wave.steps) for wave in plan.waves)
    document = {
        "wesley_plan": VERSION,
        "title": _clipped(
            title or plan.title or f"{count} step{'s' if count != 1 else ''} to the declared schema", TITLE_LENGTH[1]
        ),
        "reason": _clipped(
            reason or plan.reason or "Written from a schema that was compared with the database.", REASON_LENGTH[1]
        ),
        "waves": waves,
    }
    return _verified(document, plan, snapshot)


def _clipped(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _wave(wave: Wave) -> dict[str, Any]:
    steps = [_step(step) for step in wave.steps]
    limits = _limits(wave)
    return {"name": wave.name, **({"limits": limits} if limits else {}), "steps": steps}


def _limits(wave: Wave) -> dict[str, int]:
    """What all steps of the wave have in common, as far as a document can say it."""
    found: dict[str, set[int]] = {name: set() for name in LIMITS}
    for step in wave.steps:
        found["max_lock_ms"].add(step.lock_timeout_ms)
        if step.statement_timeout_ms:
            found["max_stmt_ms"].add(step.statement_timeout_ms)
        if step.max_retries is not None:
            found["max_retries"].add(step.max_retries)
        if step.backfill is not None and step.backfill.rows_per_second is not None:
            found["rows_per_second"].add(step.backfill.rows_per_second)
    chosen = {name: next(iter(values)) for name, values in found.items() if len(values) == 1}
    return {name: value for name, value in chosen.items() if LIMITS[name][0] <= value <= LIMITS[name][1]}


def _step(step: Step) -> Values:
    if step.backfill is not None:
        values = statement_of(step.backfill)
        if values is None:
            raise ValueError(f"step {step.ordinal} ({step.op} {step.object}): its batches have no form in a document")
        return values
    if not step.statements:
        if not step.prechecks:
            raise ValueError(f"step {step.ordinal} ({step.op} {step.object}) does nothing")
        danger = {"danger": " ".join(step.why)} if step.hazard >= HazardClass.H3 and step.why else {}
        return {
            "op": "require",
            "checks": [{"sql": item.sql, "message": item.message} for item in step.prechecks],
            **danger,
        }
    retired = _retired(step)
    if retired is not None:
        return retired
    parts = [_statement(statement) for statement in step.statements]
    if len(parts) == 1:
        return parts[0]
    return _group(step, parts)


def _retired(step: Step) -> Values | None:
    """A step that retires is written as such, with the tag that its resting names have."""
    text = " ".join(step.statements)
    match = _TAG.search(text)
    tag = {"tag": match[1] or match[2]} if match else {}
    named = recognised(step.statements[-1])
    if named is None:
        return None
    match step.op:
        case "retire_column" if named["op"] == "rename_column":
            return {"op": "retire_column", "table": named["table"], "column": named["column"], **tag}
        case "retire_table" | "retire_enum":
            schema, _, name = step.object.partition(".")
            field = "table" if step.op == "retire_table" else "enum"
            return {"op": step.op, field: spelled_parts([schema, name]), **tag}
        case _:
            return None


def _statement(statement: str) -> Values:
    try:
        values = recognised(statement) or _several(statement)
    except (ParseError, ValueError):
        values = None
    return values or {"op": "run_sql", "statement": statement}


_HEAD = re.compile(r"ALTER TABLE ")


def _several(statement: str) -> Values | None:
    """ALTER TABLE with several subcommands."""
    if not _HEAD.match(statement):
        return None
    tokens = tokens_of(statement)
    if len(tokens) < 6 or tokens[3].text != ".":
        return None
    head, rest = statement[: tokens[4].end], statement[tokens[5].start :]
    actions = []
    table = ""
    for part in split_at_commas(rest):
        values = recognised(f"{head} {part}")
        if values is None or "table" not in values:
            return None
        table = values.pop("table")
        actions.append(values)
    whole = {"op": "alter_table", "table": table, "actions": actions}
    return whole if len(actions) > 1 else None


def _verified(document: dict[str, Any], plan: Plan, snapshot: Snapshot) -> dict[str, Any]:
    """``document``; a step that is read as anything else than what was planned is written as plain statements, and that
    is tried again."""
    for _ in range(1 + sum(len(wave.steps) for wave in plan.waves)):
        wrong = _differing(document, plan, snapshot)
        if wrong is None:
            return document
        wave, position, step = wrong
        plain = [{"op": "run_sql", "statement": statement} for statement in step.statements]
        if not plain or document["waves"][wave]["steps"][position] in (plain[0], _group(step, plain)):
            raise ValueError(f"step {step.ordinal} ({step.op} {step.object}) has no form in a document")
        better = [_statement(statement) for statement in step.statements]
        now = document["waves"][wave]["steps"][position]
        grouped = better[0] if len(better) == 1 else _group(step, better)
        document["waves"][wave]["steps"][position] = (
            grouped if now != grouped else plain[0] if len(plain) == 1 else _group(step, plain)
        )
    raise ValueError("the plan has no form in a document")


def _group(step: Step, parts: list[Values]) -> Values:
    label = {} if step.op == "in_one_transaction" else {"label": step.op}
    return {"op": "in_one_transaction", **label, "object": step.object, "steps": parts}


def _differing(document: dict[str, Any], plan: Plan, snapshot: Snapshot) -> tuple[int, int, Step] | None:
    """Wave, position and step of the first that is read as something else."""
    text = json.dumps(document, ensure_ascii=False).encode()
    again: Iterator[Step] | None = None
    try:
        again = build_hand_written(read_plan("", text), snapshot, profile=plan.profile).steps
    except PlanError as error:
        place = re.match(r"waves\[(\d+)\]\.steps\[(\d+)\]", error.path)
        if place is None:
            raise ValueError(str(error)) from None
        wave, position = int(place[1]), int(place[2])
        return wave, position, plan.waves[wave].steps[position]
    except Wrong as error:
        raise ValueError(str(error)) from None
    for number, wave_of in enumerate(plan.waves):
        for position, step in enumerate(wave_of.steps):
            read = next(again)
            if not _same(step, read):
                return number, position, step
    return None


def _same(step: Step, read: Step) -> bool:
    if step.backfill is not None:
        other = read.backfill
        return other is not None and (step.backfill.batch_sql, step.backfill.remaining_sql, step.backfill.key) == (
            other.batch_sql, other.remaining_sql, other.key,
        )  # fmt: skip
    return (
        step.kind is read.kind
        and len(step.statements) == len(read.statements)
        and all(map(same_statement, step.statements, read.statements))
    )


def same_statement(one: str, other: str) -> bool:
    """Whether both are the same to PostgreSQL's parser: the same tree, wherever its parts stand in the text."""
    return one == other or _tree(one) == _tree(other)


def _tree(statement: str) -> Any:
    return _without_places(json.loads(parse_sql_json(statement)))


def _without_places(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_places(item) for key, item in value.items() if not key.endswith(("location", "stmt_len"))}
    return [_without_places(item) for item in value] if isinstance(value, list) else value


def operations_in(document: dict[str, Any]) -> Iterator[Values]:
    """Every operation of a document, those within others too."""
    for wave in document["waves"]:
        for step in wave["steps"]:
            yield step
            yield from step.get("steps", ())
            yield from step.get("actions", ())
