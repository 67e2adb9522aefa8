"""A plan as JSON, and back: what ``wesley plan -o`` writes and ``wesley apply`` reads.

The document carries everything that a plan is, so that it can be executed by a process that never saw the schema. On
the way back every digest is computed again: a document that was changed is refused, and the message says where.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Literal, TypeVar, cast

from pglast.parser import ParseError

from wesley_tui.catalog.model import QName
from wesley_tui.diff.changes import RenameQuestion
from wesley_tui.planner.identity import canonical_json, plan_identity, step_identity
from wesley_tui.planner.parse import check_statement
from wesley_tui.planner.plan import (
    WAVE_NAMES,
    Backfill,
    HazardClass,
    LockMode,
    Plan,
    Step,
    StepCheck,
    StepKind,
    Wave,
    WaveName,
)

__all__ = ["VERSION", "PlanDocumentError", "plan_from_json", "plan_to_json"]

_Member = TypeVar("_Member", HazardClass, LockMode)

VERSION = 1
"""Of the document's form; a reader refuses another one."""


class PlanDocumentError(ValueError):
    """The document is not a plan, or not the plan that was written: nothing of it may be executed."""


def plan_to_json(plan: Plan) -> dict[str, Any]:
    """JSON-ready data: the keys of the command line's contract, and what is needed to read the plan back."""
    document: dict[str, Any] = {
        "version": VERSION,
        "plan_id": plan.plan_id,
        "base": plan.base,
        "target": plan.target,
        "hazard": plan.hazard.name,
        "server_version_num": plan.server_version_num,
        "profile": plan.profile,
        "waves": [
            {"name": wave.name, "hazard": wave.hazard.name, "steps": [_step_to_json(step) for step in wave.steps]}
            for wave in plan.waves
        ],
        "unmanaged": list(plan.unmanaged),
        "questions": [
            {"kind": q.kind, "relation": list(q.relation), "old": q.old, "new": q.new, "why": q.why}
            for q in plan.questions
        ],
        "scope": list(plan.scope),
        "source": plan.source,
        "tenants": list(plan.tenants),
        "ignored": list(plan.ignored),
    }
    document["sha256"] = hashlib.sha256(canonical_json(document)).hexdigest()
    return document


def _step_to_json(step: Step) -> dict[str, Any]:
    return {
        "step_sha": step.step_sha,
        "ordinal": step.ordinal,
        "op": step.op,
        "object": step.object,
        "kind": step.kind.value,
        "sql": step.sql,
        "statements": list(step.statements),
        "hazard": step.hazard.name,
        "locks": {name: mode.name for name, mode in step.locks.items()},
        "rewrites": list(step.rewrites),
        "scans": list(step.scans),
        "in_transaction": step.in_transaction,
        "depends_on": list(step.depends_on),
        "prechecks": [asdict(check) for check in step.prechecks],
        "postchecks": [asdict(check) for check in step.postchecks],
        "undo": list(step.undo),
        "loses": step.loses,
        "breaks": step.breaks,
        "who_waits": step.who_waits,
        "why": list(step.why),
        "estimate_ms": step.estimate_ms,
        "lock_timeout_ms": step.lock_timeout_ms,
        "statement_timeout_ms": step.statement_timeout_ms,
        "leftover_check": asdict(step.leftover_check) if step.leftover_check is not None else None,
        "leftover_cleanup": list(step.leftover_cleanup),
        "backfill": asdict(step.backfill) | {"key": list(step.backfill.key)} if step.backfill is not None else None,
    }


def plan_from_json(data: Mapping[str, Any]) -> Plan:
    """The plan that was written.

    Raises :class:`PlanDocumentError` when a key is missing or has the wrong shape, when a statement is not exactly one
    statement, and when any digest differs from what the content says.
    """
    if not isinstance(data, Mapping):
        raise PlanDocumentError("this is not a plan: a plan is a JSON object")
    if data.get("version") != VERSION:
        raise PlanDocumentError(
            f"this plan has version {data.get('version')!r}, this program reads version {VERSION}: make the plan again"
        )
    try:
        plan = _read_plan(data)
    except KeyError as error:
        raise PlanDocumentError(f"this is not a whole plan: {error.args[0]!r} is missing") from None
    except (AttributeError, TypeError, ValueError) as error:
        raise PlanDocumentError(f"this is not a plan that this program wrote: {error}") from None
    _verify(plan, data)
    return plan


def _read_plan(data: Mapping[str, Any]) -> Plan:
    waves = []
    for wave in _list(data["waves"]):
        if wave["name"] not in WAVE_NAMES:
            raise ValueError(f"there is no wave {wave['name']!r}")
        steps = tuple(_read_step(step) for step in _list(wave["steps"]))
        waves.append(Wave(cast(WaveName, wave["name"]), steps))
    return Plan(
        plan_id=_text(data["plan_id"]),
        base=_text(data["base"]),
        target=_text(data["target"]),
        waves=tuple(waves),
        server_version_num=_integer(data["server_version_num"]),
        profile=_text(data["profile"]),
        scope=_texts(data["scope"]),
        unmanaged=_texts(data["unmanaged"]),
        questions=tuple(
            RenameQuestion(
                cast(Literal["table", "column"], _text(item["kind"])),
                QName(*_texts(item["relation"])),
                _text(item["old"]),
                _text(item["new"]),
                _text(item["why"]),
            )
            for item in _list(data["questions"])
        ),
        source=_text(data["source"]),
        tenants=_texts(data["tenants"]),
        ignored=_texts(data["ignored"]),
    )


def _read_step(data: Mapping[str, Any]) -> Step:
    backfill = data["backfill"]
    leftover = data["leftover_check"]
    return Step(
        step_sha=_text(data["step_sha"]),
        ordinal=_integer(data["ordinal"]),
        op=_text(data["op"]),
        object=_text(data["object"]),
        kind=StepKind(data["kind"]),
        statements=_texts(data["statements"]),
        hazard=_member(HazardClass, data["hazard"]),
        locks={_text(name): _member(LockMode, mode) for name, mode in data["locks"].items()},
        rewrites=_texts(data["rewrites"]),
        scans=_texts(data["scans"]),
        depends_on=_texts(data["depends_on"]),
        prechecks=_read_checks(data["prechecks"]),
        postchecks=_read_checks(data["postchecks"]),
        undo=_texts(data["undo"]),
        loses=_text(data["loses"]),
        breaks=_text(data["breaks"]),
        who_waits=_text(data["who_waits"]),
        why=_texts(data["why"]),
        estimate_ms=float(data["estimate_ms"]),
        lock_timeout_ms=_integer(data["lock_timeout_ms"]),
        statement_timeout_ms=_integer(data["statement_timeout_ms"]),
        leftover_check=None if leftover is None else _read_checks([leftover])[0],
        leftover_cleanup=_texts(data["leftover_cleanup"]),
        backfill=None if backfill is None else _read_backfill(backfill),
    )


def _read_backfill(data: Mapping[str, Any]) -> Backfill:
    rate = data["rows_per_second"]
    return Backfill(
        table=_text(data["table"]),
        key=_texts(data["key"]),
        batch_sql=_text(data["batch_sql"]),
        remaining_sql=_text(data["remaining_sql"]),
        batch_rows=_integer(data["batch_rows"]),
        rows_per_second=None if rate is None else _integer(rate),
    )


def _read_checks(items: Any) -> tuple[StepCheck, ...]:
    return tuple(StepCheck(_text(item["message"]), _text(item["sql"])) for item in _list(items))


def _list(value: Any) -> Sequence[Any]:
    if not isinstance(value, list | tuple):
        raise TypeError(f"expected a list, found {value!r:.60}")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected a text, found {value!r:.60}")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(_text(item) for item in _list(value))


def _integer(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"expected a whole number, found {value!r:.60}")
    return value


def _member(kind: type[_Member], name: Any) -> _Member:
    try:
        return kind[name]
    except KeyError:
        raise ValueError(f"{name!r} is not a {kind.__name__}") from None


def _verify(plan: Plan, data: Mapping[str, Any]) -> None:
    """Positions, then digests from the inside out, so that the message names the smallest thing that is wrong."""
    steps = list(plan.steps)
    if [step.ordinal for step in steps] != list(range(1, len(steps) + 1)):
        raise PlanDocumentError(
            "the steps are not numbered 1, 2, 3 …: one was removed, added or moved; make the plan again"
        )
    ordinals = {step.step_sha: step.ordinal for step in steps}
    for step in steps:
        place = f"step {step.ordinal} ({step.op} {step.object})"
        unknown = [sha for sha in step.depends_on if ordinals.get(sha, step.ordinal) >= step.ordinal]
        if unknown:
            raise PlanDocumentError(f"{place} depends on {unknown[0][:16]}, which is no earlier step of this plan")
        if step_identity(plan.plan_id, step, ordinals) != step.step_sha:
            raise PlanDocumentError(
                f"{place} is not the step that was planned: its content does not match its step_sha "
                f"{step.step_sha[:16]}; the file was changed, so make the plan again"
            )
        _verify_sql(step, place)
    if plan_identity(plan) != plan.plan_id:
        raise PlanDocumentError(
            f"the content does not match plan_id {plan.plan_id[:16]}: base, target, scope, profile, source or the "
            "list of steps was changed; make the plan again"
        )
    _verify_rest(plan, data)


def _verify_sql(step: Step, place: str) -> None:
    for statement in (*step.statements, *step.undo, *step.leftover_cleanup):
        try:
            check_statement(statement)
        except (ParseError, ValueError) as error:
            raise PlanDocumentError(f"{place}: not exactly one SQL statement: {error}") from None


def _verify_rest(plan: Plan, data: Mapping[str, Any]) -> None:
    """What follows from the rest (``sql``, ``in_transaction``, hazards of waves) must say the same, and the document as
    a whole, explanations and estimates included, must be the one that was written."""
    again = plan_to_json(plan)
    for key, value in again.items():
        if key not in ("sha256", "waves") and canonical_json(data.get(key)) != canonical_json(value):
            raise PlanDocumentError(f"{key!r} does not match the rest of the plan; make the plan again")
    for wave, given in zip(again["waves"], data["waves"], strict=True):
        if wave["hazard"] != given.get("hazard"):
            raise PlanDocumentError(f"the hazard of wave {wave['name']} does not match its steps; make the plan again")
        for step, given_step in zip(wave["steps"], given["steps"], strict=True):
            for key, value in step.items():
                if canonical_json(given_step.get(key)) != canonical_json(value):
                    raise PlanDocumentError(
                        f"step {step['ordinal']} ({step['op']} {step['object']}): {key!r} does not match the rest of "
                        "the step; make the plan again"
                    )
    content = {key: value for key, value in data.items() if key != "sha256"}
    if hashlib.sha256(canonical_json(content)).hexdigest() != data.get("sha256"):
        raise PlanDocumentError("the document does not match its sha256: a text in it was changed; make the plan again")
