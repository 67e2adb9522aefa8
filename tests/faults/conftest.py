"""One zygote per test process; and the sum of what was killed and what was violated, printed at the end.

Each test hands what it has added to the tally to the process that reports, so that a run that is interrupted knows too.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.harness import TALLY, Tally
from tests.faults.zygote import Zygote

_SUM = Tally()
_KILLS, _VIOLATIONS = "kills", "violations"


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    process = Zygote()
    yield process
    process.close()


@pytest.fixture
def folder() -> Iterator[Path]:
    """For what drivers read and say. Not ``tmp_path``: a run of these tests takes long, and pytest removes the folders
    of all but its last three sessions."""
    with tempfile.TemporaryDirectory(prefix="wesley-faults-") as name:
        yield Path(name)


@pytest.fixture(autouse=True)
def tallied(record_property: Callable[[str, object], None]) -> Iterator[None]:
    TALLY.kills.clear()
    TALLY.violations.clear()
    yield
    record_property(_KILLS, dict(TALLY.kills))
    record_property(_VIOLATIONS, list(TALLY.violations))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "teardown":
        for name, value in report.user_properties:
            if name == _KILLS and isinstance(value, dict):
                _SUM.kills.update(Counter(value))
            elif name == _VIOLATIONS and isinstance(value, list):
                _SUM.violations += [f"{report.nodeid}: {violation}" for violation in value]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if _SUM.kills:
        told = ", ".join(f"{what} {times}" for what, times in _SUM.kills.most_common())
        total = sum(_SUM.kills.values())
        terminalreporter.write_line(f"faults: {total} kills ({told}), {len(_SUM.violations)} violations")
        for violation in _SUM.violations:
            terminalreporter.write_line(f"  violated: {violation}")
