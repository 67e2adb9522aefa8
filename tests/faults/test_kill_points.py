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
from tests.faults.wrong import WRONG
from wesley_tui.demo.server import available_binaries
from wesley_tui.executor import failpoints, ledger

_SLOW = os.environ.get("WESLEY_SLOW") == "1"
_VERSIONS = [major for major in sorted(available_binaries()) if _SLOW or major == 18]
_SAMPLE = (
    *("half_sent:9", "after_send:8", "after_send:13", "after_send:26", "after_ack:1", "after_intent:2", "after_run:2"),
    "after_batch:2",
)
_WIRE = ("before_send", "half_sent", "after_send")
_ALL = [f"{name}:{count}" for name in failpoints.NAMES for count in range(1, 41 if name in _WIRE else 7)]
_POINTS = _ALL if _SLOW else _SAMPLE


@pytest.fixture(params=_VERSIONS, ids=lambda major: f"pg{major}")
def case(servers: Servers, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Case]:
    for uri in fresh_database(servers.get(request.param)):
        seed(uri)
        yield Case(uri, whole_plan(uri), tmp_path)


@pytest.mark.parametrize("point", _POINTS)
def test_killed_at(case: Case, point: str) -> None:
    code, said = case.run("start", point)
    if code == 0 and _SLOW:
        pytest.skip("the run does not come by that often")
    assert code == -signal.SIGKILL, said
    case.converge()
    assert case.violations() == []


def test_killed_again_and_again(case: Case) -> None:
    code, _ = case.run("start", "after_send:6")
    assert code == -signal.SIGKILL
    for point in ("after_send:7", "after_intent:1", "after_batch:1", "after_send:8"):
        code, said = case.run("resume", point)
        assert code in {0, -signal.SIGKILL}, said
    case.converge()
    assert case.violations() == []


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
    assert case.violations() == []


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
