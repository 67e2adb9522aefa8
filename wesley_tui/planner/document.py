"""A plan as JSON, and back: what ``wesley plan -o`` writes and ``wesley apply`` reads.

The document carries everything that a plan is, so that it can be executed by a process that never saw the schema. On
the way back every digest is computed again: a document that was changed is refused, and the message says where.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from pglast.parser import ParseError

from wesley_tui.planner.codec import data_from_record, plan_from_data
from wesley_tui.planner.identity import canonical_json, plan_identity, step_identity
from wesley_tui.planner.parse import check_statement
from wesley_tui.planner.plan import Plan, Step

__all__ = ["VERSION", "PlanDocumentError", "plan_from_json", "plan_to_json"]

VERSION = 1
"""Of the document's form; a reader refuses another one."""
BESIDE = ("policy", "verdict", "risk", "warnings")
"""Keys that the command line adds to what it prints: they say what the plan was thought of, and are no part of it."""


class PlanDocumentError(ValueError):
    """The document is not a plan, or not the plan that was written: nothing of it may be executed."""


def plan_to_json(plan: Plan) -> dict[str, Any]:
    """JSON-ready data: the keys of the command line's contract, and what is needed to read the plan back."""
    data = data_from_record(plan)
    for wave, waves in zip(plan.waves, data["waves"], strict=True):
        steps = [_with_what_follows(step, given) for step, given in zip(wave.steps, waves["steps"], strict=True)]
        waves |= {"hazard": wave.hazard.name, "steps": steps}
    document: dict[str, Any] = {"version": VERSION, **data, "hazard": plan.hazard.name}
    document["sha256"] = hashlib.sha256(canonical_json(document)).hexdigest()
    return document


def _with_what_follows(step: Step, data: dict[str, Any]) -> dict[str, Any]:
    return {**data, "sql": step.sql, "in_transaction": step.in_transaction}


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
        plan = plan_from_data(data)
    except KeyError as error:
        raise PlanDocumentError(f"this is not a whole plan: {error.args[0]!r} is missing") from None
    except (AttributeError, TypeError, ValueError) as error:
        raise PlanDocumentError(f"this is not a plan that this program wrote: {error}") from None
    _verify(plan, data)
    return plan


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
    content = {key: value for key, value in data.items() if key not in ("sha256", *BESIDE)}
    if hashlib.sha256(canonical_json(content)).hexdigest() != data.get("sha256"):
        raise PlanDocumentError("the document does not match its sha256: a text in it was changed; make the plan again")
