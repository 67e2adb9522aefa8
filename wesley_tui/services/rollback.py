"""Taking a run back: its undo statements, last step first, as a plan of its own that is shown, reviewed and executed
like any other.

What a step has lost stays lost, and what it wrote into rows that were there before stays written; both are said before
anything runs. The last step of the undo plan marks the run as rolled back, in the transaction that ends it: an undo
that was interrupted is resumed like any run, and the run is never called rolled back too early.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from wesley_tui.planner.plan import HazardClass, Plan, Step, StepKind, Wave
from wesley_tui.services.errors import RunRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from wesley_tui.catalog.snapshot import Snapshot
    from wesley_tui.executor.ledger import RunSummary
    from wesley_tui.executor.review import ReviewToken
    from wesley_tui.executor.run import Run
    from wesley_tui.services.runs import Listen, RunReport
    from wesley_tui.services.target import Target

__all__ = ["Undo", "plan_undo", "roll_back", "start_undo", "undo_of"]


@dataclass(frozen=True, slots=True)
class Undo:
    """What it takes to go back."""

    run_id: int
    plan: Plan
    """The undo plan; without waves when nothing of the run has succeeded."""
    stays: tuple[str, ...]
    """What it does not bring back, one sentence each."""
    base: str
    """Fingerprint of the catalog before the run, within the plan's scope."""

    def text(self) -> str:
        """For the person who decides."""
        steps = list(self.plan.steps)
        lines = [f"undo of run {self.run_id}: {len(steps)} step(s), {self.plan.hazard.name} {self.plan.hazard.word}"]
        for step in steps:
            lines.append(f"  {step.ordinal:>3}. {step.hazard.name} {step.op} {step.object}")
            lines += [f"         {statement}" for statement in step.statements]
            if step.loses:
                lines.append(f"       loses: {step.loses}")
            if step.breaks:
                lines.append(f"       breaks: {step.breaks}")
            if step.who_waits not in ("", "nobody"):
                lines.append(f"       waits: {step.who_waits}")
        lines += [f"  stays: {text}" for text in self.stays]
        return "\n".join(lines)


def undo_of(target: Target, run_id: int | None = None) -> Undo:
    """The undo of run ``run_id`` (None: the last one), made for the database as it is now.

    ``RunRefused`` when the run is under way, was taken back already, or a later run stands on it.
    """
    from wesley_tui.executor import ledger
    from wesley_tui.executor.events import RunStatus
    from wesley_tui.executor.stored import plan_from_document

    runs = ledger.history(target.conninfo, 10_000)
    run = next((run for run in runs if run_id in (None, run.run_id)), None)
    if run is None:
        raise RunRefused(f"there is no run to roll back on {target.label}; list them with: wesley history")
    if run.owned:
        raise RunRefused(f"run {run.run_id} is under way: cancel it first (wesley cancel), then roll it back")
    if run.status is RunStatus.ROLLED_BACK:
        raise RunRefused(f"run {run.run_id} was rolled back already")
    plan = plan_from_document(ledger.plan_document(target.conninfo, run.plan_id))
    if any(step.op == _MARK for step in plan.steps):
        raise RunRefused(f"run {run.run_id} is a rollback itself: plan the schema again instead")
    _refuse_later(run, runs, target)
    plan, done = _as_found(target, plan, ledger.succeeded(target.conninfo, run.plan_id))
    snapshot = asyncio.run(target.snapshot(None))
    return plan_undo(run.run_id, plan, done, snapshot)


def _as_found(target: Target, plan: Plan, done: Collection[str]) -> tuple[Plan, set[str]]:
    """The plan and what of it has happened, by looking: a step outside a transaction may have ended, or left something
    half-made, when nobody was there any more to hear of it. What it left half-made is what there is to undo of it."""
    from wesley_tui.executor import ledger

    begun = ledger.begun(target.conninfo, plan.plan_id)
    found: dict[str, Step] = {}
    for step in plan.steps:
        if step.step_sha not in begun:
            continue
        if step.postchecks and ledger.holds(target.conninfo, step.postchecks):
            found[step.step_sha] = step
        elif step.leftover_check is not None and ledger.holds(target.conninfo, [step.leftover_check]):
            found[step.step_sha] = replace(step, undo=step.leftover_cleanup)
    waves = tuple(
        replace(wave, steps=tuple(found.get(step.step_sha, step) for step in wave.steps)) for wave in plan.waves
    )
    return replace(plan, waves=waves), {*done, *found}


def _refuse_later(run: RunSummary, runs: Sequence[RunSummary], target: Target) -> None:
    from wesley_tui.executor import ledger
    from wesley_tui.executor.events import RunStatus
    from wesley_tui.executor.stored import plan_from_document

    for later in runs:
        if later.run_id <= run.run_id or later.plan_id == run.plan_id or later.status is RunStatus.ROLLED_BACK:
            continue
        if not ledger.succeeded(target.conninfo, later.plan_id):
            continue
        plan = plan_from_document(ledger.plan_document(target.conninfo, later.plan_id))
        if not any(step.op == _MARK for step in plan.steps):
            raise RunRefused(
                f"run {later.run_id} has changed the database since run {run.run_id}: roll that back first"
            )


def plan_undo(run_id: int, plan: Plan, done: Collection[str], snapshot: Snapshot) -> Undo:
    """The undo of the steps ``done`` (by ``step_sha``), with effects and hazards as of ``snapshot``."""
    from wesley_tui.catalog.fingerprint import fingerprint
    from wesley_tui.planner.identity import with_identity

    succeeded = [step for step in plan.steps if step.step_sha in done]
    steps = list(_numbered(_undo_steps(succeeded, plan, snapshot)))
    if succeeded:
        steps.append(_mark(run_id, steps))
    undo = Plan(
        plan_id="",
        base=fingerprint(snapshot.catalog, plan.scope),
        target=plan.base,
        waves=(Wave("CONTRACT", tuple(steps)),) if steps else (),
        server_version_num=snapshot.server_version_num,
        profile=plan.profile,
        scope=plan.scope,
    )
    return Undo(run_id, with_identity(undo), tuple(_stays(succeeded)), plan.base)


def _undo_steps(succeeded: Sequence[Step], plan: Plan, snapshot: Snapshot) -> Iterator[Step]:
    """Last step first; what cannot run in a transaction stands alone."""
    from wesley_tui.planner.build import step_of
    from wesley_tui.planner.effects import EffectContext, effects_of, effects_of_all
    from wesley_tui.planner.operations import Operation, Phase
    from wesley_tui.planner.profiles import profile_named
    from wesley_tui.planner.rates import ASSUMED

    profile = profile_named(plan.profile)
    sizes = {str(name): size for name, size in snapshot.sizes.items()}
    context = EffectContext(snapshot.server_version_num, snapshot.timezone, snapshot.catalog)
    for step in reversed(succeeded):
        alone = any(not effects_of(statement, context).in_transaction for statement in step.undo)
        for statements in [(text,) for text in step.undo] if alone else [step.undo] if step.undo else []:
            effects, context = effects_of_all(statements, context)
            effects = replace(effects, loses=tuple(text for text in effects.loses if not _is_ours(text)))
            kind = StepKind.TRANSACTIONAL if effects.in_transaction else StepKind.AUTOCOMMIT
            operation = Operation(
                op=f"undo_{step.op}",
                object=step.object,
                wave="CONTRACT",
                phase=Phase.DROP_TABLE,
                statements=statements,
                kind=kind,
                unbounded=kind is StepKind.AUTOCOMMIT or bool(effects.scans or effects.rewrites),
            )
            undone = step_of(operation, effects, sizes=sizes, rates=ASSUMED, profile=profile)
            yield _with_leftover(undone) if kind is StepKind.AUTOCOMMIT else undone


def _is_ours(lost: str) -> bool:
    """Whether what goes was made by the plan for its own work: nobody else has anything in it."""
    return any(sign in lost for sign in ("~wesley_", "wesley_new_", " wesley.", "constraint wesley_"))


def _with_leftover(step: Step) -> Step:
    """With how to recognise and remove what a concurrent build leaves when it is cut short; a concurrent drop is
    repeated with IF EXISTS and needs nothing."""
    from pglast import ast

    from wesley_tui.catalog.model import QName
    from wesley_tui.catalog.naming import qualified
    from wesley_tui.planner.checks import index_leftover, index_valid
    from wesley_tui.planner.parse import parse_statement

    node = parse_statement(step.statements[0])
    if not isinstance(node, ast.IndexStmt) or not node.idxname or node.relation is None:
        return step
    table = QName(str(node.relation.schemaname or "public"), str(node.relation.relname))
    return replace(
        step,
        postchecks=(index_valid(table, node.idxname),),
        leftover_check=index_leftover(table, node.idxname),
        leftover_cleanup=(f"DROP INDEX CONCURRENTLY IF EXISTS {qualified(QName(table.schema, node.idxname))}",),
    )


_MARK = "mark_rolled_back"


def _mark(run_id: int, before: Sequence[Step]) -> Step:
    return Step(
        step_sha=str(len(before) + 1),
        ordinal=len(before) + 1,
        op=_MARK,
        object=f"run {run_id}",
        kind=StepKind.TRANSACTIONAL,
        statements=(f"SELECT wesley.mark_rolled_back({run_id}, 'what it did was taken back')",),
        hazard=HazardClass.H0,
        depends_on=tuple(step.step_sha for step in before[-1:]),
        who_waits="nobody",
        why=("the ledger learns that the steps of the run are not done any more",),
    )


def _numbered(steps: Iterator[Step]) -> Iterator[Step]:
    """Strictly one after the other: what was made last is taken away first."""
    for position, step in enumerate(steps, 1):
        before = (str(position - 1),) if position > 1 else ()
        yield replace(step, step_sha=str(position), ordinal=position, depends_on=before)


_GOES_ALONG = frozenset({"analyze", "check_values", "validate_constraint"})
"""Steps without an undo of their own: they only look, or what they have proven goes with the step that made it."""


_WRITTEN = "has written into rows"


def _stays(succeeded: Sequence[Step]) -> Iterator[str]:
    taken_back = {step.object for step in succeeded if step.undo}
    for step in reversed(succeeded):
        where = f"step {step.ordinal} ({step.op} {step.object})"
        if step.loses:
            yield f"what {where} has lost: {step.loses}"
        elif step.kind is StepKind.BACKFILL:
            yield f"what {where} {_WRITTEN}, unless its column goes"
        elif step.op == "validate_constraint" and step.object not in taken_back:
            yield f"what {where} has proven: the constraint was NOT VALID before, and remains valid"
        elif not step.undo and step.op not in _GOES_ALONG:
            yield f"what {where} has done: it has no undo"


def roll_back(target: Target, undo: Undo, *, unsafe: bool, say: Callable[[str], None], listen: Listen) -> RunReport:
    """Run the undo plan. With ``unsafe`` its H3 steps count as accepted by name. Raises what a start raises."""
    from wesley_tui.services.runs import RunReport, accepted_by_flags, followed

    if not any(undo.plan.steps):
        return RunReport(undo.plan.plan_id, None, "nothing_to_do", 0, takes_back=undo.run_id)
    token = accepted_by_flags(undo.plan, unsafe=unsafe, contract=True, explain=undo.text())
    report = followed(undo.plan, lambda: start_undo(target, undo, token, say), listen)
    return replace(report, takes_back=undo.run_id)


def start_undo(target: Target, undo: Undo, token: ReviewToken, say: Callable[[str], None]) -> Run:
    """Start the engine on the undo plan, which was reviewed with CONTRACT; a run that was left is given up first."""
    from wesley_tui.executor.abandon import cancel_run
    from wesley_tui.executor.engine import start_run
    from wesley_tui.executor.events import RunStatus
    from wesley_tui.executor.ledger import history
    from wesley_tui.services.options import PlanningOptions
    from wesley_tui.services.runs import run_options

    last = next(iter(history(target.conninfo, 1)), None)
    if last is not None and last.status in {RunStatus.RUNNING, RunStatus.PAUSED, RunStatus.FAILED}:
        say(f"run {last.run_id} is given up first")
        cancel_run(target.conninfo, last.run_id, "to be rolled back")
    options = run_options(target, PlanningOptions())
    options = replace(options, verify=lambda _plan, _done: _is_as_before(target, undo))
    return start_run(target.conninfo, undo.plan, token, options)


def _is_as_before(target: Target, undo: Undo) -> bool | None:
    """Whether the catalog is again what it was before the run; None when it was announced that it will not be: a label
    that stays, a constraint that remains proven."""
    if not undo.plan.scope:
        return None
    same = asyncio.run(_fingerprint(target, undo.plan.scope)) == undo.base
    return same or (None if any(_WRITTEN not in text for text in undo.stays) else False)


async def _fingerprint(target: Target, scope: tuple[str, ...]) -> str:
    from wesley_tui.services.runs import read_fingerprint

    connection = await target.connect()
    try:
        return await read_fingerprint(connection, scope)
    finally:
        await connection.close()
