"""A plan as an SQL script: to read, to diff, to keep in a repository. Running it by hand gives up the ledger, the
checks between the steps and the retries; its head says so."""

from __future__ import annotations

from collections.abc import Iterator

from wesley_tui.planner.format import format_sql
from wesley_tui.planner.plan import Plan, Step


def sql_script(plan: Plan) -> str:
    """The statements in their order, with what they lock; nothing to do is a comment."""
    return "\n".join(_lines(plan)) + "\n"


def _lines(plan: Plan) -> Iterator[str]:
    yield f"-- plan {plan.plan_id}"
    if not plan.waves:
        yield "-- nothing to do"
        return
    yield "-- To read. `wesley apply` runs the same statements with checks, retries, a ledger and a way back."
    for wave in plan.waves:
        yield ""
        yield f"-- wave {wave.name} ({wave.hazard.name} {wave.hazard.word})"
        for step in wave.steps:
            yield ""
            yield from _step(step)


def _step(step: Step) -> Iterator[str]:
    locks = ", ".join(f"{mode.name} on {relation}" for relation, mode in step.locks.items()) or "no table lock"
    yield f"-- {step.ordinal}. {step.hazard.name} {step.op} {_one_line(step.object)}: {_one_line(locks)}"
    if step.backfill is not None:
        key = _one_line(", ".join(step.backfill.key))
        yield f"-- in batches along ({key}), $1 the last key, $2 the number of rows:"
        yield "\n".join(f"--   {line}" for line in format_sql(step.backfill.batch_sql).splitlines())
        return
    if not step.in_transaction:
        yield "-- outside a transaction"
    for statement in step.statements:
        yield format_sql(statement) + ";"


def _one_line(text: str) -> str:
    """Names are other people's: a line break in one must not end the comment that shows it."""
    return " ".join(text.split("\n")).replace("\r", " ")
