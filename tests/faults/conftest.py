"""One zygote per test process; and the sum of what was killed and what was violated, printed at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.harness import TALLY
from tests.faults.zygote import Zygote


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    process = Zygote()
    yield process
    process.close()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of pytest-xdist hands its tally to the process that reports."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["faults"] = {"kills": dict(TALLY.kills), "violations": TALLY.violations}


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    told = getattr(node, "workeroutput", {}).get("faults", {"kills": {}, "violations": []})
    TALLY.kills.update(Counter(told["kills"]))
    TALLY.violations += told["violations"]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if TALLY.kills:
        told = ", ".join(f"{what} {times}" for what, times in TALLY.kills.most_common())
        total = sum(TALLY.kills.values())
        terminalreporter.write_line(f"faults: {total} kills ({told}), {len(TALLY.violations)} violations")
        for violation in TALLY.violations:
            terminalreporter.write_line(f"  violated: {violation}")
