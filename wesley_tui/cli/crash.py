"""A defect of ours: the traceback goes into a file, the person gets a sentence."""

from __future__ import annotations

import os
import tempfile
import traceback
from datetime import UTC, datetime


class CrashReport(Exception):
    """Wraps an unexpected exception; ``str()`` names the file that holds its traceback (mode 0600: values of local
    variables are not in it, but messages may quote SQL)."""

    def __init__(self, error: BaseException) -> None:
        detail = str(error).splitlines()
        summary = f"{type(error).__name__}: {detail[0] if detail else ''}".rstrip(": ")
        super().__init__(
            f"internal error: {summary}\n"
            f"  This is a defect of Wesley, not of your schema. Details: {_save(error)}\n"
            "  If a run was going on, `wesley status` tells what was done; `wesley resume` goes on."
        )


def _save(error: BaseException) -> str:
    from platformdirs import user_state_path

    text = f"{datetime.now(UTC).isoformat()}\n" + "".join(traceback.format_exception(error))
    try:
        directory = user_state_path("wesley") / "crashes"
        directory.mkdir(parents=True, exist_ok=True)
        descriptor, path = tempfile.mkstemp(prefix="crash-", suffix=".txt", dir=directory)
    except OSError:
        descriptor, path = tempfile.mkstemp(prefix="wesley-crash-", suffix=".txt")
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)
    return path
