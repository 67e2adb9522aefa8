"""What a person at a terminal waits for, measured on a pseudo-terminal: first paint, and keystroke → plan painted.

Run with ``python -m pytest -q -s tests/benchmarks/bench_tui.py``; medians of interleaved rounds. The plan is made by
the real compiler and planner; the snapshot of the database is made from the same text, so that nothing but Wesley is
measured. The pause of the debounce (120 ms) is part of the figure.
"""

from __future__ import annotations

import os
import select
import statistics
import time
from collections.abc import Callable, Mapping

import pytest

from tests.tui.terminal import Terminal

_ROUNDS = 7
_KEYSTROKES = 9

DRIVERS: Mapping[str, Mapping[str, str]] = {"ours": {}, "stock": {"WESLEY_DRIVER": "stock"}}

_EMPTY = """
from textual.app import App
from textual.widgets import Static
class Empty(App):
    def compose(self):
        yield Static("first paint")
Empty().run()
"""

_WESLEY = """
from wesley_tui.services.target import Target
from wesley_tui.services.workbench import Workbench
from wesley_tui.catalog.snapshot import Snapshot
from wesley_tui.sdl.diagnostics import Source
from wesley_tui.tui.app import WesleyApp
class Offline(Workbench):
    async def read(self, schemas=None):
        self.snapshot = Snapshot(self.compile([Source("live", "".join(table(n) for n in {live}))]).catalog)
        return self.snapshot
def table(number):
    name = "aardvark" if number == 0 else f"table_{{number}}"
    fields = "".join(f"  field_{{n}}: String! @index\\n" for n in range(8))
    return f'type T{{number}} @table(name: "{{name}}") {{{{\\n  id: ID! @pk\\n{{fields}}}}}}\\n'
app = WesleyApp(Offline(Target("dbname=bench")), [("schema.graphql", "".join(table(n) for n in range({tables})))])
app.run()
"""


def _first_paint(program: str, text: str) -> float:
    with Terminal(program) as terminal:
        return terminal.wait_for(text) * 1000


def test_first_paint_beside_an_empty_application() -> None:
    runs: dict[str, Callable[[], float]] = {
        "empty Textual application": lambda: _first_paint(_EMPTY, "first paint"),
        "Wesley, 13 tables": lambda: _first_paint(_WESLEY.format(tables=13, live="()"), "F2 Schema"),
    }
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(_ROUNDS):
        for name, run in runs.items():
            times[name].append(run())
    empty, wesley = (statistics.median(values) for values in times.values())
    print(
        f"\nfirst paint: empty Textual application {empty:.0f} ms, Wesley {wesley:.0f} ms, ratio {wesley / empty:.2f}"
    )
    assert wesley / empty < 2.5


@pytest.mark.parametrize(("tables", "live"), [(13, "()"), (100, "()"), (1000, "range(1, 1000)")])
def test_keystroke_to_plan_painted(tables: int, live: str) -> None:
    """In a schema of new tables; and in one of a thousand that the database has, all but the one that is edited."""
    painted: dict[str, list[float]] = {}
    echoed: dict[str, list[float]] = {}
    written: dict[str, list[int]] = {}
    for driver, environment in DRIVERS.items():
        painted[driver], echoed[driver], written[driver] = _type(tables, live, environment)
    for driver in DRIVERS:
        echo, plan = statistics.median(echoed[driver]), statistics.median(painted[driver])
        size = statistics.median(written[driver]) / 1000
        print(
            f"\n{tables} tables ({'new' if live == '()' else 'live'}), {driver}: key echoed after {echo:.0f} ms, "
            f"plan painted after {plan:.0f} ms (120 ms of it debounce), {size:.2f} kB written",
            end="",
        )
    ours, stock = (statistics.median(written[driver]) for driver in DRIVERS)
    print(f"\n  bytes of Textual's own driver / ours: {stock / ours:.1f}")
    assert ours * 5 < stock
    assert statistics.median(painted["ours"]) < 1000


def _type(tables: int, live: str, environment: Mapping[str, str]) -> tuple[list[float], list[float], list[int]]:
    """Milliseconds to the echo and to the plan, and bytes, for each letter typed into a name."""
    painted: list[float] = []
    echoed: list[float] = []
    written: list[int] = []
    with Terminal(_WESLEY.format(tables=tables, live=live), environment=environment) as terminal:
        terminal.wait_for("create_table", timeout=60)
        terminal.quiet()
        terminal.send(b"\x1bOR\x1b[B")  # F3, down: the first step, so that the details show its SQL
        terminal.quiet()
        terminal.send(b"\x1bOQ" + b"\x1b[C" * 23)  # F2, then into the name of the first table
        terminal.quiet()
        name = "aardvark"
        for number in range(_KEYSTROKES):
            letter = "abcdefghijklmnopq"[number]
            name = name[: 1 + number] + letter + name[1 + number :]
            terminal.forget()
            start = time.perf_counter()
            terminal.send(letter.encode())
            terminal.read_until(lambda data: bool(data))
            echoed.append((time.perf_counter() - start) * 1000)
            terminal.wait_for(f"public.{name}")
            painted.append((time.perf_counter() - start) * 1000)
            terminal.quiet()
            written.append(len(terminal.output))
    return painted, echoed, written


_RUNNING = """
from tests.tui import plans
from tests.tui.fakes import SCHEMA, FakeRun, FakeWorkbench
from wesley_tui.executor.events import EventType
from wesley_tui.tui.app import WesleyApp
class Busy(FakeRun):
    def drain(self):
        for _ in range(40):
            self.emit(EventType.CHECKPOINT_SAVED, f"batch {self._id} of public.users: {self._id * 977} rows")
        return super().drain()
class Bench(FakeWorkbench):
    def start(self, plan, token):
        return Busy(plan)
WesleyApp(Bench(plans.SAFE), [("schema.graphql", SCHEMA)]).run()
"""

LINK_BYTES_PER_SECOND = 64_000
BUFFER_BYTES = 256_000
"""What ssh and the network take at once, whatever the line behind them can do."""


class SlowLine:
    """Between a pty and a person: hands on what was written at the speed of the line, and answers only then."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self.arrived = bytearray()
        self._buffer = bytearray()
        self._last = time.perf_counter()
        self._credit = 0.0

    def pump(self, seconds: float) -> None:
        """Let this much time pass."""
        end = time.perf_counter() + seconds
        while (now := time.perf_counter()) < end:
            if len(self._buffer) < BUFFER_BYTES and select.select([self.terminal.master], [], [], 0.002)[0]:
                self._buffer += os.read(self.terminal.master, 65536)
            self._credit = min(2000.0, self._credit + (now - self._last) * LINK_BYTES_PER_SECOND)
            self._last = now
            ready = min(int(self._credit), len(self._buffer))
            if ready:
                before = self.arrived.count(b"\x1b[5n")
                self.arrived += self._buffer[:ready]
                del self._buffer[:ready]
                self._credit -= ready
                os.write(self.terminal.master, b"\x1b[0n" * (self.arrived.count(b"\x1b[5n") - before))

    def until(self, seen: bytes, limit: float = 20.0) -> float:
        """Seconds until ``seen`` arrived."""
        start = time.perf_counter()
        while seen not in self.arrived and time.perf_counter() - start < limit:
            self.pump(0.004)
        return time.perf_counter() - start


def _echo_seconds(environment: Mapping[str, str]) -> list[float]:
    """For keys pressed while a log is running: from the key to its effect at the far end of the slow line."""
    with Terminal(_RUNNING, environment=environment, answers=False) as terminal:
        line = SlowLine(terminal)
        line.until(b"add_column")
        line.pump(0.5)
        for keys, seen in ((b"\x12", b"Review before"), (b"\x1b[1;5F", b"Type "), (b"apply\r", b"checkpoint")):
            terminal.send(keys)
            line.until(seen)
        terminal.send(b"\x1bOQ")  # F2: the editor, beside the log
        line.pump(3.0)
        latencies = []
        for mark in "ŵŷẑǩ":  # on the screen nowhere else
            line.arrived.clear()
            terminal.send(mark.encode())
            latencies.append(line.until(mark.encode()))
            line.pump(0.4)
    return latencies


def test_echo_on_a_slow_line_with_a_log_running() -> None:
    echo = {driver: statistics.median(_echo_seconds(environment)) for driver, environment in DRIVERS.items()}
    print(
        f"\n64 KB/s and a log of 400 lines/s: key echoed after {echo['ours'] * 1000:.0f} ms, with Textual's own "
        f"driver {echo['stock'] * 1000:.0f} ms; ratio {echo['stock'] / echo['ours']:.0f}"
    )
    assert echo["ours"] < 0.25
