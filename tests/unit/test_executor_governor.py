"""The governor's judgement: worse at once, better slowly, never blind trust."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from itertools import pairwise
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wesley_tui.executor.gate import Gate
from wesley_tui.executor.governor import Bound, Health, Judgement, Knobs, Sample, judge
from wesley_tui.executor.pacing import BatchPacer
from wesley_tui.executor.steering import Steering

KNOBS = Knobs()

loads = st.builds(
    Sample,
    at=st.just(0.0),
    active=st.integers(0, 120),
    waiting=st.integers(0, 40),
    oldest_s=st.floats(0, 2000),
    replica_lag_s=st.floats(0, 100),
    errors=st.integers(0, 30),
    forced_checkpoints=st.integers(0, 5),
    slots_at_risk=st.integers(0, 1),
)


def run(samples: Sequence[Sample | None]) -> list[Judgement]:
    """One sample a second."""
    judgements = [Judgement()]
    for now, sample in enumerate(samples):
        seen = replace(sample, at=float(now)) if sample is not None else None
        judgements.append(judge(judgements[-1], seen, float(now), KNOBS))
    return judgements


@given(st.lists(st.none() | loads, max_size=60))
def test_it_never_recovers_two_steps_at_once_and_never_within_the_calm_time(samples: list[Sample | None]) -> None:
    judgements = run(samples)
    steps = list(pairwise(judgements))
    better = [now for now, (old, new) in enumerate(steps) if new.health < old.health]
    assert all(new.health >= old.health - 1 for old, new in steps)
    assert all(later - earlier >= KNOBS.calm_s for earlier, later in pairwise(better))


@given(st.lists(st.none() | loads, max_size=20), loads)
def test_a_reading_above_its_bound_counts_at_once(samples: list[Sample | None], last: Sample) -> None:
    worst = max(
        Bound(KNOBS.active_degraded, KNOBS.active_open).level(last.active),
        Bound(KNOBS.waiting_degraded, KNOBS.waiting_open).level(last.waiting),
        Bound(KNOBS.lag_degraded_s, KNOBS.lag_open_s).level(last.replica_lag_s),
    )
    after = run([*samples, last])[-1]
    assert after.health >= worst
    assert worst is Health.HEALTHY or after.reasons


@given(st.lists(st.none() | loads, max_size=40))
def test_silence_is_never_health(samples: list[Sample | None]) -> None:
    judgements = run([*samples, *[None] * 7])
    assert judgements[-7].health >= max(judgements[-8].health, Health.DEGRADED)
    assert judgements[-1].health is Health.OPEN


@given(st.lists(st.none() | loads, max_size=30))
def test_calm_always_leads_back_to_health(samples: list[Sample | None]) -> None:
    calm = Sample(0.0, errors=30, forced_checkpoints=5)
    judgements = run([*samples, *[calm] * int(KNOBS.error_window_s + 3 * KNOBS.calm_s)])
    assert judgements[-1].health is Health.HEALTHY
    assert len(judgements[-1].history) <= KNOBS.error_window_s + 2


def test_a_load_around_the_bound_does_not_flap() -> None:
    changes = [j.health for j in run([Sample(0.0, active=51 if n % 2 else 45) for n in range(200)])]
    assert changes.count(Health.HEALTHY) == 2
    assert set(changes[2:]) == {Health.DEGRADED}


def test_the_defaults() -> None:
    def health(**load: int) -> Health:
        return run([Sample(0.0), Sample(0.0, **load)])[-1].health

    assert [health(active=n) for n in (50, 51, 80, 81)] == [0, 1, 1, 2]
    assert [health(errors=n) for n in (5, 6, 10, 11)] == [0, 1, 1, 2]


def test_errors_age_out_and_a_counter_may_be_reset() -> None:
    judgements = run([Sample(0.0, errors=1000)] * 3 + [Sample(0.0, errors=2)] * 3)
    assert judgements[-1].health is Health.HEALTHY
    burst = run([Sample(0.0), Sample(0.0, errors=7), *[Sample(0.0, errors=7)] * 320])
    assert burst[2].health is Health.DEGRADED
    assert burst[-1].health is Health.HEALTHY


def test_knobs_are_checked() -> None:
    assert Knobs().changed({"rows_per_second": 0, "workers": 2.0, "active_open": 200}).workers == 2
    for wrong in ({"workers": 5}, {"workers": 0}, {"speed": 1}, {"batch_ms": "fast"}, {"batch_ms": float("nan")}):
        with pytest.raises(ValueError, match=r"must be|no limit"):
            Knobs().changed(wrong)
    for knob in fields(Knobs):
        with pytest.raises(ValueError, match=knob.name):
            Knobs().changed({knob.name: True})


@given(st.lists(st.integers(1, 5000), min_size=20, max_size=60), st.integers(50, 5000))
def test_a_rate_holds_within_five_percent(speeds: list[int], rate: int) -> None:
    """Batches of any speed above the rate: after a while the rate is what was asked for."""
    pacer = BatchPacer(1000, 100, None)
    pacer.steer(100, rate, 0.0)
    now = visited = 0.0
    for speed in speeds:
        ended = now + pacer.rows / (rate + speed)
        visited += pacer.rows
        now = ended + pacer.after(pacer.rows, now, ended)
    assert visited / now <= rate * 1.05
    assert visited / now >= rate * 0.95


def steered(*clients: int | None, **knobs: float) -> Steering:
    """After looks that saw so many clients at work; None: the server could not be looked at."""
    steering = Steering(Knobs().changed(knobs), {}, Gate(cast(Any, None), lambda: False), lambda: None)
    for now, seen in enumerate(clients):
        steering.take(None if seen is None else Sample(float(now), clients=seen), float(now))
    return steering


def test_a_backfill_takes_all_of_an_idle_server_and_a_share_of_a_busy_one() -> None:
    assert (steered(0, 0).rest, steered(0, 0).batch_target_ms) == (0.0, 30.0)
    assert (round(steered(0, 4).rest, 2), steered(0, 4).batch_target_ms) == (2.33, 1.0)
    assert round(steered(4, 0).rest, 2) == 2.33, "one quiet look is not enough"
    assert steered(4, 0, 0).rest == 0.0
    assert steered(4, busy_share=25, busy_batch_ms=100).rest == 3.0
    assert steered(4, busy_share=25, busy_batch_ms=100).batch_target_ms == 30.0
    assert steered(4, busy_share=100).rest == 0.0
    blind = steered(0, 0, None)
    assert (round(blind.rest, 2), blind.batch_target_ms, blind.health) == (2.33, 0.5, Health.DEGRADED)
    with pytest.raises(ValueError, match="busy_share must be 1 to 100"):
        Knobs().changed({"busy_share": 101})


def test_clients_whose_statements_take_longer_than_usual_slow_the_run_down() -> None:
    usual = Sample(0.0, calls=1000, exec_ms=1000.0)
    same = replace(usual, calls=1100, exec_ms=1100.0)
    slower = replace(usual, calls=1100, exec_ms=1400.0)
    few = replace(usual, calls=1010, exec_ms=5000.0)
    assert run([usual, same])[-1].health is Health.HEALTHY
    assert run([usual, slower])[-1].reasons == ("times the usual latency of clients: 4, bound 3",)
    assert run([usual, few])[-1].health is Health.HEALTHY, "too few statements to tell"
    assert run([Sample(0.0), slower])[-1].health is Health.HEALTHY, "nothing to compare with"


def test_a_disk_that_fills_up_stops_the_run() -> None:
    assert [run([Sample(0.0, disk_used=used)])[-1].health for used in (0.0, 89.0, 91.0, 98.0)] == [
        Health.HEALTHY, Health.HEALTHY, Health.DEGRADED, Health.OPEN,
    ]  # fmt: skip
