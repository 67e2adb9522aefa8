"""Starts drivers by forking: hundreds of processes are killed here, and importing everything anew would take longest.

:class:`Zygote` runs ``python -m tests.faults.zygote``, which has imported all that a driver needs, and forks a process
for every line of JSON that it reads. It says the process id, and later the exit status.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

__all__ = ["Driver", "Zygote"]

_ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Driver:
    """A process that executes a plan; what it says on its error output is in the file ``said``."""

    pid: int
    said: Path
    zygote: Zygote = field(repr=False)

    def wait(self, timeout: float = 120) -> int:
        """Exit status; below zero: minus the signal that ended it."""
        end = time.monotonic() + timeout
        while self.pid not in self.zygote.statuses:
            assert time.monotonic() < end, f"driver {self.pid} still runs"
            self.zygote.hear(0.5)
        return self.zygote.statuses[self.pid]

    def kill(self) -> None:
        self.zygote.hear(0)
        if self.pid not in self.zygote.statuses:
            os.kill(self.pid, signal.SIGKILL)

    def __enter__(self) -> Driver:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        self.wait()


class Zygote:
    """One per test process."""

    def __init__(self) -> None:
        self.statuses: dict[int, int] = {}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.zygote"], cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._pending = b""
        self._begun: list[int] = []

    def start(self, arguments: Sequence[str], environment: Mapping[str, str], said: Path) -> Driver:
        assert self._process.stdin is not None
        request = {"arguments": list(arguments), "environment": dict(environment), "said": str(said)}
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()
        while not self._begun:
            self.hear(5)
        return Driver(self._begun.pop(), said, self)

    def hear(self, seconds: float) -> None:
        """Take in what it has said, waiting for at most so long."""
        assert self._process.stdout is not None
        number = self._process.stdout.fileno()
        if select.select([number], [], [], seconds)[0]:
            data = os.read(number, 65536)
            assert data, "the zygote has ended"
            *lines, self._pending = (self._pending + data).split(b"\n")
            for line in lines:
                told: dict[str, Any] = json.loads(line)
                if "status" in told:
                    self.statuses[told["pid"]] = told["status"]
                else:
                    # Process ids are used again: what this one meant before is over.
                    self.statuses.pop(told["pid"], None)
                    self._begun.append(told["pid"])

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)


def _serve() -> None:
    from tests.faults.driver import main
    from wesley_tui.executor.psql_binary import find_psql

    find_psql()
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    pending = b""
    while True:
        ready, _, _ = select.select([0, woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            _tell_ended()
        if 0 not in ready:
            continue
        data = os.read(0, 65536)
        if not data:
            return
        *lines, pending = (pending + data).split(b"\n")
        for line in lines:
            request = json.loads(line)
            pid = os.fork()
            if not pid:
                signal.set_wakeup_fd(-1)
                _be_driver(main, request)
            _tell({"pid": pid})


def _be_driver(main: Any, request: Mapping[str, Any]) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ.update(request["environment"])
    nothing = os.open(os.devnull, os.O_RDWR)
    said = os.open(request["said"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for target, source in ((0, nothing), (1, nothing), (2, said)):
        os.dup2(source, target)
    status = 1
    try:
        status = main(request["arguments"])
    finally:
        sys.stderr.flush()
        os._exit(status)


def _tell_ended() -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        _tell({"pid": pid, "status": os.waitstatus_to_exitcode(status)})


def _tell(what: Mapping[str, int]) -> None:
    os.write(1, json.dumps(what).encode() + b"\n")


if __name__ == "__main__":
    _serve()
