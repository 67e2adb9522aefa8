"""What the terminal needs from the rest of Wesley, and nothing more.

``wesley_tui.services.workbench`` satisfies these protocols; so does the hand-made workbench of the tests. Everything
is a record or a plain call: no widget reaches behind this page.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from wesley_tui.catalog.snapshot import Snapshot
    from wesley_tui.executor.events import Event, RunState, RunStatus
    from wesley_tui.executor.governor import Knobs
    from wesley_tui.planner.obstacles import Obstacle
    from wesley_tui.planner.plan import Plan
    from wesley_tui.sdl.diagnostics import Diagnostic, Source

__all__ = [
    "AttachedHandle",
    "DeskPort",
    "PlanningResult",
    "RunEnd",
    "RunHandle",
    "RunLine",
    "RunUpdate",
    "UndoPlan",
    "WorkbenchPort",
]


class PlanningResult(Protocol):
    """The answer to one text: a plan, or why there is none."""

    @property
    def plan(self) -> Plan | None: ...
    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]: ...
    @property
    def elapsed_ms(self) -> float: ...
    @property
    def locations(self) -> Mapping[str, tuple[str, int, int]]:
        """``column public.users.email`` → (source, line, column), both from 1."""


class RunUpdate(Protocol):
    """What happened since the last look at a run."""

    @property
    def state(self) -> RunState: ...
    @property
    def events(self) -> Sequence[Event]: ...
    @property
    def dropped(self) -> int:
        """Events that were left out because nobody looked for too long; they are in the database."""


class RunEnd(Protocol):
    """How a run ended."""

    @property
    def status(self) -> RunStatus: ...
    @property
    def message(self) -> str:
        """What happened and what to do next; empty when all went well."""

    @property
    def lost(self) -> bool:
        """The connection was lost, so the end could not be recorded: the run is to be resumed."""


class RunHandle(Protocol):
    """A run that another thread executes. No call blocks, but for :meth:`wait` with a timeout above zero."""

    @property
    def run_id(self) -> int: ...
    def drain(self) -> RunUpdate: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def abort(self, reason: str) -> None:
        """Cancel what the server runs for us, and end the run; it can be resumed later."""

    def skip(self, step_sha: str, reason: str) -> None:
        """Leave a step out, and what comes after it."""

    def retry(self, step_sha: str = "") -> None:
        """Do not wait for the next attempt at a step."""

    def terminate(self, pid: int, started: str, reason: str) -> None:
        """End the session that began at ``started`` and holds up a step."""

    def wait(self, timeout: float | None = None) -> RunEnd | None:
        """The outcome, or None while the run goes on."""


class RunLine(Protocol):
    """A run as a line of the history."""

    @property
    def run_id(self) -> int: ...
    @property
    def plan_id(self) -> str: ...
    @property
    def status(self) -> RunStatus: ...
    @property
    def owned(self) -> bool:
        """Whether a process executes it now."""

    @property
    def actor(self) -> str: ...
    @property
    def message(self) -> str: ...


class AttachedHandle(RunHandle, Protocol):
    """A run that another process executes."""

    def leave(self) -> None:
        """Look no longer; the run does not notice."""


class UndoPlan(Protocol):
    """What it takes to go back to before a run."""

    @property
    def run_id(self) -> int: ...
    @property
    def plan(self) -> Plan:
        """The undo plan; without waves when there is nothing to take back."""

    def text(self) -> str: ...


class DeskPort(Protocol):
    """The runs of the database. Every call takes a round trip or more, and raises errors that can be shown."""

    def last(self) -> RunLine | None: ...
    def attach(self, run_id: int, refused: Callable[[str], None]) -> tuple[Plan, AttachedHandle]:
        """Follow a run; ``refused`` is called in another thread with why something that was asked is not done."""

    def resume(self, run_id: int, *, left_out: bool = False) -> tuple[Plan, RunHandle]:
        """Execute, in this process, what is left of a run; ``left_out``: also what a person had left out."""

    def give_up(self, run_id: int) -> None: ...
    def limits(self, run_id: int) -> Knobs: ...
    def change_limits(self, run_id: int, changes: Mapping[str, Any]) -> None:
        """ValueError says which limit cannot be what."""

    def undo(self, run_id: int | None = None) -> UndoPlan: ...
    def start_undo(self, undo: Any, token: Any) -> RunHandle: ...


class WorkbenchPort(Protocol):
    """One schema against one database."""

    @property
    def desk(self) -> DeskPort: ...

    @property
    def title(self) -> str: ...
    @property
    def target_label(self) -> str:
        """``database @ host:port``, without user and password."""

    @property
    def read_only(self) -> bool:
        """True when nothing may be executed here (a standby, or the person said so)."""

    async def read(self) -> Snapshot:
        """Read the live catalog; an exception's text is shown as it is."""

    def plan(self, sources: Sequence[Source]) -> PlanningResult: ...
    def obstacles(self, plan: Plan) -> Sequence[Obstacle]:
        """Who was in the way of the plan when the database was last looked at."""

    def explain(self, plan: Plan) -> str: ...
    def format_sql(self, sql: str) -> str: ...
    def review(
        self, plan: Plan, explain: str, *, unsafe: bool, contract: bool, typed_names: Collection[str], actor: str
    ) -> Any:
        """A token that lets exactly this plan run; raises, with a reason to show, when it may not."""

    def start(self, plan: Plan, token: Any) -> RunHandle: ...
    def save(self, source: Source) -> None:
        """Write the schema file so that a crash leaves the old or the new one, never half."""
