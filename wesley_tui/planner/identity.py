"""Identity: what makes a plan and a step the ones that were reviewed.

Everything that decides what is executed, checked, undone, or allowed (the hazard class decides whether ``--unsafe`` is
needed) goes into the digest, as canonical JSON. Explanations and estimates do not: they depend on statistics, and the
same plan made a minute later must be the same plan.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from wesley_tui.planner.plan import Plan, Step, StepCheck, Wave

__all__ = ["canonical_json", "plan_identity", "step_identity", "with_identity"]


def canonical_json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def plan_identity(plan: Plan) -> str:
    """SHA-256 over base, target, server, profile, scope and all operations in their waves. Not over the text of the
    schema: another comment or line end makes no other plan."""
    ordinals = {step.step_sha: step.ordinal for step in plan.steps}
    content = {
        "base": plan.base,
        "target": plan.target,
        "server_version_num": plan.server_version_num,
        "profile": plan.profile,
        "scope": plan.scope,
        "waves": [[wave.name, [_operation(step, ordinals) for step in wave.steps]] for wave in plan.waves],
    }
    return hashlib.sha256(canonical_json(content)).hexdigest()


def step_identity(plan_id: str, step: Step, ordinals: Mapping[str, int]) -> str:
    """SHA-256 over the plan's identity, the position and the operation; ``ordinals`` by ``step_sha``."""
    return hashlib.sha256(canonical_json([plan_id, step.ordinal, _operation(step, ordinals)])).hexdigest()


def _operation(step: Step, ordinals: Mapping[str, int]) -> dict[str, Any]:
    return {
        "op": step.op,
        "object": step.object,
        "ordinal": step.ordinal,
        "kind": step.kind.value,
        "statements": step.statements,
        "hazard": step.hazard.name,
        "locks": {name: mode.name for name, mode in step.locks.items()},
        "rewrites": step.rewrites,
        "scans": step.scans,
        "depends_on": sorted(ordinals[sha] for sha in step.depends_on),
        "prechecks": _checks(step.prechecks),
        "postchecks": _checks(step.postchecks),
        "undo": step.undo,
        "loses": step.loses,
        "breaks": step.breaks,
        "lock_timeout_ms": step.lock_timeout_ms,
        "statement_timeout_ms": step.statement_timeout_ms,
        "leftover_check": _checks([step.leftover_check] if step.leftover_check is not None else []),
        "leftover_cleanup": step.leftover_cleanup,
        "backfill": asdict(step.backfill) if step.backfill is not None else None,
        **({"max_retries": step.max_retries} if step.max_retries is not None else {}),
    }


def _checks(checks: Sequence[StepCheck]) -> list[list[str]]:
    return [[check.message, check.sql] for check in checks]


def with_identity(plan: Plan) -> Plan:
    """``plan`` with its identity and those of its steps. Steps come with any distinct ``step_sha``, by which
    ``depends_on`` speaks of them."""
    plan_id = plan_identity(plan)
    ordinals = {step.step_sha: step.ordinal for step in plan.steps}
    final = {step.step_sha: step_identity(plan_id, step, ordinals) for step in plan.steps}
    waves = tuple(
        Wave(
            wave.name,
            tuple(
                replace(
                    step,
                    step_sha=final[step.step_sha],
                    depends_on=tuple(final[sha] for sha in sorted(step.depends_on, key=lambda sha: ordinals[sha])),
                )
                for step in wave.steps
            ),
        )
        for wave in plan.waves
    )
    return replace(plan, plan_id=plan_id, waves=waves)
