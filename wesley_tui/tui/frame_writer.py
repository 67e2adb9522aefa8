"""The thread that writes to the terminal, so that a terminal that stops reading stops nobody but this thread.

What does not paint is queued and never dropped; of what is painted only the newest picture is kept, and sent as the
difference to what the terminal shows (``canvas.py``), as fast as the terminal says that it follows (``pace.py``).
"""

from __future__ import annotations

import codecs
import contextlib
import os
import threading
import time
from collections import deque
from collections.abc import Callable

from rich.cells import cell_len

from wesley_tui.tui.canvas import Canvas
from wesley_tui.tui.pace import QUESTION, Pace
from wesley_tui.tui.stream import TerminalStream

__all__ = ["FrameWriter"]

_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"
"""Synchronized output: a terminal that knows it shows what is between them at once."""


def _question_marks(error: UnicodeError) -> tuple[str, int]:
    """What the terminal's encoding does not have, as question marks of the same width."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "?" * cell_len(error.object[error.start : error.end]), error.end


codecs.register_error("wesley.cells", _question_marks)


class FrameWriter:
    """Writes to ``fileno`` from a thread of its own; no call blocks, but for :meth:`settle` and :meth:`close`."""

    def __init__(
        self,
        fileno: int,
        size: Callable[[], tuple[int, int]],
        *,
        encoding: str = "utf-8",
        clock: Callable[[], float] = time.monotonic,
        canvas: Canvas | None = None,
    ) -> None:
        """``canvas`` is that of the writer before, when the application was suspended: it is drawn again."""
        self._fileno = fileno
        self._size = size
        self._encoding = encoding
        self._clock = clock
        self._pace = Pace()
        self._changed = threading.Condition()
        self._queue: deque[str] = deque()
        self._stream = TerminalStream(canvas or Canvas(*size()), self._queue.append)
        self._paused = False
        self._closing = False
        self._dead = False
        self._thread = threading.Thread(target=self._run, name="terminal-output", daemon=True)
        self._thread.start()

    @property
    def canvas(self) -> Canvas:
        """What was painted."""
        return self._stream.canvas

    def write(self, data: str) -> None:
        """Take what Textual writes."""
        size = self._size()
        with self._changed:
            if size != self._stream.canvas.size:
                self._stream.resize(*size)
            self._stream.write(data)

    def flush(self) -> None:
        """A frame is complete."""
        with self._changed:
            self._changed.notify_all()

    def repaint(self) -> None:
        """Draw everything again: something else wrote to the terminal."""
        with self._changed:
            self._stream.canvas.forget()
            self._changed.notify_all()

    def answered(self) -> None:
        """The terminal has answered a question."""
        with self._changed:
            self._pace.answered()
            self._changed.notify_all()

    @property
    def expects_answer(self) -> bool:
        """Whether the terminal has probably something to say still."""
        with self._changed:
            return self._pace.expects(self._clock())

    def settle(self, seconds: float) -> None:
        """Draw nothing more, and wait for answers that are under way: nobody else would understand them."""
        with self._changed:
            self._paused = True
            self._changed.wait_for(lambda: self._dead or not self._pace.expects(self._clock()), seconds)
            self._pace.give_up()

    def close(self, seconds: float) -> None:
        """End, after what is queued was written; a terminal that takes nothing is given up after ``seconds``."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(seconds)

    # -- the thread ----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            with self._changed:
                data = self._next()
                while not data:
                    if self._closing:
                        return
                    self._changed.wait(self._wait_seconds())
                    data = self._next()
            if not self._write_all(data.encode(self._encoding, "wesley.cells")):
                with self._changed:
                    self._dead = True
                    self._queue.clear()
                    self._changed.notify_all()
                return

    def _wait_seconds(self) -> float | None:
        """Until an overdue answer is no longer waited for; None when only :meth:`flush` and its like matter."""
        return (self._pace.wait(self._clock()) or None) if self._drawable() else None

    def _drawable(self) -> bool:
        return self._stream.visible and not self._paused and not self._closing and self._stream.canvas.damaged

    def _next(self) -> str:
        """What is to be written now: what is queued, and a frame when the terminal follows."""
        parts = list(self._queue)
        self._queue.clear()
        now = self._clock()
        if self._drawable() and self._pace.wait(now) <= 0:
            frame = self._stream.canvas.draw()
            if self._stream.synchronized:
                frame = f"{_BEGIN}{frame}{_END}"
            if self._pace.asks:
                frame += QUESTION
                self._pace.sent(len(frame), now)
            parts.append(frame)
        return "".join(parts)

    def _write_all(self, data: bytes) -> bool:
        """False when the terminal is gone."""
        with contextlib.suppress(OSError):
            while data:
                data = data[os.write(self._fileno, data) :]
            return True
        return False
