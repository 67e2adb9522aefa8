"""How long ``wesley lint`` takes for 4,000 lines, the whole process; beside squawk where it is installed.

Run with ``make bench`` or ``pytest -s tests/benchmarks/bench_lint.py``.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

_PART = """CREATE TABLE app.t{i} (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL,
  made timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX CONCURRENTLY t{i}_name ON app.old{i} (name);
ALTER TABLE app.old{i} ADD COLUMN note text;
UPDATE app.old{i} SET note = 'x' WHERE id BETWEEN 1 AND 1000;
"""


def script_of(lines: int) -> str:
    return "".join(_PART.format(i=number) for number in range(lines // 8))


def _median_ms(command: Sequence[str], runs: int = 5) -> float:
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


def test_four_thousand_lines(tmp_path: Path) -> None:
    file = tmp_path / "migration.sql"
    file.write_text(script_of(4000))
    entry = "import sys; from wesley_tui.cli.main import main; sys.argv[0] = 'wesley'; main()"
    ours = _median_ms([sys.executable, "-c", entry, "lint", str(file), "--json"])
    print(f"\nwesley lint, 4,000 lines, whole process: {ours:.0f} ms")
    squawk = shutil.which("squawk")
    if squawk is not None:
        print(f"squawk, the same file: {_median_ms([squawk, str(file)]):.0f} ms")
    assert ours < 1500, "the aim is 500 ms on a machine with nothing else to do"
