"""Snapshots of the terminal live in ``screenshots/`` at the top of the project, where people look at them too."""

from __future__ import annotations

import gc
import re
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_textual_snapshot import SVGImageExtension
from syrupy.location import PyTestLocation

from tests.tui.driving import Driver, Scenario, make_app
from tests.tui.fakes import FakeWorkbench

SCREENSHOTS = Path(__file__).resolve().parents[2] / "screenshots"


class Screenshots(SVGImageExtension):  # type: ignore[misc]  # the plugin is not typed
    """``screenshots/<name>.svg``, named after the parameter of the test."""

    @classmethod
    def dirname(cls, *, test_location: PyTestLocation) -> str:  # noqa: ARG003 - one place for all tests
        return str(SCREENSHOTS)

    @classmethod
    def get_snapshot_name(cls, *, test_location: PyTestLocation, index: Any = 0) -> str:  # noqa: ARG003
        """``test_main[80x24]`` is ``main-80x24``."""
        name = test_location.snapshot_name.removeprefix("test_")
        return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")

    @classmethod
    def write_snapshot(cls, *, snapshot_location: str, snapshots: list[tuple[Any, PyTestLocation, Any]]) -> None:
        """As always, but for the warning that the baseline is not beside its test: that is meant."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            super().write_snapshot(snapshot_location=snapshot_location, snapshots=snapshots)


@pytest.fixture(autouse=True)
def no_collection_in_between() -> Iterator[None]:
    """An application is a hundred thousand objects that refer to each other: walking through all that is left of the
    tests before, again and again while a test runs, took half of the time. What a test leaves goes when it has ended.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.collect(1)


Picture = Callable[..., bool]


@pytest.fixture
def picture(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Picture:
    """``picture(scenario, workbench, size=(80, 24))``: does the screen look as it did?"""
    monkeypatch.setattr("pytest_textual_snapshot.SVGImageExtension", Screenshots)
    snap_compare: Callable[..., bool] = request.getfixturevalue("snap_compare")

    def compare(
        scenario: Scenario | None,
        workbench: FakeWorkbench | None = None,
        *,
        size: tuple[int, int] = (80, 24),
        **options: Any,
    ) -> bool:
        bench = workbench if workbench is not None else FakeWorkbench()
        app = make_app(bench, **options)

        async def before(pilot: Any) -> None:
            driver = Driver(app, bench, pilot)
            await driver.settle()
            if scenario is not None:
                await scenario(driver)
            await driver.settle()

        return snap_compare(app, terminal_size=size, run_before=before)

    return compare
