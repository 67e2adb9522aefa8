"""What the terminal shows is what Textual's own driver would have made it show, at a fraction of the bytes."""

from __future__ import annotations

import asyncio
import os
import re
import threading
import tty
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pyte
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from textual.drivers.headless_driver import HeadlessDriver
from textual.events import Key

from tests.tui import plans
from tests.tui.driving import CHARACTERS, KEYS, make_app
from tests.tui.fakes import SCHEMA, FakeWorkbench
from wesley_tui.tui.canvas import Canvas
from wesley_tui.tui.driver import CellDriver, driver_class, without_answers
from wesley_tui.tui.frame_writer import FrameWriter
from wesley_tui.tui.pace import ANSWER, FIRST_PATIENCE_SECONDS, QUESTION, WINDOW_BYTES, Pace
from wesley_tui.tui.stream import TerminalStream

_UNKNOWN_TO_PYTE = re.compile(r"\x1b\[[<>=][\d;]*[a-z]|\x1b\[\?[\d;]*\$p|\x1b\[\d* q")


class Emulator:
    """A terminal of the test."""

    def __init__(self, width: int, height: int) -> None:
        self.screen = pyte.Screen(width, height)
        self.stream = pyte.Stream(self.screen)
        self.stream.feed("\x1b[?7l")
        self.size = 0

    def feed(self, data: str) -> None:
        self.size += len(data)
        self.stream.feed(_UNKNOWN_TO_PYTE.sub("", data))

    def cells(self) -> list[list[Any]]:
        return [[self.screen.buffer[y][x] for x in range(self.screen.columns)] for y in range(self.screen.lines)]

    def cursor(self) -> tuple[int, int, bool]:
        return self.screen.cursor.x, self.screen.cursor.y, self.screen.cursor.hidden


class Pair:
    """The same writes for two terminals: as they are, and through a canvas that draws when it is told to."""

    def __init__(self, width: int, height: int) -> None:
        self.stock, self.ours = Emulator(width, height), Emulator(width, height)
        self.stream = TerminalStream(Canvas(width, height), self.ours.feed)
        self.stream.visible = True

    def write(self, data: str) -> None:
        self.stock.feed(data)
        self.stream.write(data)

    def draw(self) -> str:
        drawn = self.stream.canvas.draw()
        self.ours.feed(drawn)
        return drawn

    def assert_same(self) -> None:
        for y, (expected, shown) in enumerate(zip(self.stock.cells(), self.ours.cells(), strict=True)):
            assert shown == expected, f"row {y}: {expected} became {shown}"
        assert self.ours.cursor() == self.stock.cursor()


# -- invented streams ------------------------------------------------------------------------------------------------

WIDTH, HEIGHT = 16, 4

texts = st.lists(
    st.sampled_from(
        [
            "a",
            "b",
            " ",
            "  ",
            "─",
            "│",
            "é",
            "e\u0301",
            "漢",
            "字",
            "🎉",
            "…",
            "▾",
            "❤\ufe0f",
            "👩\u200d💻",
            "🇩🇪",
            "👍🏽",
            "\u0301",
            "क्षि",
            "\ue0b0",
            "각",
        ]
    ),
    min_size=1,
    max_size=WIDTH,
).map("".join)
plain_texts = st.text("ab 漢─é", min_size=1, max_size=WIDTH)
styles = st.sampled_from(
    ["", "1", "7", "31", "38;5;203", "48;5;17", "38;2;1;2;3", "1;3;4;38;5;75;48;5;234", "38;2;9;9;9;48;2;0;0;0"]
)


def run(text: str, style: str) -> str:
    return f"\x1b[{style}m{text}\x1b[0m" if style else text


@st.composite
def lines(draw: st.DrawFn) -> str:
    """One write of a line, as the compositor makes them: from a column on, often the whole row."""
    if draw(st.booleans()):
        parts = [(draw(plain_texts), draw(styles)) for _ in range(draw(st.integers(1, 3)))]
        line, room = "", WIDTH
        for text, style in parts:
            for character in text:
                width = 2 if character == "漢" else 1
                if width <= room:
                    line += run(character, style)
                    room -= width
        return f"\x1b[{draw(st.integers(1, HEIGHT))};1H{line}{' ' * room}"
    x = draw(st.integers(1, WIDTH - 1))  # at 0, pyte lets a mark without a base join the row above
    text = draw(texts)
    return f"\x1b[{draw(st.integers(1, HEIGHT))};{x + 1}H{run(text, draw(styles))}"


separators = st.lists(st.sampled_from(["", "", "\n"]), min_size=5, max_size=5)
frames = st.tuples(st.lists(lines(), min_size=1, max_size=5), separators).map(
    lambda parts: "".join(f"{line}{end}" for line, end in zip(*parts, strict=False)) + "\x1b[2;3H"
)
controls = st.sampled_from(
    [
        "\x07",
        "\x1b]52;c;YWJj\x07",
        "\x1b]2;title\x1b\\",
        "\x1b[?25h",
        "\x1b[?25l",
        "\x1b[?1000h",
        "\x1b[>25u",
        "\x1b[2 q",
    ]
)
unmodelled = st.sampled_from(["\x1b[2J", "\x1b[1;1H\x1b[K", "\x1b[2;1H\x1b[3P", "\x1b[99;1Habc\x1b[1;1H"])
steps = st.lists(
    st.one_of(
        frames.map(lambda text: ("write", text)),
        frames.map(lambda text: ("write", text)),
        st.just(("draw", "")),
        controls.map(lambda text: ("write", text)),
        unmodelled.map(lambda text: ("write", text)),
        st.just(("forget", "")),
    ),
    max_size=14,
)

FULL_FRAME = "\n".join(f"\x1b[{row + 1};1H{'.' * WIDTH}" for row in range(HEIGHT)) + "\x1b[1;1H"


@given(steps)
@settings(max_examples=150, deadline=None)
def test_the_same_cells_whatever_is_dropped_in_between(taken: list[tuple[str, str]]) -> None:
    pair = Pair(WIDTH, HEIGHT)
    pair.write(FULL_FRAME)
    for kind, text in taken:
        if kind == "write":
            pair.write(text)
        elif kind == "forget":
            pair.stream.canvas.forget()
        else:
            pair.draw()
            pair.assert_same()
    pair.draw()
    pair.assert_same()
    assert pair.draw() == ""


@given(st.lists(frames, min_size=1, max_size=4))
@settings(max_examples=50, deadline=None)
def test_a_terminal_that_was_written_on_is_drawn_again(pictures: list[str]) -> None:
    """What is known is drawn again in full; a doubtful row stays for whoever paints it."""
    pair = Pair(WIDTH, HEIGHT)
    for picture in (*pictures, FULL_FRAME):
        pair.write(picture)
    pair.draw()
    pair.ours.feed("\x1b[2J\x1b[1;1Hconnection closed?")
    pair.stream.canvas.forget()
    pair.draw()
    pair.assert_same()


@given(st.lists(st.tuples(st.integers(1, 20), st.integers(1, 6), frames), max_size=4))
@settings(max_examples=50, deadline=None)
def test_after_a_resize_the_next_full_frame_puts_everything_right(resizes: list[tuple[int, int, str]]) -> None:
    pair = Pair(WIDTH, HEIGHT)
    pair.write(FULL_FRAME)
    pair.draw()
    for width, height, late in resizes:
        for emulator in (pair.stock, pair.ours):
            emulator.screen.resize(height, width)
        pair.stream.resize(width, height)
        pair.write(late)  # painted for the old size
        pair.write("\n".join(f"\x1b[{y + 1};1H{'.' * width}" for y in range(height)) + "\x1b[1;1H")
        pair.draw()
        pair.assert_same()


def test_one_changed_letter_is_a_few_bytes() -> None:
    pair = Pair(120, 40)
    style = "38;5;252;48;5;234"
    rows = [f"\x1b[{y + 1};1H{run('x' * 120, style)}" for y in range(40)]
    pair.write("\n".join(rows) + "\x1b[1;1H")
    pair.draw()
    rows[7] = f"\x1b[8;1H{run('x' * 60 + 'y' + 'x' * 59, style)}"
    pair.write("\n".join(rows) + "\x1b[8;62H")
    assert pair.draw() == f"\x1b[8;61H\x1b[{style}my\x1b[0m"
    pair.assert_same()


def test_a_hyperlink_opens_and_closes() -> None:
    pair = Pair(WIDTH, HEIGHT)
    pair.write(f"\x1b[1;1H{' ' * WIDTH}\x1b[1;1H")
    pair.draw()
    pair.write("\x1b[1;3H\x1b]8;id=1;https://x.org\x1b\\\x1b[1mab\x1b[0m\x1b]8;;\x1b\\c")
    assert pair.draw() == "\x1b[1;3H\x1b]8;id=1;https://x.org\x1b\\\x1b[1mab\x1b]8;;\x1b\\\x1b[0mc"


# -- real applications -----------------------------------------------------------------------------------------------


class Recorder(HeadlessDriver):
    """Textual writes to it as to a terminal."""

    writes: list[str]

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.writes = []

    @property
    def is_headless(self) -> bool:
        return False

    def write(self, data: str) -> None:
        self.writes.append(data)


def record(keys: Sequence[str], size: tuple[int, int], environment: dict[str, str], text: str) -> list[str]:
    """Everything that Textual writes while these keys are pressed."""
    app = make_app(FakeWorkbench(plans.FULL), environment={"LANG": "C.UTF-8", **environment}, text=text)
    app.driver_class = Recorder
    written: list[str] = []

    async def pilot_(pilot: Any) -> None:
        async def settle() -> None:
            for _ in range(3):
                await app.workers.wait_for_complete()
                await pilot.pause(0)

        await settle()
        for key in keys:
            name = KEYS.get(key, key)
            app.post_message(Key(name, CHARACTERS.get(name, name if len(name) == 1 else None)))
            await settle()
        assert isinstance(app._driver, Recorder)
        written.extend(app._driver.writes)
        app.exit()

    asyncio.run(app.run_async(size=size, auto_pilot=pilot_))
    return written


keys_of_people = st.lists(
    st.sampled_from(
        [
            "f1",
            "f2",
            "f3",
            "f4",
            "f5",
            "escape",
            "down",
            "down",
            "pagedown",
            "end",
            "ctrl+o",
            "ctrl+r",
            "f12",
            "tab",
            "x",
            "漢",
            "🎉",
            "é",
            "enter",
            "backspace",
            "space",
            "ctrl+t",
            "ctrl+end",
            "ctrl+p",
            "ctrl+l",
        ]
    ),
    min_size=4,
    max_size=12,
)


@given(
    keys=keys_of_people,
    size=st.sampled_from([(80, 24), (120, 40), (41, 9)]),
    environment=st.sampled_from([{}, {"COLORTERM": "truecolor"}, {"WESLEY_THEME": "light"}, {"NO_COLOR": "1"}]),
    drops=st.lists(st.booleans(), min_size=7, max_size=7),
)
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_application_looks_the_same(
    keys: list[str], size: tuple[int, int], environment: dict[str, str], drops: list[bool]
) -> None:
    written = record(keys, size, environment, SCHEMA.replace("shown on", "gezeigt auf 請求書 🎉 e\u0301 ❤\ufe0f"))
    assert len(written) > len(keys)
    pair = Pair(*size)
    for number, data in enumerate(written):
        pair.write(data)
        if drops[number % len(drops)]:
            pair.draw()
            pair.assert_same()
    pair.draw()
    pair.assert_same()
    assert pair.ours.size < pair.stock.size


# -- pace ------------------------------------------------------------------------------------------------------------


def test_frames_wait_for_a_terminal_that_answers() -> None:
    pace = Pace()
    pace.sent(100, 0.0)
    pace.answered()
    pace.sent(WINDOW_BYTES - 1, 1.0)
    assert pace.wait(1.0) == 0
    pace.sent(1, 1.0)
    assert pace.wait(1.1) > 0
    pace.answered()
    assert pace.wait(1.1) == 0


def test_a_terminal_that_never_answers_is_not_asked_again() -> None:
    pace = Pace()
    pace.sent(20_000, 0.0)
    assert 0 < pace.wait(0.01) <= FIRST_PATIENCE_SECONDS
    assert pace.wait(FIRST_PATIENCE_SECONDS + 0.01) == 0
    assert not pace.asks
    pace.answered()
    assert pace.asks


def test_an_answer_that_got_lost_does_not_stop_the_screen() -> None:
    pace = Pace()
    pace.sent(10, 0.0)
    pace.answered()
    pace.sent(20_000, 1.0)
    left = pace.wait(1.0)
    assert left > 1
    assert pace.wait(1.0 + left + 0.01) == 0
    assert pace.asks


@given(st.lists(st.one_of(st.just(ANSWER), st.binary(max_size=3), st.sampled_from([b"\x1b", b"\x1b[", b"0n"]))))
def test_answers_are_taken_out_wherever_the_reads_are_cut(parts: list[bytes]) -> None:
    whole = b"".join(parts)
    for size in (1, 2, 3, 7, 4096):
        kept, answers, held = b"", 0, b""
        for start in range(0, len(whole), size):
            data, count, held = without_answers(held + whole[start : start + size])
            kept += data
            answers += count
        assert kept + held + ANSWER * answers != b"" or not whole
        assert len(kept) + len(held) + len(ANSWER) * answers == len(whole)
        if whole.count(b"\x1b") == whole.count(ANSWER):
            assert kept + held == whole.replace(ANSWER, b"")


# -- the thread ------------------------------------------------------------------------------------------------------


@contextmanager
def writer(width: int = 80, height: int = 24) -> Iterator[tuple[FrameWriter, int]]:
    """A writer on a pseudo-terminal, and the end where a terminal would read."""
    master, slave = os.openpty()
    tty.setraw(slave)
    frames = FrameWriter(slave, lambda: (width, height))
    try:
        yield frames, master
    finally:
        frames.close(0)
        os.close(master)
        os.close(slave)


def read_until(master: int, done: Callable[[bytes], bool]) -> bytes:
    data = b""
    while not done(data):
        data += os.read(master, 65536)
    return data


def frame(letter: str, width: int = 80, height: int = 24) -> str:
    return "\n".join(f"\x1b[{y + 1};1H{letter * width}" for y in range(height)) + "\x1b[1;1H"


def test_a_terminal_that_does_not_read_blocks_nobody_and_gets_the_newest_picture() -> None:
    with writer() as (frames, master):
        frames.write("\x1b[?1049h")
        for number in range(500):
            frames.write(frame("abcdefghij"[number % 10]))
            frames.flush()
        frames.write(frame("Z"))
        frames.flush()
        emulator = Emulator(80, 24)
        seen = b""

        def done(data: bytes) -> bool:
            nonlocal seen
            emulator.feed(data[len(seen) :].decode())
            for _ in range(data.count(QUESTION.encode()) - seen.count(QUESTION.encode())):
                frames.answered()
            seen = data
            return all(row == "Z" * 80 for row in emulator.screen.display)

        data = read_until(master, done)
        assert len(data) < 20 * len(frame("Z"))


def test_what_does_not_paint_is_never_dropped() -> None:
    with writer() as (frames, master):
        frames.write("\x1b[?1049h")
        for number in range(50):
            frames.write(frame("ab"[number % 2]))
            frames.flush()
            frames.write(f"\x1b]2;{number}\x1b\\")
        frames.flush()
        data = read_until(master, lambda data: b"\x1b]2;49\x1b\\" in data)
        titles = [int(number) for number in re.findall(rb"\x1b\]2;(\d+)\x1b", data)]
        assert titles == list(range(50))


def test_nothing_is_drawn_on_the_normal_screen() -> None:
    with writer() as (frames, master):
        frames.write(frame("a"))
        frames.flush()
        frames.write("\x1b[?1049h")
        frames.flush()
        read_until(master, lambda data: QUESTION.encode() in data)
        frames.answered()
        frames.settle(5)
        frames.write(frame("b"))
        frames.write("\x1b[?1049l\x1b[?25h")
        frames.flush()
        data = read_until(master, lambda data: b"\x1b[?25h" in data)
        assert b"b" not in data


def test_a_closed_terminal_ends_the_thread() -> None:
    master, slave = os.openpty()
    frames = FrameWriter(slave, lambda: (80, 24))
    os.close(master)
    frames.write("\x1b[?1049h" + frame("a"))
    frames.flush()
    frames.settle(5)
    frames.close(5)
    os.close(slave)
    assert "terminal-output" not in {thread.name for thread in threading.enumerate() if thread.is_alive()}


@pytest.mark.parametrize(
    ("environment", "expected"),
    [({}, CellDriver), ({"WESLEY_DRIVER": "stock"}, None), ({"TEXTUAL_DRIVER": "x:Y"}, None)],
)
def test_the_way_back_to_textuals_own(environment: dict[str, str], expected: type | None) -> None:
    assert driver_class(environment) is expected
