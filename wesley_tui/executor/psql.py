"""One long-lived psql child, as a stream of exchanges: one statement in, one answer out, never two at once.

What is written must be harmless when it is cut at any byte, because psql executes its unfinished buffer when its input
ends: only calls of functions in schema ``wesley`` go over this wire, and statements that the server itself hands out
(``\\gexec``). Each exchange ends with a random word that psql echoes on both outputs::

    SELECT wesley.apply_step(7, 3, 12, '9f…', 1, 250);
    \\echo 5be1… :ERROR
    \\warn 5be1…

``:ERROR`` is psql's own verdict; a server's message that looks like one is only text. After an error ``\\errverbose``
tells its SQLSTATE, in an exchange of its own, where no notice can stand between.

psql's memory of an exchange is bounded here: the last lines of each output are kept, the others counted.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import re
import secrets
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from wesley_tui.executor import failpoints
from wesley_tui.executor.errors import ConnectionLost, StatementFailed
from wesley_tui.executor.psql_binary import PsqlBinary
from wesley_tui.executor.target import PsqlAccess

__all__ = ["Answer", "Psql"]

_KEPT_LINES = 200
_LINE_BYTES = 65_536
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
_ERROR = re.compile(r"^(?:psql:[^\n]*?:\d+: )?(?:error: )?(\S+):  ([0-9A-Z]{5}): (.*)$")
_FIELD = re.compile(
    r"^(DETAIL|HINT|CONTEXT|QUERY|LOCATION|LINE \d+|SCHEMA NAME|TABLE NAME|COLUMN NAME|CONSTRAINT NAME):\s+(.*)$"
)


@dataclass(frozen=True, slots=True)
class Answer:
    rows: tuple[str, ...]
    """Lines of the result, unaligned, without header."""
    notices: tuple[str, ...]
    """What psql wrote on its error output, at most the last 200 lines."""


@dataclass(slots=True)
class _Exchange:
    nonce: str = field(default_factory=lambda: secrets.token_hex(16))
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    out: deque[str] = field(default_factory=lambda: deque(maxlen=_KEPT_LINES))
    err: deque[str] = field(default_factory=lambda: deque(maxlen=_KEPT_LINES))
    verdict: str | None = None
    warned: bool = False

    @property
    def whole(self) -> bool:
        """Whether both of psql's outputs have come to its end."""
        return self.verdict is not None and self.warned

    def answer(self) -> Answer:
        return Answer(tuple(self.out), tuple(self.err))


class Psql:
    """A psql process with one session on the server."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._current: _Exchange | None = None
        self._last_words: deque[str] = deque(maxlen=20)
        self._ended = False
        assert process.stdout is not None
        assert process.stderr is not None
        self._readers = asyncio.gather(
            self._read(process.stdout, self._hear_out), self._read(process.stderr, self._hear_err)
        )
        self._readers.add_done_callback(self._hang_up)
        self.backend_pid = 0
        """Process id of its session on the server; 0 before :meth:`start` has asked."""

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return not self._ended

    @classmethod
    async def start(cls, binary: PsqlBinary, access: PsqlAccess, application_name: str) -> Psql:
        """Start a child and wait for its session; :class:`ConnectionLost` with psql's words when there is none."""
        process = await asyncio.create_subprocess_exec(
            str(binary.path),
            *("-X", "-q", "-A", "-t", "-w", "-v", "ON_ERROR_STOP=0", "-v", "VERBOSITY=terse"),
            *("-d", access.conninfo(application_name, binary.major)),
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env=dict(access.environment),
            cwd="/",
            start_new_session=True,
            preexec_fn=_die_with_parent(os.getpid()) if _libc is not None else None,
        )
        psql = cls(process)
        try:
            answer = await psql.ask("SELECT pg_catalog.pg_backend_pid()")
        except BaseException:
            await psql.close()
            raise
        psql.backend_pid = int(answer.rows[-1])
        return psql

    async def ask(self, statement: str, *, generated: bool = False) -> Answer:
        """Send one statement and wait for its end.

        ``generated``: the statement yields the text of another one, which psql sends verbatim (``\\gexec``). Raises
        :class:`StatementFailed` when the server refuses, :class:`ConnectionLost` when psql ends.
        """
        exchange = await self._exchange(f"{statement} \\gexec\n" if generated else f"{statement};\n")
        if exchange.verdict == "false":
            return exchange.answer()
        raise await self._reason(exchange)

    async def _reason(self, exchange: _Exchange) -> StatementFailed:
        told = await self._exchange("\\errverbose\n")
        return _failure(list(told.err) + list(told.out), list(exchange.err))

    async def close(self) -> None:
        """End the session: close its input, wait a moment, then kill."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        if self._process.returncode is None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), 2)
        self.kill()
        await self._process.wait()
        await self._readers

    def kill(self) -> None:
        """End the child without ceremony; the server notices within its ``client_connection_check_interval``."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    async def _exchange(self, text: str) -> _Exchange:
        """Write one exchange and wait for its end on both outputs; nothing else may be under way."""
        stdin = self._process.stdin
        assert stdin is not None
        if self._ended:
            raise ConnectionLost(self._epitaph())
        assert self._current is None, "what was asked before has not been answered"
        exchange = self._current = _Exchange()
        payload = f"{text}\\echo {exchange.nonce} :ERROR\n\\warn {exchange.nonce}\n".encode()
        failpoints.reached("before_send")
        if failpoints.due("half_sent"):
            os.write(stdin.get_extra_info("pipe").fileno(), payload[: len(text) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        stdin.write(payload)
        failpoints.reached("after_send")
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            await stdin.drain()
        await exchange.answered.wait()
        if not exchange.whole:
            raise ConnectionLost(self._epitaph())
        self._current = None
        return exchange

    async def _read(self, stream: asyncio.StreamReader, hear: Callable[[str], None]) -> None:
        """Cut the stream into lines; of a line only the first 64 kB are kept."""
        pending = bytearray()
        while chunk := await stream.read(_LINE_BYTES):
            *lines, rest = chunk.split(b"\n")
            for line in lines:
                hear((bytes(pending) + line)[:_LINE_BYTES].decode("utf-8", "replace"))
                pending.clear()
            pending += rest[: max(0, _LINE_BYTES - len(pending))]
        if pending:
            hear(pending.decode("utf-8", "replace"))

    def _hear_out(self, line: str) -> None:
        exchange = self._current
        if exchange is None:
            return
        if line.startswith(exchange.nonce):
            exchange.verdict = line.removeprefix(exchange.nonce).strip()
            self._maybe_answered(exchange)
        else:
            exchange.out.append(line)

    def _hear_err(self, line: str) -> None:
        exchange = self._current
        if exchange is not None and line == exchange.nonce:
            exchange.warned = True
            self._maybe_answered(exchange)
            return
        self._last_words.append(line)
        if exchange is not None:
            exchange.err.append(line)

    def _maybe_answered(self, exchange: _Exchange) -> None:
        if exchange.whole:
            exchange.answered.set()

    def _hang_up(self, _: object) -> None:
        self._ended = True
        if self._current is not None:
            self._current.answered.set()

    def _epitaph(self) -> str:
        words = " ".join(line.strip() for line in self._last_words if line.strip())[-500:]
        return f"psql ended (process {self.pid}, session {self.backend_pid}){': ' + words if words else ''}"


def _die_with_parent(parent: int) -> Callable[[], None]:
    """What the child does between fork and exec: ask the kernel to kill it when we die, and die if we already have.

    Only system calls through an already loaded library: nothing that could wait for a lock of another thread.
    """

    def ask_kernel() -> None:
        assert _libc is not None
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return ask_kernel


def _failure(verbose: list[str], said: list[str]) -> StatementFailed:
    """The error that ``\\errverbose`` told; when psql itself failed it tells none, and its own words stand in."""
    fields: dict[str, str] = {}
    current = ""
    sqlstate = ""
    for line in verbose:
        if not sqlstate and (match := _ERROR.match(line)):
            sqlstate, fields["primary"], current = match[2], match[3], "primary"
        elif match := _FIELD.match(line):
            current = match[1].lower()
            fields[current] = match[2]
        elif current:
            fields[current] += "\n" + line
    if not sqlstate:
        return StatementFailed("", "\n".join(said or verbose).strip() or "psql reported an error without a message")
    return StatementFailed(
        sqlstate,
        fields["primary"],
        detail=fields.get("detail", ""),
        hint=fields.get("hint", ""),
        context=fields.get("context", ""),
    )
