"""How long comparing and planning take, without introspection: CPU time, medians of several runs; and what an editor
waits for when one type out of a thousand has changed: text to plan.

Run with ``make bench`` or ``pytest -s tests/benchmarks/bench_planner.py``.
"""

from __future__ import annotations

import gc
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import replace

from tests.unit.planner_cases import table
from wesley_tui.catalog.intent import Intent
from wesley_tui.catalog.model import Catalog, Check, Column, ForeignKey, Index, IndexKey, QName, Table
from wesley_tui.catalog.snapshot import Snapshot, TableSize
from wesley_tui.diff.compare import compare
from wesley_tui.planner.build import build_plan
from wesley_tui.sdl.diagnostics import Source
from wesley_tui.sdl.emit import emit_schema
from wesley_tui.services.target import Target
from wesley_tui.services.workbench import Workbench


def _tables(count: int) -> list[Table]:
    columns = tuple(Column(f"c{i}", "text", default="'x'::text") for i in range(8))
    return [
        table(
            QName("public", f"t{i}"),
            *columns,
            Column("parent", "bigint"),
            indexes=(Index(f"t{i}_c0_idx", (IndexKey("c0"),)),),
            constraints=(ForeignKey(f"t{i}_fkey", ("parent",), QName("public", f"t{max(i - 1, 0)}"), ("id",)),),
        )
        for i in range(count)
    ]


def _edited(item: Table, number: int) -> Table:
    """One of several everyday changes."""
    match number % 5:
        case 0:
            return replace(item, columns=(*item.columns, Column("added", "text")))
        case 1:
            return replace(item, columns=(*item.columns, Column("token", "uuid", True, "gen_random_uuid()")))
        case 2:
            return replace(item, indexes=(*item.indexes, Index(f"{item.name.name}_new", (IndexKey("c1"),))))
        case 3:
            return replace(item, constraints=(*item.constraints, Check(f"{item.name.name}_check", "c2 <> ''")))
        case _:
            return replace(item, columns=tuple(c for c in item.columns if c.name != "c7"))


def _catalog(tables: list[Table]) -> Catalog:
    return Catalog(frozenset({"public"}), {item.name: item for item in tables})


def _median_ms(action: Callable[[], object], runs: int = 7) -> float:
    times = []
    for _ in range(runs):
        started = time.process_time()
        action()
        times.append((time.process_time() - started) * 1000)
    return statistics.median(times)


def _measure(tables: int, changes: int) -> tuple[float, float, int]:
    live_tables = _tables(tables)
    live = _catalog(live_tables)
    copies = _tables(tables)
    step = tables // changes
    wanted = [_edited(item, i // step) if i % step == 0 else item for i, item in enumerate(copies)]
    desired = _catalog(wanted)
    snapshot = Snapshot(live, sizes=dict.fromkeys(live.tables, TableSize(1000, 80_000.0)))
    diff = compare(live, desired, Intent())
    comparing = _median_ms(lambda: compare(live, desired, Intent()))
    planning = _median_ms(lambda: build_plan(snapshot, desired, diff))
    return comparing, planning, len(list(build_plan(snapshot, desired, diff).steps))


def test_twenty_changes_in_a_thousand_tables() -> None:
    comparing, planning, steps = _measure(1000, 20)
    print(f"\n1,000 tables, 20 changes, {steps} steps: compare {comparing:.1f} ms, plan {planning:.1f} ms")
    assert comparing + planning < 50


def test_a_thousand_changes() -> None:
    comparing, planning, steps = _measure(1000, 1000)
    print(f"\n1,000 tables, 1,000 changes, {steps} steps: compare {comparing:.0f} ms, plan {planning:.0f} ms")
    assert comparing + planning < 1000


def test_a_chain_of_new_tables() -> None:
    desired = _catalog(_tables(2000))
    diff = compare(Catalog(frozenset({"public"})), desired, Intent())
    planning = _median_ms(lambda: build_plan(Snapshot(), desired, diff), runs=1)
    print(f"\n2,000 new tables in a chain of foreign keys: plan {planning:.0f} ms")
    assert planning < 5000


def test_one_type_of_a_thousand_edited() -> None:
    """Text to plan, as the editor does it: a new field somewhere, then taken away again, thirty times."""
    text = emit_schema(_catalog(_tables(1000)))
    workbench = Workbench(Target("dbname=bench"))
    catalog = workbench.compile([Source("schema.graphql", text)]).catalog
    workbench.snapshot = Snapshot(catalog, sizes=dict.fromkeys(catalog.tables, TableSize(1000, 80_000.0)))
    whole = time.process_time()
    Workbench(Target("dbname=bench")).compile([Source("schema.graphql", text)])
    whole_ms = (time.process_time() - whole) * 1000
    workbench.plan([Source("schema.graphql", text)])
    gc.collect()
    gc.freeze()
    times = []
    places = random.Random(1)
    for _ in range(30):
        brace = text.index("{", text.index(f"type T{places.randrange(1000)} "))
        edited = f"{text[: brace + 1]}\n  edited: String{text[brace + 1 :]}"
        for version, steps in ((edited, 1), (text, 0)):
            started = time.process_time()
            planning = workbench.plan([Source("schema.graphql", version)])
            times.append((time.process_time() - started) * 1000)
            assert planning.plan is not None
            assert len(list(planning.plan.steps)) == steps
    gc.unfreeze()
    p95 = statistics.quantiles(times, n=20)[-1]
    print(f"\n1,000 tables, one type edited: p50 {statistics.median(times):.0f} ms, p95 {p95:.0f} ms of CPU; ", end="")
    print(f"compiling all of it anew: {whole_ms:.0f} ms")
    assert statistics.median(times) < whole_ms / 5
