"""Lines of progress, written by a thread of their own: a terminal that has stopped reading (Ctrl+S, a dead SSH
connection) must neither slow the run down nor keep the process from hearing a signal.

The lines that wait are bounded; when there are too many, the oldest fall out, and how many is said. They are all in the
database.
"""

from __future__ import annotations

import threading
from collections import deque

from wesley_tui.cli.output import note

__all__ = ["PROGRESS", "Progress"]

_WAITING_LINES = 10_000


class Progress:
    """``tell`` never blocks; the thread begins with the first line, so that a process may be forked before."""

    def __init__(self, capacity: int = _WAITING_LINES) -> None:
        self._lines: deque[str] = deque()
        self._capacity = capacity
        self._dropped = 0
        self._changed = threading.Condition()
        self._writing = False
        self._thread: threading.Thread | None = None

    def tell(self, line: str) -> None:
        with self._changed:
            if len(self._lines) >= self._capacity:
                self._lines.popleft()
                self._dropped += 1
            self._lines.append(line)
            if self._thread is None:
                self._thread = threading.Thread(target=self._write, name="progress", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def written(self, patience_s: float = 2.0) -> bool:
        """Wait until all lines are written, at most ``patience_s`` seconds: before something else is."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._lines and not self._writing, patience_s)

    def _write(self) -> None:
        while True:
            with self._changed:
                self._writing = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._lines)
                lines, self._writing = list(self._lines), True
                dropped, self._dropped = self._dropped, 0
                self._lines.clear()
            if dropped:
                note(f"({dropped} lines left out: wesley attach shows all)")
            note("\n".join(lines))


PROGRESS = Progress()
