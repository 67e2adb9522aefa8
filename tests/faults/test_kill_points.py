"""The process is killed at every point where it could matter; a resumed run must bring the same end as an undisturbed
one. A sample runs by default, every point and count with ``WESLEY_SLOW=1`` (``make faults``)."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.conftest import Servers, fresh_database
from tests.faults.harness import Case, seed, whole_plan
from tests.faults.planned_case import planned_case
from tests.faults.wrong import WRONG
from tests.faults.zygote import Zygote
from wesley_tui.demo.server import available_binaries
from wesley_tui.executor import failpoints, ledger

_SLOW = os.environ.get("WESLEY_SLOW") == "1"
_VERSIONS = [major for major in sorted(available_binaries()) if _SLOW or major == 18]
_SAMPLE = (
    *("half_sent:9", "after_send:8", "after_send:13", "after_send:26", "after_ack:1", "after_intent:2", "after_run:2"),
    "after_batch:2",
)
_WIRE = ("before_send", "half_sent", "after_send")


def points(every: int) -> list[str]:
    """Each place and each time that a run comes by it; of the places on the wire only every so many times."""
    return [
        f"{name}:{count}"
        for name in failpoints.NAMES
        for count in (range(1, 61, every) if name in _WIRE else range(1, 6))
    ]


_KILLS = (
    [(major, point) for major in _VERSIONS for point in points(1 if major == 18 else 4)]
    if _SLOW
    else [(18, point) for point in _SAMPLE]
)


@pytest.fixture
def case(servers: Servers, request: pytest.FixtureRequest, folder: Path, zygote: Zygote) -> Iterator[Case]:
    for uri in fresh_database(servers.get(getattr(request, "param", 18))):
        seed(uri)
        yield Case(uri, whole_plan(uri), folder, zygote)


@pytest.fixture
def planned(servers: Servers, folder: Path, zygote: Zygote) -> Iterator[Case]:
    for uri in fresh_database(servers.get(18)):
        yield planned_case(uri, folder, zygote)


@pytest.mark.parametrize(("case", "point"), _KILLS, indirect=["case"])
def test_killed_at(case: Case, point: str) -> None:
    _kill_and_converge(case, point)


@pytest.mark.parametrize("point", points(2) if _SLOW else ["after_send:30"])
def test_a_plan_of_the_planner_killed_at(planned: Case, point: str) -> None:
    _kill_and_converge(planned, point)


def _kill_and_converge(case: Case, point: str) -> None:
    code, said = case.run("start", point)
    if code == 0 and _SLOW:
        case.assert_whole()
        return
    assert code == -signal.SIGKILL, said
    case.converge()
    case.assert_whole()


def test_killed_again_and_again(case: Case) -> None:
    code, _ = case.run("start", "after_send:6")
    assert code == -signal.SIGKILL
    for point in ("after_send:7", "after_intent:1", "after_batch:1", "after_send:8"):
        code, said = case.run("resume", point)
        assert code in {0, -signal.SIGKILL}, said
    case.converge()
    case.assert_whole()


@pytest.mark.skipif(not _SLOW, reason="WESLEY_SLOW=1 runs it")
@pytest.mark.parametrize("seed", range(16))
def test_killed_at_random_points_until_it_is_done(case: Case, seed: int) -> None:
    """The start is killed, then resume after resume, up to twelve times: points that only a half-done run comes by."""
    random = Random(seed)
    verb = "start"
    for _ in range(12):
        name = random.choice(failpoints.NAMES)
        code, said = case.run(verb, f"{name}:{random.randint(1, 12 if name in _WIRE else 3)}")
        assert code in {0, -signal.SIGKILL}, said
        if code == 0:
            break
        verb = "resume" if ledger.status(case.uri) is not None else "start"
    case.converge()
    case.assert_whole()


@pytest.mark.parametrize(
    ("wrong", "point"),
    [("ledger", "between_ledger:1"), ("checkpoint", "between_checkpoint:2"), ("intent", "after_intent:1")],
)
def test_a_wrong_executor_is_noticed(case: Case, wrong: str, point: str) -> None:
    case.wrong = wrong
    code, _ = case.run("start", point)
    assert code == -signal.SIGKILL
    code, _ = case.run("resume")
    assert code != 0 or case.violations() != []


@pytest.mark.parametrize("wrong", list(WRONG) if _SLOW else ["ledger"])
def test_a_wrong_executor_that_nobody_disturbs_looks_right(case: Case, wrong: str) -> None:
    case.wrong = wrong
    assert case.run("start") == (0, "\n")
    assert case.violations() == []
