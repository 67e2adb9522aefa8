"""What workers tell the screen. They never touch a widget: they post one of these, and the screen owns the state."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from textual.message import Message

if TYPE_CHECKING:
    from wesley_tui.catalog.snapshot import Snapshot
    from wesley_tui.executor.governor import Knobs
    from wesley_tui.planner.plan import Plan
    from wesley_tui.tui.ports import PlanningResult, RunHandle, RunLine, UndoPlan

__all__ = [
    "Explained",
    "LimitsRead",
    "Planned",
    "RunFound",
    "RunStarted",
    "Saved",
    "SnapshotRead",
    "TargetNamed",
    "UndoMade",
    "WorkFailed",
]


class SnapshotRead(Message):
    """The live catalog was read."""

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__()
        self.snapshot = snapshot


class TargetNamed(Message):
    """How the database is called on the screen: known after libpq was loaded, which is after the first paint."""

    def __init__(self, label: str) -> None:
        super().__init__()
        self.label = label


class Planned(Message):
    """An answer to the text of one generation; an exception when planning itself broke."""

    def __init__(self, generation: int, result: PlanningResult | None, error: Exception | None = None) -> None:
        super().__init__()
        self.generation = generation
        self.result = result
        self.error = error


class Explained(Message):
    """The explanation of a plan is ready to be reviewed."""

    def __init__(self, plan: Plan, text: str) -> None:
        super().__init__()
        self.plan = plan
        self.text = text


class RunStarted(Message):
    """The engine took the plan; or, with ``leave``, a run that another process executes is followed."""

    def __init__(self, plan: Plan, run: RunHandle, leave: Callable[[], None] | None = None) -> None:
        super().__init__()
        self.plan = plan
        self.run = run
        self.leave = leave


class RunFound(Message):
    """The last run of the database, if there was ever one."""

    def __init__(self, run: RunLine | None) -> None:
        super().__init__()
        self.run = run


class UndoMade(Message):
    """What it takes to go back is ready to be reviewed."""

    def __init__(self, undo: UndoPlan) -> None:
        super().__init__()
        self.undo = undo


class LimitsRead(Message):
    """The limits that hold for a run now."""

    def __init__(self, run_id: int, knobs: Knobs) -> None:
        super().__init__()
        self.run_id = run_id
        self.knobs = knobs


class Saved(Message):
    """A schema file was written."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__()
        self.name = name
        self.text = text


class WorkFailed(Message):
    """Something could not be done; the text of the exception is meant for people."""

    def __init__(self, what: str, error: Exception, **context: Any) -> None:
        super().__init__()
        self.what = what
        self.error = error
        self.context = context
