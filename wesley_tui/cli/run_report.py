"""How a run is told: one line per event on stderr while it goes on, one result on stdout at its end."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

from wesley_tui.cli.exit_codes import ExitCode
from wesley_tui.cli.output import note, printable, result, result_json
from wesley_tui.cli.progress import PROGRESS

if TYPE_CHECKING:
    from wesley_tui.executor.events import Event, RunState
    from wesley_tui.planner.plan import Plan
    from wesley_tui.services.runs import RunReport
    from wesley_tui.services.target import Target

_QUIET = frozenset({"lock.acquired", "lock.released", "checkpoint.saved"})


def event_line(plan: Plan) -> Callable[[Event], str | None]:
    """Writes an event as one line, with the names of the steps of ``plan``; None for one that only machines need."""
    steps = {step.step_sha: step for step in plan.steps}

    def line(event: Event) -> str | None:
        if event.type.value in _QUIET:
            return None
        step = steps.get(event.step_sha or "")
        what = f"{step.op} {step.object}" if step is not None else event.wave or ""
        details = [event.message] if event.message not in ("", what) else []
        if "duration_ms" in event.metrics:
            details.append(f"{float(event.metrics['duration_ms']):.0f} ms")
        if event.metrics.get("rows_total"):
            details.append(f"{event.metrics.get('rows_done', 0)}/{event.metrics['rows_total']} rows")
        return f"{event.time:%H:%M:%S}  {event.type.value:<18} {what}  {'  '.join(details)}".rstrip()

    return line


def print_event(plan: Plan) -> Callable[[Event], None]:
    """A listener that has events written to stderr, and never waits for that."""
    line = event_line(plan)

    def listener(event: Event) -> None:
        text = line(event)
        if text is not None:
            PROGRESS.tell(text)

    return listener


def watch_run(target: Target, run_id: int | None, *, as_json: bool) -> NoReturn:
    """Write the events of a run to stdout, from its first to its last, and leave with the exit code of its end.

    ``as_json``: one event a line. Control-C detaches; the run does not notice. At a terminal, keys steer the run.
    """
    from wesley_tui.cli.steering_keys import SteeringKeys
    from wesley_tui.executor.attach import follow_run
    from wesley_tui.executor.events import EventType, RunState, reduce
    from wesley_tui.services.audit import read_run
    from wesley_tui.services.errors import RunRefused

    stored = read_run(target, run_id)
    if stored is None:
        raise RunRefused(f"there is no run on {target.label}; start one with: wesley apply")
    line = event_line(stored.plan)
    state, sqlstate = RunState(), ""
    try:
        with SteeringKeys(target.conninfo, stored.summary.run_id, wanted=not as_json and stored.summary.owned):
            for event in follow_run(target.conninfo, stored.summary.run_id):
                state = reduce(state, event)
                if event.type is EventType.ABORT_REASON:
                    sqlstate = str(event.metrics.get("sqlstate", ""))
                text = event_json(event) if as_json else line(event)
                if text is not None and not result(printable(text)):
                    sys.exit(int(ExitCode.DONE))  # nobody reads any more; the run does not notice
    except KeyboardInterrupt:
        note(f"wesley: left; run {stored.summary.run_id} goes on without being watched")
        sys.exit(int(ExitCode.INTERRUPTED))
    code = exit_code_of_state(state, sqlstate)
    if code is ExitCode.RECOVERY_NEEDED:
        note(f"wesley: no process executes run {state.run_id}; go on with: wesley resume")
    sys.exit(int(code))


def event_json(event: Event) -> str:
    """An event as one line of JSON, with the names of its columns."""
    data = {name: getattr(event, name) for name in event.__slots__}
    return json.dumps(data, ensure_ascii=False, default=str)


def exit_code_of_state(state: RunState, sqlstate: str = "") -> ExitCode:
    """What the state of a run that no process executes means for whoever watched it; ``sqlstate``: of its failure."""
    from wesley_tui.executor.events import RunStatus
    from wesley_tui.executor.run import exit_code_of_failure

    return {
        RunStatus.COMPLETE: ExitCode.DONE,
        RunStatus.CONTRACT_PENDING: ExitCode.DONE,
        RunStatus.ROLLED_BACK: ExitCode.DONE,
        RunStatus.CANCELLED: ExitCode.CANCELLED,
        RunStatus.FAILED: ExitCode(exit_code_of_failure(sqlstate)),
    }.get(state.status, ExitCode.RECOVERY_NEEDED)


def finish(report: RunReport, *, as_json: bool) -> NoReturn:
    """Write the report and leave with the exit code that its outcome means."""
    PROGRESS.written()
    try:
        if as_json:
            result_json(report.to_json())
        else:
            result(report.text())
    except SystemExit:
        sys.exit(report.exit_code or int(ExitCode.FAILED))
    if report.error:
        note(f"wesley: {report.error}")
        told = "wesley resume" in report.error or "wesley retry" in report.error
        if report.status in {"failed", "cancelled"} and not told:
            # After drift the same plan would be refused again: the message says to plan anew.
            advice = "" if report.exit_code == ExitCode.DRIFT else " Go on with: wesley resume"
            note(f"  What had succeeded stays.{advice}")
    sys.exit(report.exit_code)
