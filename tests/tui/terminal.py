"""A pseudo-terminal with an application in it: what a person's terminal would get, byte by byte."""

from __future__ import annotations

import fcntl
import os
import pty
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

__all__ = ["Terminal"]

_ROOT = Path(__file__).resolve().parents[2]


class Terminal:
    """Starts ``python -c program`` on a pty of its own; use as a context manager."""

    def __init__(
        self, program: str, *, columns: int = 120, rows: int = 40, environment: Mapping[str, str] | None = None
    ) -> None:
        self.output = bytearray()
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        base = {key: value for key, value in os.environ.items() if key not in ("COLORTERM", "NO_COLOR", "TERM")}
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=_ROOT,
            env={**base, "TERM": "xterm-256color", "LANG": "C.UTF-8", **(environment or {})},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)

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
            self.output += data
        return time.perf_counter() - self.started

    def wait_for(self, text: str, timeout: float = 30.0) -> float:
        return self.read_until(lambda data: text.encode() in data, timeout)

    def quiet(self, seconds: float = 0.3) -> None:
        """Read until nothing more comes for ``seconds``."""
        while select.select([self.master], [], [], seconds)[0]:
            try:
                self.output += os.read(self.master, 65536)
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
                    self.output += os.read(self.master, 65536)
                except OSError:
                    self.process.wait(timeout=max(0.01, deadline - time.perf_counter()))
        if self.master >= 0:
            self.quiet(0.05)
        return self.process.wait(timeout=1)
