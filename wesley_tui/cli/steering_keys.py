"""Keys while one is attached to a run: p pauses it, r lets it go on, c cancels it. Whoever may not, only watches.

The terminal gives single keys without echo for as long as that lasts, and is given back however it ends. Keys are read
and requests made in a thread of their own, so that events are shown meanwhile.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import termios
import threading
import tty
from types import FrameType, TracebackType
from typing import Any

from wesley_tui.cli.output import note

__all__ = ["SteeringKeys"]


class SteeringKeys:
    """Does nothing unless ``wanted`` and at a terminal."""

    def __init__(self, conninfo: str, run_id: int, *, wanted: bool) -> None:
        self._conninfo = conninfo
        self._run_id = run_id
        self._wanted = wanted and sys.stdin.isatty() and sys.stdout.isatty()
        self._before: list[Any] | None = None
        self._handlers: dict[int, Any] = {}
        self._asked_to_cancel = False
        self._thread: threading.Thread | None = None

    def __enter__(self) -> SteeringKeys:
        if not self._wanted:
            return self
        from wesley_tui.executor.asking import may_steer

        if not may_steer(self._conninfo):
            note("watching only: this role may not INSERT into wesley.migration_commands. Control-C leaves.")
            return self
        note("p pauses the run, r lets it go on, c cancels it; Control-C leaves, and the run goes on.")
        try:
            self._begin()
        except BaseException:  # a signal that came in between: the terminal is given back as after any other
            self._end()
            raise
        return self

    def _begin(self) -> None:
        for number, handler in (
            (signal.SIGTERM, _leave), (signal.SIGHUP, _leave), (signal.SIGCONT, lambda *_: self._take_keys()),
        ):  # fmt: skip
            self._handlers[number] = signal.signal(number, handler)
        self._before = termios.tcgetattr(sys.stdin)
        self._take_keys()
        self._wake, self._woken = os.pipe()
        thread = threading.Thread(target=self._listen, name="keys", daemon=True)
        thread.start()
        self._thread = thread

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        if self._thread is not None:
            os.close(self._woken)
            self._thread.join(5)
        if self._before is not None:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(sys.stdin, termios.TCSANOW, self._before)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def _take_keys(self) -> None:
        if self._before is None:
            return
        with contextlib.suppress(termios.error):
            tty.setcbreak(sys.stdin, termios.TCSANOW)

    def _listen(self) -> None:
        keyboard = sys.stdin.fileno()
        while True:
            ready, _, _ = select.select([keyboard, self._wake], [], [])
            if self._wake in ready:
                os.close(self._wake)
                return
            with contextlib.suppress(OSError):
                for key in os.read(keyboard, 64).decode("ascii", "ignore"):
                    self._press(key)

    def _press(self, key: str) -> None:
        from wesley_tui.executor.asking import ask_cancel, ask_pause, ask_resume, find_summary
        from wesley_tui.executor.errors import ExecutorError

        confirmed = self._asked_to_cancel and key == "y"
        self._asked_to_cancel = key == "c"
        try:
            if key == "p":
                note("asked: pause after the current step or batch")
                ask_pause(self._conninfo, self._run_id, "", patience_s=0)
            elif key == "r":
                note("asked: go on")
                ask_resume(self._conninfo, find_summary(self._conninfo, self._run_id), patience_s=0)
            elif key == "c":
                note("cancel the run? What has succeeded stays. y cancels, any other key does not")
            elif confirmed:
                note("asked: cancel")
                ask_cancel(self._conninfo, self._run_id, "cancelled by who was attached", patience_s=0)
        except ExecutorError as error:
            note(f"wesley: {error}")


def _leave(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)
