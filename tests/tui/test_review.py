"""Nothing runs without the typed words: by hand, and by hundreds of random keys."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tui import plans
from tests.tui.driving import Driver, drive
from tests.tui.fakes import FakeWorkbench
from wesley_tui.planner.plan import HazardClass
from wesley_tui.tui.keymap import COMMANDS
from wesley_tui.tui.review import Confirmation
from wesley_tui.tui.screens.review import ReviewScreen

COLUMN = "public.users.legacy_email"


def test_the_words_in_their_order_run_the_plan() -> None:
    bench = FakeWorkbench(plans.FULL)

    async def scenario(driver: Driver) -> None:
        await driver.press("ctrl+r")
        await driver.press("ctrl+t", "ctrl+end")
        await driver.type(COLUMN)
        await driver.press("enter")
        assert bench.started == []
        await driver.type("apply")
        await driver.press("enter")

    drive(scenario, bench, unsafe=True)
    ((plan, token),) = bench.started
    assert plan is plans.FULL
    assert token["typed"] == (COLUMN,)
    assert token["contract"] is True


@pytest.mark.parametrize(
    ("keys", "unsafe", "contract"),
    [
        (["enter"] * 5, True, False),
        (["ctrl+end", *"apply"], True, False),
        (["ctrl+end", *"Apply", "enter"], True, False),
        (["ctrl+end", *"apply", "enter"], True, True),
        (["ctrl+end", *"applyy", "enter", "enter"], True, False),
        (["ctrl+end", *"apply", "escape", "enter"], True, False),
        (["ctrl+end", *"apply", "enter", "enter"], False, True),
    ],
    ids=["enter alone", "no enter", "other case", "name not typed", "other word", "escape", "not unsafe"],
)
def test_anything_else_runs_nothing(keys: list[str], unsafe: bool, contract: bool) -> None:
    bench = FakeWorkbench(plans.FULL)

    async def scenario(driver: Driver) -> None:
        await driver.press("ctrl+r")
        assert isinstance(driver.app.screen, ReviewScreen)
        if contract:
            await driver.press("ctrl+t")
        await driver.press(*keys)

    drive(scenario, bench, unsafe=unsafe)
    assert bench.started == []


def test_apply_before_the_end_was_on_the_screen_runs_nothing() -> None:
    bench = FakeWorkbench(plans.FULL)

    async def scenario(driver: Driver) -> None:
        await driver.press("ctrl+r")
        await driver.type("apply")
        await driver.press("enter")
        screen = driver.app.screen
        assert isinstance(screen, ReviewScreen)
        assert "Read to the end" in screen.confirmation.problem
        await driver.press("ctrl+end", "enter")

    drive(scenario, bench, size=(80, 24))
    assert len(bench.started) == 1


def test_a_refusal_of_the_reviewer_is_shown_and_nothing_runs() -> None:
    class Refusing(FakeWorkbench):
        def review(self, *_arguments: object, **_options: object) -> dict[str, object]:
            raise PermissionError("profile chaos never runs [H3]")

    bench = Refusing()

    async def scenario(driver: Driver) -> None:
        await driver.run_plan()
        screen = driver.app.screen
        assert isinstance(screen, ReviewScreen)
        assert screen.confirmation.problem == "profile chaos never runs [H3]"

    drive(scenario, bench)
    assert bench.started == []


lines = st.lists(
    st.sampled_from(["", " ", "apply", "APPLY", COLUMN, "public.users", "legacy_email", "yes", "y", "apply apply"]),
    max_size=8,
)


@given(lines=lines, unsafe=st.booleans(), contract=st.booleans(), seen=st.booleans())
def test_confirmation_needs_every_name_then_the_word(
    lines: list[str], unsafe: bool, contract: bool, seen: bool
) -> None:
    state = Confirmation(plans.FULL, unsafe=unsafe, contract=contract, end_seen=seen)
    for line in lines:
        state = state.submit(line)
        if state.confirmed:
            break
    named = COLUMN in [line.strip() for line in lines]
    if state.confirmed:
        assert seen
        assert "apply" in [line.strip() for line in lines]
        assert not contract or (unsafe and named)
        assert all(step.object in state.typed for step in state.steps if step.hazard is HazardClass.H3)


def test_another_choice_of_waves_forgets_what_was_typed() -> None:
    state = Confirmation(plans.FULL, unsafe=True, contract=True, end_seen=True).submit(COLUMN)
    assert state.typed == (COLUMN,)
    again = state.with_contract(False).with_contract(True)
    assert again.typed == ()
    assert not again.submit("apply").confirmed


ALL_KEYS = sorted(
    {key for item in COMMANDS for key in item.keys}
    | {"enter", "a", "b", "s", "d", "{", "}", "backspace", "ctrl+z", "delete"}
)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    keys=st.lists(st.sampled_from(ALL_KEYS), min_size=5, max_size=30),
    size=st.sampled_from([(80, 24), (120, 40), (30, 9), (5, 3)]),
    unsafe=st.booleans(),
)
def test_random_keys_never_crash_and_never_run_anything(keys: list[str], size: tuple[int, int], unsafe: bool) -> None:
    """No sequence of keys spells ``apply``: p, l and y are there, but never in a row in the right field."""
    bench = FakeWorkbench(plans.FULL)

    async def scenario(driver: Driver) -> None:
        for key in keys:
            if not driver.app.is_running or driver.app._exit:
                return
            await driver.press(key)
        await driver.settle()

    drive(scenario, bench, size=size, unsafe=unsafe)
    assert bench.started == []
