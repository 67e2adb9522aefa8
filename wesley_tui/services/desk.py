"""The runs of one database, for whoever sits in front of it: look at the last one, attach to it, go on with it, change
its limits, take it back. Every call takes a round trip or more: none is to be made in an event loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wesley_tui.executor.governor import Knobs
    from wesley_tui.executor.ledger import RunSummary
    from wesley_tui.executor.review import ReviewToken
    from wesley_tui.executor.run import Run
    from wesley_tui.planner.plan import Plan
    from wesley_tui.services.attached import AttachedRun
    from wesley_tui.services.audit import StoredRun
    from wesley_tui.services.rollback import Undo
    from wesley_tui.services.target import Target

__all__ = ["RunDesk"]


class RunDesk:
    """All errors are meant to be shown as they are."""

    def __init__(self, target: Target) -> None:
        self.target = target

    def last(self) -> RunSummary | None:
        """The last run; None when there was never one, or when this role may not see."""
        from wesley_tui.executor.errors import MissingPrivilege
        from wesley_tui.executor.ledger import find

        try:
            return find(self.target.conninfo)
        except MissingPrivilege:
            return None

    def attach(self, run_id: int, refused: Callable[[str], None]) -> tuple[Plan, AttachedRun]:
        """Follow a run that another process executes; ``refused`` hears why something that was asked is not done."""
        from wesley_tui.services.attached import AttachedRun

        stored = self._stored(run_id)
        return stored.plan, AttachedRun(self.target.conninfo, stored.summary, refused)

    def resume(self, run_id: int, *, left_out: bool = False) -> tuple[Plan, Run]:
        """Go on, in this process, with a run that no process executes; ``left_out``: also with what was left out."""
        from wesley_tui.executor.asking_steps import ask_retry
        from wesley_tui.executor.engine import resume_run
        from wesley_tui.services.options import PlanningOptions
        from wesley_tui.services.runs import run_options

        stored = self._stored(run_id)
        if left_out:
            ask_retry(self.target.conninfo, run_id)
        options = run_options(self.target, PlanningOptions())
        return stored.plan, resume_run(self.target.conninfo, options, run_id)

    def give_up(self, run_id: int) -> None:
        """End a run that no process executes as cancelled; what has succeeded stays."""
        from wesley_tui.executor.asking import ask_cancel

        ask_cancel(self.target.conninfo, run_id, "given up in the terminal application")

    def limits(self, run_id: int) -> Knobs:
        """What holds for the run now."""
        from wesley_tui.executor.asking import limits_of

        return limits_of(self.target.conninfo, run_id)

    def change_limits(self, run_id: int, changes: Mapping[str, Any]) -> None:
        """Ask for other limits; ValueError for what is no limit, or cannot be its value."""
        from wesley_tui.executor.asking import ask_set

        ask_set(self.target.conninfo, run_id, changes)

    def undo(self, run_id: int | None = None) -> Undo:
        """What it takes to go back to before run ``run_id`` (None: the last one)."""
        from wesley_tui.services.rollback import undo_of

        return undo_of(self.target, run_id)

    def start_undo(self, undo: Undo, token: ReviewToken) -> Run:
        """Start the engine on an undo that was shown and accepted."""
        from wesley_tui.services.rollback import start_undo

        return start_undo(self.target, undo, token, say=lambda _: None)

    def _stored(self, run_id: int) -> StoredRun:
        from wesley_tui.services.audit import read_run
        from wesley_tui.services.errors import RunRefused

        stored = read_run(self.target, run_id)
        if stored is None:
            raise RunRefused(f"there is no run {run_id} on {self.target.label}")
        return stored
