"""A workbench without a database, and a run without an engine: the tests say what happens, step by step."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.tui import plans
from wesley_tui.catalog.snapshot import Snapshot
from wesley_tui.executor.events import Event, EventType, RunState, RunStatus, reduce
from wesley_tui.executor.governor import Knobs
from wesley_tui.planner.obstacles import Obstacle
from wesley_tui.planner.plan import HazardClass, Plan
from wesley_tui.sdl.diagnostics import Diagnostic, Source

START = datetime(2026, 1, 15, 3, 0, 0, tzinfo=UTC)

SCHEMA = '''"""People who can sign in"""
type User @table(name: "users") {
  id: ID! @pk
  email: String! @renamed(from: "legacy_email")
  name: String @default(value: "")  # shown on invoices
  mood: Mood
  orders: [Order!]! @hasMany
}

enum Mood {
  HAPPY
  SAD
}

type Order @table(name: "orders") @index(fields: ["user_id"]) {
  id: ID! @pk
  user_id: ID! @fk(ref: "User.id", onDelete: CASCADE)
  total: Decimal! @check(expr: "total >= 0")
  placed_at: DateTime! @default(expr: "now()")
}
'''


def fixed_clock() -> datetime:
    return START + timedelta(seconds=42)


@dataclass(frozen=True)
class FakePlanning:
    plan: Plan | None
    diagnostics: tuple[Diagnostic, ...] = ()
    elapsed_ms: float = 3.2
    locations: Mapping[str, tuple[str, int, int]] = field(default_factory=dict)


@dataclass
class FakeUpdate:
    state: RunState
    events: tuple[Event, ...]
    dropped: int = 0


@dataclass(frozen=True)
class FakeEnd:
    status: RunStatus
    message: str = ""
    lost: bool = False


class FakeRun:
    """A run that goes on when the test says so."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.state = RunState(plan_id=plan.plan_id)
        self.asked: list[str] = []
        self.over = False
        self.dropped = 0
        self.end_message = ""
        self.run_id = 7
        self.refused: Callable[[str], None] = lambda _: None
        self._waiting: list[Event] = []
        self._id = 0

    def emit(
        self, type_: EventType, message: str = "", *, wave: str | None = None, step: str | None = None, **metrics: Any
    ) -> None:
        self._id += 1
        event = Event(
            self._id,
            7,
            self.plan.plan_id,
            type_,
            START + timedelta(milliseconds=850 * self._id),
            "dba",
            message,
            wave,
            step,
            metrics,
        )
        self.state = reduce(self.state, event)
        self._waiting.append(event)

    def play(self, *, steps: int | None = None, contract: bool = False) -> None:
        """Run the first ``steps`` steps, or all of them and the end."""
        self.emit(EventType.PLAN_ACCEPTED, f"{len(list(self.plan.steps))} steps, reviewed by dba")
        left = steps
        for wave in self.plan.waves:
            if wave.name == "CONTRACT" and not contract:
                continue
            if left == 0:
                return
            self.emit(EventType.WAVE_START, wave=wave.name, steps=len(wave.steps))
            for step in wave.steps:
                if left == 0:
                    return
                self.emit(
                    EventType.STEP_START, f"{step.op} {step.object}", wave=wave.name, step=step.step_sha, attempt=1
                )
                self.emit(
                    EventType.STEP_OK,
                    wave=wave.name,
                    step=step.step_sha,
                    duration_ms=step.estimate_ms,
                )
                left = None if left is None else left - 1
            self.emit(EventType.WAVE_COMPLETE, wave=wave.name)
        if steps is None:
            self.finish(contract_pending=not contract and any(w.name == "CONTRACT" for w in self.plan.waves))

    def finish(self, *, contract_pending: bool = False) -> None:
        self.emit(EventType.PLAN_COMPLETE, "the database has the declared schema", contract_pending=contract_pending)
        self.emit(EventType.CERTIFICATE_ISSUED, "certificate written", sha="9f2c" * 16, verified=True, events=self._id)
        self.over = True

    def drain(self) -> FakeUpdate:
        events, self._waiting = tuple(self._waiting), []
        dropped, self.dropped = self.dropped, 0
        return FakeUpdate(self.state, events, dropped)

    def pause(self) -> None:
        self.asked.append("pause")
        self.emit(EventType.PLAN_PAUSED, "paused by dba")

    def resume(self) -> None:
        self.asked.append("resume")
        self.emit(EventType.PLAN_RESUMED, "resumed by dba")

    def abort(self, reason: str) -> None:
        self.asked.append(f"abort: {reason}")
        self.emit(EventType.PLAN_CANCELLED, reason)
        self.over = True

    def skip(self, step_sha: str, reason: str) -> None:
        self.asked.append(f"skip {step_sha}: {reason}")
        self.emit(EventType.STEP_SKIP, f"left out: {reason}", step=step_sha)

    def retry(self, step_sha: str = "") -> None:
        self.asked.append(f"retry {step_sha}")

    def terminate(self, pid: int, started: str, reason: str) -> None:
        self.asked.append(f"terminate {pid} of {started}: {reason}")

    def leave(self) -> None:
        self.asked.append("leave")

    def wait(self, timeout: float | None = None) -> FakeEnd | None:  # noqa: ARG002 - never blocks
        return FakeEnd(self.state.status, self.end_message) if self.over else None


@dataclass(frozen=True)
class FakeLine:
    """The last run, as the history has it."""

    run_id: int = 7
    plan_id: str = "p"
    status: RunStatus = RunStatus.RUNNING
    owned: bool = False
    actor: str = "dba"
    message: str = ""


@dataclass(frozen=True)
class FakeUndo:
    run_id: int
    plan: Plan

    def text(self) -> str:
        return f"undo of run {self.run_id}: {len(list(self.plan.steps))} steps\n  stays: what was written"


class FakeDesk:
    """What the database knows of runs; ``asked`` is what was asked of it."""

    def __init__(self, bench: FakeWorkbench) -> None:
        self.bench = bench
        self.line: FakeLine | None = None
        self.undo_plan: Plan | None = None
        self.asked: list[Any] = []
        self.knobs = Knobs()

    def last(self) -> FakeLine | None:
        return self.line

    def attach(self, run_id: int, refused: Callable[[str], None]) -> tuple[Plan, FakeRun]:
        self.asked.append(f"attach {run_id}")
        run = self.bench.start(self.bench.answer, None)
        run.refused = refused
        return self.bench.answer, run

    def resume(self, run_id: int, *, left_out: bool = False) -> tuple[Plan, FakeRun]:
        self.asked.append(f"resume {run_id}" + (" with what was left out" if left_out else ""))
        return self.bench.answer, self.bench.start(self.bench.answer, None)

    def give_up(self, run_id: int) -> None:
        self.asked.append(f"give up {run_id}")
        self.line = FakeLine(run_id, status=RunStatus.CANCELLED)

    def limits(self, run_id: int) -> Knobs:  # noqa: ARG002 - the same for every run
        return self.knobs

    def change_limits(self, run_id: int, changes: Mapping[str, Any]) -> None:
        self.asked.append((run_id, dict(changes)))

    def undo(self, run_id: int | None = None) -> FakeUndo:
        if self.undo_plan is None:
            raise ValueError("run 7 was rolled back already")
        return FakeUndo(run_id or 7, self.undo_plan)

    def start_undo(self, undo: FakeUndo, token: Any) -> FakeRun:
        self.asked.append(f"undo {undo.run_id}")
        return self.bench.start(undo.plan, token)


class UnsafeBlocked(Exception):
    pass


class FakeWorkbench:
    """Answers with the plans that it was given; a text that contains ``BROKEN`` does not compile."""

    def __init__(self, plan: Plan = plans.SAFE, *, unreachable: str = "", read_only: bool = False) -> None:
        self.answer = plan
        self.unreachable = unreachable
        self.is_read_only = read_only
        self.snapshot: Snapshot | None = None
        self.plannings = 0
        self.in_the_way: tuple[Obstacle, ...] = ()
        self.started: list[tuple[Plan, Any]] = []
        self.runs: list[FakeRun] = []
        self.saved: list[Source] = []
        self.by_text: dict[str, Plan] = {}
        self.desk = FakeDesk(self)

    @property
    def title(self) -> str:
        return "wesley"

    @property
    def target_label(self) -> str:
        return "shop @ db1:5432"

    @property
    def read_only(self) -> bool:
        return self.is_read_only

    async def read(self) -> Snapshot:
        if self.unreachable:
            raise ConnectionError(self.unreachable)
        self.snapshot = Snapshot(server_version_num=180004, database="shop")
        return self.snapshot

    def plan(self, sources: Sequence[Source]) -> FakePlanning:
        self.plannings += 1
        found: list[Diagnostic] = []
        locations: dict[str, tuple[str, int, int]] = {}
        for source in sources:
            for number, line in enumerate(source.text.split("\n"), 1):
                if "BROKEN" in line:
                    found.append(
                        Diagnostic(
                            "error",
                            "unknown-directive",
                            "There is no directive @BROKEN: nothing of this schema was planned.",
                            source.name,
                            number,
                            line.index("BROKEN") + 1,
                            "did you mean @table?",
                        )
                    )
                if "email" in line:
                    locations["column public.users.email"] = (source.name, number, 3)
                if "type User" in line:
                    locations["table public.users"] = (source.name, number, 6)
        if found or self.snapshot is None:
            return FakePlanning(None, tuple(found))
        plan = next((plan for text, plan in self.by_text.items() if any(text in s.text for s in sources)), self.answer)
        return FakePlanning(plan, (), 3.2, locations)

    def obstacles(self, plan: Plan) -> tuple[Obstacle, ...]:  # noqa: ARG002 - the same for every plan
        return self.in_the_way

    def explain(self, plan: Plan) -> str:
        lines = [
            f"{plan.hazard.name} {plan.hazard.word}: {len(list(plan.steps))} steps in {len(plan.waves)} waves.",
            "",
        ]
        for wave in plan.waves:
            lines.append(f"{wave.name}:")
            for step in wave.steps:
                lines.append(f"  {step.ordinal}. {step.hazard.name} {step.hazard.word}  {step.op} {step.object}")
                lines += [f"       {line}" for line in (step.sql, step.who_waits, *step.why) if line]
            lines.append("")
        return "\n".join(lines)

    def format_sql(self, sql: str) -> str:
        for word in (
            " ADD ",
            " DROP ",
            " ALTER COLUMN ",
            " ON ",
            " FOREIGN KEY ",
            " REFERENCES ",
            " SET ",
            " WHERE ",
            " VALIDATE ",
        ):
            sql = sql.replace(word, "\n  " + word.lstrip())
        return sql

    def review(
        self,
        plan: Plan,
        explain: str,
        *,
        unsafe: bool,
        contract: bool,
        typed_names: Collection[str],
        actor: str,  # noqa: ARG002
    ) -> dict[str, Any]:
        for wave in plan.waves:
            for step in wave.steps:
                runs = contract or wave.name != "CONTRACT"
                if runs and step.hazard is HazardClass.H3 and (not unsafe or step.object not in typed_names):
                    raise UnsafeBlocked(f"{step.object} was not accepted")
        return {"plan": plan.plan_id, "contract": contract, "typed": tuple(typed_names), "seen": len(explain)}

    def start(self, plan: Plan, token: Any) -> FakeRun:
        run = FakeRun(plan)
        self.started.append((plan, token))
        self.runs.append(run)
        return run

    def save(self, source: Source) -> None:
        self.saved.append(source)
