"""The plan as the database keeps it: one document as it was reviewed, and per step the content that the server runs.

Both are canonical JSON (sorted keys, no spaces), so that the same plan always has the same digest. The executor sends
a step's content digest with every call, and the server compares it with the content it is about to run.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from typing import Any

from wesley_tui.planner.codec import data_from_record, plan_from_data
from wesley_tui.planner.plan import LockMode, Plan, Step, StepKind

__all__ = [
    "STEP_SETTINGS",
    "canonical_json",
    "document_from_plan",
    "plan_digest",
    "plan_from_document",
    "sha256_hex",
    "step_content",
]

STEP_SETTINGS = {
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "bytea_output": "hex",
    "check_function_bodies": "on",
    "default_table_access_method": "heap",
    "default_tablespace": "",
    "extra_float_digits": "1",
    "row_security": "off",
    "search_path": "public, pg_temp",
    "standard_conforming_strings": "on",
    "xmloption": "content",
}
"""What the meaning of a statement may depend on, part of its content. TimeZone decides whether timestamp ↔ timestamptz
rewrites a table; ``row_security = off`` makes a statement that a policy would silently filter fail instead."""


def canonical_json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def sha256_hex(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def step_content(step: Step) -> str:
    """Everything that the server runs for this step, as canonical JSON."""
    return canonical_json(
        {
            "backfill": None
            if step.backfill is None
            else {"batch_sql": step.backfill.batch_sql, "remaining_sql": step.backfill.remaining_sql},
            "depends_on": list(step.depends_on),
            "leftover_check": [dataclasses.asdict(step.leftover_check)] if step.leftover_check else [],
            "leftover_cleanup": list(step.leftover_cleanup),
            "lock_first": _lock_first(step),
            "lock_timeout_ms": step.lock_timeout_ms,
            "postchecks": [dataclasses.asdict(check) for check in step.postchecks],
            "prechecks": [dataclasses.asdict(check) for check in step.prechecks],
            "settings": STEP_SETTINGS,
            "statement_timeout_ms": step.statement_timeout_ms,
            "statements": list(step.statements),
        }
    )


def _lock_first(step: Step) -> list[list[str]]:
    """(relation, mode) of the locks to take before the statements run, in one fixed order, where there are several.

    Not for statements that come after one that reads or writes a whole table: their locks would be held meanwhile.
    """
    several = {relation: mode for relation, mode in step.locks.items() if mode >= LockMode.ShareUpdateExclusiveLock}
    at_once = len(step.statements) == 1 or not (step.rewrites or step.scans)
    if step.kind is not StepKind.TRANSACTIONAL or len(several) < 2 or not at_once:
        return []
    return [[relation, _sql_mode(several[relation])] for relation in sorted(several)]


def _sql_mode(mode: LockMode) -> str:
    """``AccessExclusiveLock`` as LOCK TABLE spells it: ``ACCESS EXCLUSIVE``."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", mode.name.removesuffix("Lock")).upper()


def plan_digest(plan: Plan) -> str:
    """SHA-256 of the plan's document: changes with every byte of every step, also those that ``plan_id`` leaves out."""
    return sha256_hex(document_from_plan(plan))


def document_from_plan(plan: Plan) -> str:
    return canonical_json(data_from_record(plan))


def plan_from_document(document: str) -> Plan:
    """The inverse of :func:`document_from_plan`.

    KeyError, TypeError or ValueError when the text is something else.
    """
    return plan_from_data(json.loads(document))
