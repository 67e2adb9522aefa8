"""What a person at a terminal waits for, measured on a pseudo-terminal: first paint, and keystroke → plan painted.

Run with ``python -m pytest -q -s tests/benchmarks/bench_tui.py``; medians of interleaved rounds. The plan is made by
the real compiler and planner from a schema of new tables; the database is an empty snapshot, so that nothing but
Wesley is measured. The pause of the debounce (120 ms) is part of the figure.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable

import pytest

from tests.tui.terminal import Terminal

_ROUNDS = 7
_KEYSTROKES = 9

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
from wesley_tui.tui.app import WesleyApp
class Offline(Workbench):
    async def read(self, schemas=None):
        self.snapshot = Snapshot(database="bench")
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
        "Wesley, 13 tables": lambda: _first_paint(_WESLEY.format(tables=13), "F2 Schema"),
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


@pytest.mark.parametrize("tables", [13, 100])
def test_keystroke_to_plan_painted(tables: int) -> None:
    import time

    painted: list[float] = []
    echoed: list[float] = []
    written: list[int] = []
    with Terminal(_WESLEY.format(tables=tables)) as terminal:
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
            terminal.output.clear()
            start = time.perf_counter()
            terminal.send(letter.encode())
            terminal.read_until(lambda data: bool(data))
            echoed.append((time.perf_counter() - start) * 1000)
            terminal.wait_for(f"public.{name}")
            painted.append((time.perf_counter() - start) * 1000)
            terminal.quiet()
            written.append(len(terminal.output))
    echo, plan, size = statistics.median(echoed), statistics.median(painted), statistics.median(written) / 1000
    print(
        f"\n{tables} tables: key echoed after {echo:.0f} ms, plan painted after {plan:.0f} ms (120 ms of it debounce), "
        f"{size:.1f} kB written"
    )
    assert statistics.median(painted) < 1000
