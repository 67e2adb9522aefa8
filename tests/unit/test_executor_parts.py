"""The parts of the executor that need no server: frontier, retries, pacing, the stored plan, the outbox."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.plans import accept, autocommit, backfill, check, concurrent_index, make_plan, transactional
from wesley_tui.executor import failpoints
from wesley_tui.executor.errors import PlanMismatch
from wesley_tui.executor.events import Event, EventType, RunState, RunStatus, reduce, reduce_all
from wesley_tui.executor.locks import lock_key, object_keys, relations_of
from wesley_tui.executor.pacing import BatchPacer
from wesley_tui.executor.retry import RetryPolicy, waits_for_lock
from wesley_tui.executor.review import ReviewToken
from wesley_tui.executor.run import Outbox, RunOutcome
from wesley_tui.executor.scheduler import Frontier, phases_of
from wesley_tui.executor.stored import document_from_plan, plan_digest, plan_from_document, step_content
from wesley_tui.planner.plan import HazardClass, LockMode, Plan, Step


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Plans of up to 12 steps on 4 tables, with dependencies on earlier steps."""
    count = draw(st.integers(1, 12))
    drafts = [
        transactional(
            f"SELECT {n}",
            object=f"public.o{draw(st.integers(0, 3))}",
            locks={f"public.o{draw(st.integers(0, 3))}": LockMode.AccessExclusiveLock},
        )
        for n in range(count)
    ]
    plan = make_plan(drafts)
    steps: list[Step] = []
    for step in plan.waves[0].steps:
        earlier = [cause.step_sha for cause in steps]
        causes = draw(st.sets(st.sampled_from(earlier), max_size=3)) if earlier else set()
        steps.append(replace(step, depends_on=tuple(causes)))
    return replace(plan, waves=(replace(plan.waves[0], steps=tuple(steps)),))


@given(plans(), st.integers(1, 4), st.randoms(use_true_random=False))
def test_every_schedule_ends_and_keeps_the_order_where_it_matters(plan: Plan, workers: int, random: Random) -> None:
    frontier = Frontier(list(plan.steps), set())
    running: list[Step] = []
    finished: list[Step] = []
    while not frontier.finished:
        while frontier.ready and len(running) < workers:
            running.append(frontier.take())
            for step in running[:-1]:
                assert not relations_of(step) & relations_of(running[-1])
        assert running, "nothing runs and nothing is ready: a deadlock"
        step = running.pop(random.randrange(len(running)))
        assert set(step.depends_on) <= {done.step_sha for done in finished}
        for earlier in plan.steps:
            if earlier.ordinal < step.ordinal and relations_of(earlier) & relations_of(step):
                assert earlier in finished
        finished.append(step)
        frontier.finish(step)
    assert len(finished) == len(list(plan.steps))


@given(plans(), st.randoms(use_true_random=False))
def test_what_is_done_is_not_handed_out_again(plan: Plan, random: Random) -> None:
    steps = list(plan.steps)
    done = {step.step_sha for step in steps[: random.randrange(len(steps) + 1)]}
    frontier = Frontier(steps, done)
    handed = []
    while frontier.ready:
        handed.append(frontier.take())
        frontier.finish(handed[-1])
    assert {step.step_sha for step in handed} == {step.step_sha for step in steps} - done
    assert frontier.finished


@given(plans(), st.integers(0, 15), st.integers(0, 2**16))
def test_steps_that_are_sent_ahead_keep_the_order_and_nothing_is_lost_when_one_fails(
    plan: Plan, limit: int, seed: int
) -> None:
    """Flights of several steps, some of which break off in the middle; beside them a second worker takes one step."""
    random = Random(seed)
    frontier = Frontier(list(plan.steps), set())
    finished: list[Step] = []
    beside: list[Step] = []
    while not frontier.finished:
        if frontier.ready:
            first = frontier.take()
            flight = [first, *frontier.take_more(first, limit, lambda _: True)]
            assert len(flight) <= limit + 1
        else:
            flight = []
        if frontier.ready and not beside:
            beside.append(frontier.take())
            assert not any(relations_of(beside[0]) & relations_of(step) for step in flight)
        landing = random.randrange(len(flight) + 1)
        for step in flight[:landing]:
            assert set(step.depends_on) <= {done.step_sha for done in finished}
            assert all(
                e in finished for e in plan.steps if e.ordinal < step.ordinal and relations_of(e) & relations_of(step)
            )
            finished.append(step)
            frontier.finish(step)
        for step in flight[landing:]:
            frontier.give_back(step)
        if beside and (not flight or random.random() < 0.5):
            finished.append(beside.pop())
            frontier.finish(finished[-1])
    assert sorted(step.ordinal for step in finished) == [step.ordinal for step in plan.steps]


@given(plans(), st.data())
def test_what_comes_after_a_step_that_is_left_out_is_not_run(plan: Plan, data: st.DataObject) -> None:
    steps = list(plan.steps)
    frontier = Frontier(steps, set())
    left_out = data.draw(st.sampled_from(steps))
    assert frontier.hold(left_out.step_sha)
    finished = run_all(frontier)
    stuck = frontier.stuck()
    assert {step.step_sha for step in finished} == {step.step_sha for step in steps} - stuck
    for step in steps:
        leans = set(step.depends_on) & stuck
        before = [other for other in steps if other.step_sha in stuck and other.ordinal < step.ordinal]
        shares = any(relations_of(other) & relations_of(step) for other in before)
        assert (step.step_sha in stuck) == (step is left_out or bool(leans) or shares)
    frontier.let_go(left_out.step_sha)
    assert len(finished) + len(run_all(frontier)) == len(steps)


def run_all(frontier: Frontier) -> list[Step]:
    """Run what can be run, until nothing is left that can."""
    finished = []
    while frontier.ready:
        finished.append(frontier.take())
        frontier.finish(finished[-1])
    assert frontier.finished
    return finished


def test_an_unknown_dependency_is_refused() -> None:
    step = replace(next(make_plan([transactional("SELECT 1")]).steps), depends_on=("f" * 64,))
    with pytest.raises(PlanMismatch, match="not before it"):
        Frontier([step], set())


def test_contract_is_a_phase_of_its_own_that_only_runs_when_asked() -> None:
    plan = make_plan(
        [
            transactional("SELECT 4", wave="CONTRACT"),
            transactional("SELECT 1", wave="PLAN"),
            transactional("SELECT 2", wave="EXPAND"),
            transactional("SELECT 3", wave="VALIDATE"),
        ]
    )
    waves = [[wave for wave, _ in phase] for phase in phases_of(plan, contract=True)]
    assert waves == [["PLAN"], ["EXPAND", "VALIDATE"], ["CONTRACT"]]
    assert len(phases_of(plan, contract=False)) == 2


def test_keys_of_locks_are_stable_and_ordered() -> None:
    assert lock_key("wesley:run") == -7198763541967140423
    step = next(make_plan([transactional("SELECT 1", locks={"public.a": LockMode.ShareLock})]).steps)
    assert object_keys(step) == sorted(object_keys(step))
    assert len(object_keys(step)) == 2
    assert all(-(2**63) <= key < 2**63 for key in object_keys(step))


@pytest.mark.parametrize(
    ("sqlstate", "blocked", "again"),
    [
        *(("55P03", False, True), ("40001", False, True), ("40P01", False, True)),
        *(("57014", True, True), ("57014", False, False)),
        *(("42P01", True, False), ("23505", False, False), ("WE001", False, False), ("WE002", True, False)),
    ],
)
def test_what_is_worth_another_attempt(sqlstate: str, blocked: bool, again: bool) -> None:
    assert RetryPolicy().retries(sqlstate, was_blocked=blocked) is again


def test_attempts_grow_to_the_steps_own_limit() -> None:
    policy = RetryPolicy()
    assert [policy.lock_timeout_ms(n, 5000, 9000) for n in (1, 2, 3, 5, 6, 1000)] == [100, 200, 400, 1600, 3200, 5000]
    assert [policy.lock_timeout_ms(n, 5000, 250) for n in (1, 2, 3, 1000)] == [100, 200, 250, 250]
    assert policy.lock_timeout_ms(3, 5000, 250, max_retries=2) == 250
    assert policy.lock_timeout_ms(1, 100, 250) == 100
    assert policy.lock_timeout_ms(3, 0, 250) == 0
    assert waits_for_lock("55P03", was_blocked=False)


@given(st.integers(1, 10_000), st.integers())
def test_pauses_are_jittered_and_bounded(tries: int, seed: int) -> None:
    pause = RetryPolicy().pause_s(tries, Random(seed))
    assert 0.05 <= pause <= 5.0


def test_batches_grow_and_shrink_towards_their_target() -> None:
    pacer = BatchPacer(1000, target_ms=100, rows_per_second=None)
    assert pacer.after(1000, 0.0, 0.01) == 0.0
    assert pacer.rows == 2000
    pacer.after(2000, 0.0, 1.0)
    assert pacer.rows == 1000
    pacer.after(5, 0.0, 0.001)
    assert pacer.rows == 1000, "a batch that found few rows says nothing about its size"
    pacer.failed()
    assert pacer.rows == 500


@pytest.mark.parametrize("overhead_s", [0.0, 0.002, 0.02, 0.2])
def test_what_a_commit_takes_makes_batches_no_smaller(overhead_s: float) -> None:
    """However slow the disk: batches are not shrunk to a handful of rows to meet a target that they cannot meet."""
    per_row_s = 0.00005
    pacer = BatchPacer(1000, target_ms=10, rows_per_second=None)
    now = visited = 0.0
    for _ in range(200):
        rows = pacer.rows
        took = overhead_s + rows * per_row_s
        visited += rows
        pacer.after(rows, now, now + took)
        now += took
    work = visited * per_row_s
    assert work >= now / 6
    assert max(took - overhead_s, 0.01) <= 0.3


@given(st.integers(20, 100_000), st.lists(st.floats(0.0001, 0.2), min_size=5, max_size=60))
def test_the_rate_holds_on_average(rate: int, durations: list[float]) -> None:
    pacer = BatchPacer(1000, target_ms=100, rows_per_second=rate)
    now, visited = 100.0, 0
    for duration in durations:
        rows = pacer.rows
        assert rows <= max(1, rate // 20)
        begun, now = now, now + duration
        visited += rows
        now += pacer.after(rows, begun, now)
    assert visited <= rate * (now - 100.0) * 1.001 + 1


@given(st.lists(st.tuples(st.integers(1, 30), st.sampled_from(list(EventType)), st.integers(0, 3)), max_size=40))
def test_many_events_at_once_are_what_they_are_one_by_one(told: list[tuple[int, EventType, int]]) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    events = [
        Event(number, 1, "p", kind, now, "a", f"m{number}", "EXPAND", f"{step}" if step else None, {"attempt": step})
        for number, kind, step in told
    ]
    one_by_one = RunState()
    for event in events:
        one_by_one = reduce(one_by_one, event)
    assert reduce_all(RunState(), events) == one_by_one


def rich_plan() -> Plan:
    return make_plan(
        [
            transactional(
                "SELECT 'é\u2028'",
                prechecks=(check("SELECT 1"),),
                hazard=HazardClass.H3,
                why=("because",),
                undo=("SELECT 0",),
            ),
            autocommit("SELECT 2"),
            concurrent_index("public.t", "a"),
            backfill("public.t", "id", "b = a", "t.b IS NULL", rows_per_second=7),
        ],
        scope=("table public.t",),
        unmanaged=("table public.x",),
        source="type T { id: ID! }",
    )


def test_a_stored_plan_reads_back_the_same() -> None:
    plan = rich_plan()
    assert plan_from_document(document_from_plan(plan)) == plan
    assert plan_digest(plan_from_document(document_from_plan(plan))) == plan_digest(plan)


def test_every_part_that_runs_is_in_the_content_of_a_step() -> None:
    step = next(rich_plan().steps)
    changes: list[dict[str, object]] = [
        {"statements": ("SELECT 2",)},
        {"prechecks": ()},
        {"postchecks": (check("SELECT 1"),)},
        {"leftover_check": check("SELECT 1")},
        {"leftover_cleanup": ("SELECT 1",)},
        {"lock_timeout_ms": 1},
        {"statement_timeout_ms": 1},
        {"depends_on": ("f" * 64,)},
    ]
    contents = {step_content(replace(step, **change)) for change in changes}  # type: ignore[arg-type]
    assert len(contents | {step_content(step)}) == len(changes) + 1


def event(number: int) -> Event:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return Event(number, 1, "p", EventType.STEP_OK, now, "a", "", step_sha=f"{number % 7}")


@given(st.lists(st.integers(1, 40), max_size=30), st.integers(1, 20))
def test_the_outbox_is_bounded_and_its_state_is_current(batches: list[int], capacity: int) -> None:
    outbox = Outbox(capacity)
    seen = number = 0
    for size in batches:
        outbox.put([event(number + n) for n in range(1, size + 1)])
        number += size
        if size % 3 == 0:
            update = outbox.take()
            assert len(update.events) <= capacity
            assert update.events[-1].id == update.state.last_event_id == number
            seen += len(update.events) + update.dropped
            assert seen == number
    assert outbox.state.last_event_id == (number if batches else RunState().last_event_id)


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (RunOutcome(1, "p", RunStatus.COMPLETE), 0),
        (RunOutcome(1, "p", RunStatus.CONTRACT_PENDING), 0),
        (RunOutcome(1, "p", RunStatus.FAILED, sqlstate="42P01"), 1),
        (RunOutcome(1, "p", RunStatus.FAILED, sqlstate="WE002"), 6),
        (RunOutcome(1, "p", RunStatus.CANCELLED), 9),
        (RunOutcome(1, "p", RunStatus.FAILED, lost=True), 10),
    ],
)
def test_exit_codes(outcome: RunOutcome, code: int) -> None:
    assert outcome.exit_code == code


def test_failpoints_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WESLEY_FAILPOINT", "half_sent:2")
    assert [failpoints.due(name) for name in ("after_send", "half_sent", "half_sent", "half_sent")] == [
        *(False, False, True, False),
    ]


def test_a_token_speaks_of_one_plan() -> None:
    plan = rich_plan()
    token = accept(plan, contract=True)
    assert isinstance(token, ReviewToken)
    assert (token.plan_id, token.plan_sha) == (plan.plan_id, plan_digest(plan))
    assert replace(plan, profile="chaos") != plan
    assert plan_digest(replace(plan, profile="chaos")) != token.plan_sha
