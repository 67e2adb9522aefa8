"""Calls the installed ``wesley`` as a user would: a process of its own, its exit code, its two streams."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WESLEY = Path(sys.executable).with_name("wesley")


@dataclass(frozen=True, slots=True)
class Called:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def wesley(
    *arguments: str | Path, state: Path, stdin: str | None = None, env: Mapping[str, str] | None = None
) -> Called:
    """Run ``wesley ARGUMENTS``; ``state`` holds its XDG directories, so that a test leaves nothing behind."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "XDG_"))}
    environment |= {f"XDG_{kind}_HOME": str(state / kind.lower()) for kind in ("STATE", "CONFIG", "CACHE", "DATA")}
    result = subprocess.run(
        [str(WESLEY), *map(str, arguments)],
        input=stdin if stdin is not None else "",
        capture_output=True,
        text=True,
        timeout=120,
        env={**environment, **(env or {})},
        check=False,
    )
    return Called(result.returncode, result.stdout, result.stderr)
