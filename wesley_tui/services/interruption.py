"""Signals while a run is executed in this process: the first ends it in order, so that it can be resumed.

SIGINT, SIGTERM and SIGHUP (the terminal was closed, the SSH connection dropped) all mean the same: what the server runs
is cancelled, what was left half-made is removed, the end is recorded. A second one cancels the tidying too, a third one
leaves at once. A signal that was ignored when we were started (``nohup``) stays ignored. SIGTSTP needs nothing: a step
that was sent ends by itself, nothing starts while we are stopped, and after SIGCONT the run goes on.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

__all__ = ["Interruption"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interruption:
    """Counts signals from :meth:`__enter__` to :meth:`__exit__`; only the main thread can."""

    def __init__(self) -> None:
        self.number = 0
        """Of the first signal; 0 when there was none."""
        self._times = 0
        self._told = 0
        self._before: dict[signal.Signals, Any] = {}

    @property
    def name(self) -> str:
        return signal.Signals(self.number).name

    @property
    def status(self) -> int:
        """What the process ends with, as shells expect: 129, 130 or 143."""
        return 128 + self.number

    def new(self) -> bool:
        """Whether there was a signal since this was asked last. The third one ends the process."""
        if self._times >= 3:
            raise SystemExit(self.status)
        new = self._times > self._told
        self._told = self._times
        return new

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._take)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _take(self, number: int, _: FrameType | None) -> None:
        self.number = self.number or number
        self._times += 1
