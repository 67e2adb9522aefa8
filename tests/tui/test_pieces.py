"""The parts that need no terminal: texts, layout, ring, tokens, key map, and one widget at a time."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.widgets import TextArea

from tests.tui import plans
from tests.tui.driving import Driver as Session
from tests.tui.driving import drive
from tests.tui.fakes import START
from wesley_tui.executor.events import Event, EventType, StepState, StepStatus
from wesley_tui.planner import obstacles
from wesley_tui.planner.plan import HazardClass, Plan
from wesley_tui.sdl.tokens import LineState, tokenize_line
from wesley_tui.tui import keymap, layout
from wesley_tui.tui.glyphs import ASCII, UNICODE
from wesley_tui.tui.highlight import LineTokens
from wesley_tui.tui.locate import location_of
from wesley_tui.tui.present import (
    badge,
    bar,
    common_schema,
    plan_summary,
    risk_words,
    short_object,
    sql_content,
    waiting_summary,
)
from wesley_tui.tui.situation import Situation, why_not
from wesley_tui.tui.text import duration, identifier, one_line, plain_lines, rows, same_width, visible
from wesley_tui.tui.theme import DARK, LIGHT, VARIABLES
from wesley_tui.tui.widgets.event_log import EventLog, Note, Ring
from wesley_tui.tui.widgets.explanation import wrap
from wesley_tui.tui.widgets.key_bar import KeyBar
from wesley_tui.tui.widgets.status_line import Segment, fit
from wesley_tui.tui.widgets.step_details import describe_step

ROOT = Path(__file__).resolve().parents[2]
OBEYED = "\x00\x07\x1b\x7f\x9b\u202e\u200b\u2066\ufeff"


@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from(OBEYED))))
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    for shown in (visible(text), one_line(text), identifier(text), "".join(plain_lines(text)), same_width(text)):
        assert not set(OBEYED) & set(shown)
        assert "\x85" not in shown
    assert len(same_width(text)) == len(text)


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "<1 ms"),
        (12, "12 ms"),
        (999, "999 ms"),
        (999.9, "1.0 s"),
        (59_940, "59.9 s"),
        (59_960, "1 m 00 s"),
        (125_000, "2 m 05 s"),
        (4_200_000, "1 h 10 m"),
    ],
)
def test_durations(milliseconds: float, text: str) -> None:
    assert duration(milliseconds) == text


def test_rows() -> None:
    assert [rows(number) for number in (0, 9_999, 41_200, 2_400_000, 12_000_000, 2_000_000_000)] == [
        "0",
        "9999",
        "41 k",
        "2.4 M",
        "12 M",
        "2.0 G",
    ]


@given(st.floats(0, 1.5), st.integers(0, 60))
def test_a_bar_is_full_only_when_all_is_done(share: float, width: int) -> None:
    for glyphs in (UNICODE, ASCII):
        drawn = bar(share * 100, 100, width, glyphs, "").plain
        assert len(drawn) == width
        assert (drawn == glyphs.full * width) == (share * 100 >= 100 or width == 0)


@given(st.integers(0, 300), st.integers(0, 120), st.sampled_from(list(layout.PANES)), st.booleans(), st.booleans())
def test_the_active_pane_is_always_shown(
    width: int, height: int, active: layout.PaneId, zoomed: bool, runs: bool
) -> None:
    shown = layout.arrangement(width, height, active, zoomed=zoomed, running=runs)
    assert active in shown.shown
    assert shown.primary == active
    assert len(set(shown.shown)) == len(shown.shown)
    assert not zoomed or shown.shown == (active,)


def test_eighty_columns_show_two_panes_and_one_hundred_and_twenty_all() -> None:
    assert layout.arrangement(80, 24, "schema", zoomed=False, running=False).shown == ("schema", "plan")
    assert layout.arrangement(80, 24, "plan", zoomed=False, running=True).shown == ("plan", "activity")
    assert set(layout.arrangement(120, 40, "plan", zoomed=False, running=False).shown) == set(layout.PANES)


@given(st.integers(1, 9), st.lists(st.integers(0, 30), max_size=12))
def test_a_ring_keeps_the_newest(capacity: int, sizes: list[int]) -> None:
    ring, everything = Ring(capacity), [Note(START, "x", str(n)) for n in range(sum(sizes))]
    position = 0
    for size in sizes:
        ring.extend(everything[position : position + size])
        position += size
    kept = [ring[index] for index in range(len(ring))]
    assert kept == everything[-capacity:][: len(everything)]
    assert ring.dropped == max(0, len(everything) - capacity)


def test_a_million_lines_in_the_log() -> None:
    events = [Event(n, 1, "p", EventType.CHECKPOINT_SAVED, START, "dba", f"batch {n}") for n in range(1000)]

    class LogApp(App[None]):
        def get_theme_variable_defaults(self) -> dict[str, str]:
            return dict(VARIABLES)

        def compose(self) -> ComposeResult:
            yield EventLog(kept=1_000_000)

    async def session() -> None:
        app = LogApp()
        async with app.run_test(size=(80, 24)) as pilot:
            log = app.query_one(EventLog)
            for _ in range(1005):
                log.append(events)
            await pilot.pause()
            assert log.line_count() == 1_000_000
            assert log.scroll_offset.y == 1_000_000 - 24
            log.action_page_up()
            top = log.scroll_offset.y
            log.append(events[:10])
            await pilot.pause()
            assert log.scroll_offset.y == top - 10
            log.action_follow()
            await pilot.pause()
            assert log.scroll_offset.y == 1_000_000 - 24

    asyncio.run(session())


lines_of_sdl = st.lists(
    st.sampled_from(['"""', "type A {", "  id: ID! @pk", "}", "# x", '  "a"', "enum B {", "  C", "é @", ""]),
    max_size=12,
)


@given(lines_of_sdl, lines_of_sdl)
def test_tokens_after_an_edit_are_the_tokens_of_the_new_text(before: list[str], after: list[str]) -> None:
    tokens = LineTokens()
    tokens.sync(before)
    for index in range(len(before)):
        tokens.tokens(index)
    tokens.sync(after)
    state = LineState()
    for index, line in enumerate(after):
        expected, state = tokenize_line(line, state)
        assert list(tokens.tokens(index)) == list(expected)


def test_every_command_has_an_answer() -> None:
    from wesley_tui.tui.screens.main import MainScreen

    identifiers = [item.id for item in keymap.COMMANDS]
    assert len(set(identifiers)) == len(identifiers)
    for item in keymap.commands_of("main"):
        assert hasattr(MainScreen, f"do_{item.id.replace('.', '_')}"), item.id
        why_not(item.id, Situation())
    for scope in ("main", "plan", "details", "log", "review"):
        keys = [key for item in keymap.commands_of(scope) for key in item.keys]
        assert len(set(keys)) == len(keys), scope
    assert not any("ctrl+p" in item.keys for item in keymap.COMMANDS)
    assert all(isinstance(binding, Binding) and binding.id for binding in keymap.bindings("main"))


def test_what_must_work_while_typing_has_a_key_that_prints_nothing() -> None:
    reachable = {"run.review", "schema.save", "view.plan", "view.zoom", "app.help", "app.quit", "plan.reread"}
    typed = {key for item in Binding.make_bindings(TextArea.BINDINGS) for key in item.key.split(",")}
    ours = {key for item in keymap.commands_of("main") for key in item.keys if not keymap.prints(key)}
    assert ours & typed == {"ctrl+z"}, "which undoes typing in the editor and stops Wesley elsewhere, as its help says"
    for identifier_ in reachable:
        assert any(not keymap.prints(key) for key in keymap.command(identifier_).keys), identifier_


def test_the_manual_lists_the_keys() -> None:
    assert (ROOT / "docs" / "keys.md").read_text() == keymap.keys_markdown()


def test_a_remapped_key_works() -> None:
    async def scenario(driver: Session) -> None:
        await driver.press("f11")
        assert driver.main.active == "details"
        assert "F10" in [hint.key for hint in driver.main.query_one(KeyBar).hints]

    drive(scenario, keys={"view.details": "f11", "app.help": "f10"})


def _xterm() -> Iterator[tuple[int, int, int]]:
    levels = (0, 95, 135, 175, 215, 255)
    yield from ((r, g, b) for r in levels for g in levels for b in levels)
    yield from ((8 + 10 * n,) * 3 for n in range(24))


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_colours_are_members_of_the_256_colour_palette(theme: object) -> None:
    palette = {f"#{r:02x}{g:02x}{b:02x}" for r, g, b in _xterm()}
    values = [value for value in vars(theme).values() if isinstance(value, str) and value.startswith("#")]
    values += [value for value in vars(theme)["variables"].values() if value.startswith("#")]
    assert set(values) <= palette


def test_a_badge_reads_without_colour() -> None:
    assert [badge(hazard).plain for hazard in HazardClass] == ["H0 metadata", "H1 additive", "H2 data", "H3 danger"]


def test_the_headline_says_what_runs_now_and_what_waits() -> None:
    def headline(plan: Plan, **options: bool) -> tuple[str, str]:
        return plan_summary(plan, UNICODE, **options).plain, waiting_summary(plan).plain

    only_contract = plans.plan_of(("CONTRACT", [plans.DROP_COLUMN]))
    waits = "H3 danger waits in CONTRACT"
    assert headline(plans.SAFE) == ("H2 data · 7 steps in 3 waves · about 43.7 s", "")
    assert headline(plans.FULL) == ("H2 data now · 7 steps in 3 waves · about 43.7 s", waits)
    assert headline(plans.FULL, contract=True)[0] == "H3 danger · 8 steps in 4 waves · about 43.8 s"
    assert headline(only_contract) == ("nothing now", waits)
    assert headline(plans.EMPTY) == ("nothing to do", "")


def test_a_schema_that_all_objects_share_is_not_repeated() -> None:
    names = ["public.users.email", "column public.users.email", "table public.users", "materialized view public.v"]
    steps = [plans.step("x", name, "SELECT", 0) for name in names]
    schema = common_schema(steps)
    assert [short_object(name, schema) for name in names] == [
        "users.email",
        "column users.email",
        "table users",
        "materialized view v",
    ]
    assert common_schema([*steps, plans.step("x", "audit.log", "SELECT", 0)]) == ""
    assert short_object("audit.log", "") == "audit.log"


def test_details_say_everything_about_a_step() -> None:
    step = next(step for step in plans.FULL.steps if step.op == "drop_column")
    wave = plans.FULL.waves[-1]
    state = StepState(StepStatus.FAILED, attempt=2, message="55P03 lock timeout")
    text = describe_step(step, wave, plans.FULL, state, lambda sql: sql, UNICODE).plain
    for words in (
        "H3 danger",
        "Lost for good: the values of 100 k rows",
        "Breaks clients: clients that still select legacy_email",
        "DROP COLUMN legacy_email;",
        "AccessExclusiveLock  everybody waits",
        "none: what is lost cannot be brought back",
        "attempt 2",
        "55P03 lock timeout",
    ):
        assert words in text


def test_details_say_who_is_in_the_way_and_what_the_disks_do() -> None:
    step = replace(plans.FULL.waves[-1].steps[0], work={"read_bytes": 3_400_000_000, "wal_bytes": 640_000})
    shop = obstacles.Session(
        obstacles.SessionKind.CLIENT, 4711, "shop", "psql", "idle in transaction", "SELECT [b]", 61.0
    )
    obstacle = obstacles.Obstacle((step.ordinal,), ("step 1 would wait for it",), "wait [red]", session=shop)
    text = describe_step(step, plans.FULL.waves[-1], plans.FULL, None, lambda sql: sql, UNICODE, [obstacle] * 7).plain
    assert "3.4 GB read, 640 kB of WAL" in text
    assert "pid 4711 (shop, psql)" in text
    assert "wait [red]" in text
    assert "and 2 sessions more" in text


def test_the_risk_counts_what_would_run() -> None:
    all_steps = list(plans.FULL.steps)
    assert risk_words(all_steps).plain.startswith("risk ")
    assert risk_words([]).plain == "risk 0 of 100, low"


def test_markup_in_sql_stays_text() -> None:
    assert sql_content("SELECT '[red]x[/red]' -- [b]").plain == "SELECT '[red]x[/red]' -- [b]"


@given(st.text(alphabet="ab  cd", max_size=200), st.integers(8, 60))
def test_wrapping_loses_no_word_and_keeps_the_width(line: str, width: int) -> None:
    parts = wrap(line, width)
    assert all(len(part) <= width for part in parts)
    assert "".join("".join(parts).split()) == "".join(line.split())


def test_a_short_status_line_keeps_what_matters_most() -> None:
    segments = [
        Segment(Content("database"), 1),
        Segment(Content("version"), 4),
        Segment(Content("stale"), 0, right=True),
    ]
    assert fit(segments, 80).plain.split() == ["database", "version", "stale"]
    assert fit(segments, 18).plain.split() == ["database", "stale"]
    assert fit(segments, 8).plain.split() == ["stale"]


def test_a_step_leads_to_the_nearest_line() -> None:
    places = {"table public.users": ("s", 2, 1), "column public.users.email": ("s", 4, 3)}
    assert location_of(plans.ADD_COLUMN, places) == ("s", 4, 3)
    assert location_of(plans.ADD_INDEX, places) == ("s", 2, 1)
    assert location_of(plans.VALIDATE, {}) is None


class TestEditor:
    """Typing."""

    CASES: ClassVar[list[tuple[str, list[str], str]]] = [
        ("type A {", ["end", "enter"], "type A {\n  "),
        ("type A {}", ["end", "left", "enter", "a"], "type A {\n  a\n}"),
        ("  id: ID", ["end", "enter", "b"], "  id: ID\n  b"),
        ("type A {", ["end", "enter", "}"], "type A {\n}"),
        ("", ["tab", "a"], "  a"),
    ]

    @pytest.mark.parametrize(("text", "keys", "expected"), CASES)
    def test_indentation(self, text: str, keys: list[str], expected: str) -> None:
        async def scenario(driver: Session) -> None:
            await driver.press(*keys)
            assert driver.main.editor.text == expected

        drive(scenario, text=text)

    def test_undo(self) -> None:
        async def scenario(driver: Session) -> None:
            await driver.press("end", "enter")
            await driver.press("ctrl+z")
            assert driver.main.editor.text == "type A {"

        drive(scenario, text="type A {")

    def test_control_characters_keep_their_columns(self) -> None:
        async def scenario(driver: Session) -> None:
            assert driver.main.editor.get_line(0).plain == "type A ␛[31m"
            await driver.press("end", "x")
            assert driver.main.editor.text == "type A \x1b[31mx"

        drive(scenario, text="type A \x1b[31m")


def test_importing_the_application_brings_no_driver_no_parser_no_compiler() -> None:
    program = (
        "import sys, wesley_tui.tui.app;"
        "print([name for name in ('graphql', 'psycopg', 'pglast', 'click', 'cryptography') if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert shown.stdout.strip() == "[]"


def test_the_line_with_the_cursor_keeps_its_colours() -> None:
    async def scenario(driver: Session) -> None:
        editor = driver.main.editor
        colours = []
        for row in (0, 1):
            editor.move_cursor((row, 0))
            await driver.settle()
            strip = editor.render_line(0)
            colours.append([segment.style.color for segment in strip if segment.style and "Alpha" in segment.text])
        assert colours[0] == colours[1]
        assert colours[0][0] is not None

    drive(scenario, text="type Alpha {\n  id: ID! @pk\n}\n")
