"""What is true right now, and which commands make sense: a disabled key says why, it does not hide."""

from __future__ import annotations

from dataclasses import dataclass

from wesley_tui.executor.events import RunStatus

__all__ = ["Situation", "why_not"]


@dataclass(frozen=True, slots=True)
class Situation:
    """The facts that commands depend on."""

    connected: bool = False
    read_only: bool = False
    has_plan: bool = False
    empty_plan: bool = False
    stale: bool = False
    planning: bool = False
    problems: int = 0
    errors: int = 0
    modified: bool = False
    files: int = 1
    row_selected: bool = False
    step_open: bool = False
    """The selected row is a step of the run that goes on, and is not done."""
    question_selected: bool = False
    run: RunStatus | None = None
    run_ended: bool = True
    waiting_steps: int = 0
    any_run: bool = False
    """This database has seen a run."""
    left: RunStatus | None = None
    """How the last run was left, when it has not come to its end and no process executes it."""

    @property
    def running(self) -> bool:
        return self.run is not None and not self.run_ended


def why_not(command: str, now: Situation) -> str:
    """Why a command would do nothing now, as one sentence; empty when it makes sense."""
    match command:
        case "run.review":
            return _why_no_review(now)
        case "run.pause":
            if not now.running:
                return "Nothing is running."
            return "The run is paused already: r goes on." if now.run is RunStatus.PAUSED else ""
        case "run.resume":
            if now.running:
                return "" if now.run is RunStatus.PAUSED else "The run is not paused."
            return "" if now.left is not None else "No run is paused, and none was left half-way."
        case "run.abort":
            return "" if now.running else "Nothing is running."
        case "run.limits":
            return "" if now.running or now.left is not None else "Nothing is running: limits are those of a run."
        case "run.skip":
            if not now.running:
                return "Nothing is running. A run that was left is gone on with by r; then steps can be left out."
            return "" if now.step_open else "Select a step of the run that is not done yet."
        case "run.retry":
            return "" if now.running or now.left is not None else "Nothing is running, and no run was left half-way."
        case "run.rollback":
            if now.running:
                return "A run is going on: x ends it first, then it can be taken back."
            return "" if now.any_run else "This database has seen no run: there is nothing to take back."
        case "run.watch":
            return "A run is on the screen already." if now.running else _why_no_database(now)
        case "run.decide":
            return "" if now.waiting_steps else "No step waits for a lock."
        case "run.summary":
            return "" if now.run is not None and now.run_ended else "No run has ended yet."
        case "schema.save":
            return "" if now.modified else "Nothing to save: the text is as it is on disk."
        case "schema.next_problem" | "schema.previous_problem":
            return "" if now.problems else "The schema has no problem."
        case "schema.next_file" | "schema.previous_file":
            return "" if now.files > 1 else "Only one schema file is open."
        case "plan.go_to_source" | "plan.copy_sql":
            return "" if now.row_selected else "No step is selected."
        case "plan.rename" | "plan.keep_apart":
            return "" if now.question_selected else "No question is selected: the plan shows those with a ? before."
        case "plan.reread":
            return "A run is going on: the database is read again when it ends." if now.running else ""
        case _:
            return ""


def _why_no_database(now: Situation) -> str:
    return "" if now.connected else "No database: press ^L to try again."


def _why_no_review(now: Situation) -> str:
    if now.running:
        return "A run is going on: one migration at a time."
    if not now.connected:
        return _why_no_database(now)
    if now.read_only:
        return "This database is read-only here: nothing can be executed."
    if now.errors or now.stale:
        return "The schema does not compile: F8 goes to the problem."
    if now.planning:
        return "The plan is being made; try again in a moment."
    if not now.has_plan:
        return "There is no plan yet."
    return "Nothing to do: the database has the declared schema." if now.empty_plan else ""
