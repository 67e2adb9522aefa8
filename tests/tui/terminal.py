"""A pseudo-terminal with an application in it: what a person's terminal would get, byte by byte."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType

import pyte

__all__ = ["Terminal"]

_SHAPING = ("COLORTERM", "COLUMNS", "LINES", "NO_COLOR", "TERM")
"""What of the environment changes the picture; a parallel test runner sets COLUMNS."""
_ROOT = Path(__file__).resolve().parents[2]


_QUESTION, _ANSWER = b"\x1b[5n", b"\x1b[0n"
_NOT_FOR_PYTE = re.compile(rb"\x1b\[[<>=][\d;]*[a-z]")
"""Sequences that the emulator would print in part instead of ignoring them."""


class Terminal:
    """Starts ``python -c program`` on a pty of its own; use as a context manager.

    ``answers`` is whether it answers status reports, as terminals do; ``log`` takes standard error away from it.
    """

    def __init__(
        self,
        program: str,
        *,
        columns: int = 120,
        rows: int = 40,
        environment: Mapping[str, str] | None = None,
        answers: bool = True,
        log: Path | None = None,
    ) -> None:
        self.output = bytearray()
        self._answers = answers
        self._answered = 0
        self._screen = pyte.Screen(columns, rows)
        self._emulator = pyte.ByteStream(self._screen)
        self._emulated = 0
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        base = {key: value for key, value in os.environ.items() if key not in _SHAPING}
        self.started = time.perf_counter()
        errors = slave if log is None else os.open(log, os.O_WRONLY | os.O_CREAT, 0o600)
        self.process = subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=slave,
            stdout=slave,
            stderr=errors,
            cwd=_ROOT,
            env={**base, "TERM": "xterm-256color", "LANG": "C.UTF-8", **(environment or {})},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)
        if errors != slave:
            os.close(errors)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.hang_up()

    def read_until(self, done: Callable[[bytes], bool], timeout: float = 30.0) -> float:
        """Read until ``done(everything so far)``; the seconds since the start. Raises when it does not come to pass."""
        deadline = time.perf_counter() + timeout
        while not done(bytes(self.output)):
            left = deadline - time.perf_counter()
            if left <= 0:
                raise TimeoutError(f"the terminal shows {bytes(self.output[-2000:])!r}")
            if self.master < 0 or not select.select([self.master], [], [], left)[0]:
                continue
            try:
                data = os.read(self.master, 65536)
            except OSError:
                data = b""
            if not data:
                if done(bytes(self.output)):
                    break
                raise EOFError(f"the application ended; the terminal shows {bytes(self.output[-2000:])!r}")
            self._take(data)
        return time.perf_counter() - self.started

    def _take(self, data: bytes) -> None:
        self.output += data
        if self._answers:
            asked = self.output.count(_QUESTION)
            if asked > self._answered:
                os.write(self.master, _ANSWER * (asked - self._answered))
            self._answered = asked

    def forget(self) -> None:
        """Begin the record anew; the screen stays."""
        self.display()
        self.output.clear()
        self._emulated = self._answered = 0

    def emulate(self, data: bytes) -> None:
        """Something that another program writes on this terminal."""
        self.display()
        self._emulator.feed(data)

    def display(self) -> str:
        """What a person sees now."""
        end = len(self.output)
        self._emulator.feed(_NOT_FOR_PYTE.sub(b"", bytes(self.output[self._emulated : end])))
        self._emulated = end
        return "\n".join(self._screen.display)

    def wait_for(self, text: str, timeout: float = 30.0) -> float:
        """Until the text was written, or is on the screen; the seconds since the start."""
        return self.read_until(lambda data: text.encode() in data or text in self.display(), timeout)

    def quiet(self, seconds: float = 0.3) -> None:
        """Read until nothing more comes for ``seconds``."""
        while select.select([self.master], [], [], seconds)[0]:
            try:
                self._take(os.read(self.master, 65536))
            except OSError:
                return

    def send(self, data: bytes) -> None:
        os.write(self.master, data)

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def hang_up(self) -> None:
        """Close the terminal's window."""
        if self.master >= 0:
            os.close(self.master)
            self.master = -1

    def wait(self, timeout: float = 30.0) -> int:
        """Read what is still written, until the process has ended; its exit status."""
        deadline = time.perf_counter() + timeout
        while self.process.poll() is None and time.perf_counter() < deadline:
            if self.master < 0:
                self.process.wait(timeout=max(0.01, deadline - time.perf_counter()))
            elif select.select([self.master], [], [], 0.05)[0]:
                try:
                    self._take(os.read(self.master, 65536))
                except OSError:
                    self.process.wait(timeout=max(0.01, deadline - time.perf_counter()))
        if self.master >= 0:
            self.quiet(0.05)
        return self.process.wait(timeout=1)
