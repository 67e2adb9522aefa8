"""How a run is told: one line per event on stderr while it goes on, one result on stdout at its end."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

from wesley_tui.cli.output import note, result, result_json

if TYPE_CHECKING:
    from wesley_tui.executor.events import Event
    from wesley_tui.planner.plan import Plan
    from wesley_tui.services.runs import RunReport

_QUIET = frozenset({"lock.acquired", "lock.released", "checkpoint.saved"})


def print_event(plan: Plan) -> Callable[[Event], None]:
    """A listener that writes events to stderr, with the names of the steps of ``plan``."""
    steps = {step.step_sha: step for step in plan.steps}

    def listener(event: Event) -> None:
        if event.type.value in _QUIET:
            return
        step = steps.get(event.step_sha or "")
        what = f"{step.op} {step.object}" if step is not None else event.wave or ""
        details = [event.message] if event.message not in ("", what) else []
        if "duration_ms" in event.metrics:
            details.append(f"{float(event.metrics['duration_ms']):.0f} ms")
        if event.metrics.get("rows_total"):
            details.append(f"{event.metrics.get('rows_done', 0)}/{event.metrics['rows_total']} rows")
        note(f"{event.time:%H:%M:%S}  {event.type.value:<18} {what}  {'  '.join(details)}".rstrip())

    return listener


def finish(report: RunReport, *, as_json: bool) -> NoReturn:
    """Write the report and leave with the exit code that its outcome means."""
    if as_json:
        result_json(report.to_json())
    else:
        result(report.text())
    if report.error:
        note(f"wesley: {report.error}")
    sys.exit(report.exit_code)
