"""A bad network: a proxy between us and the server that loses, swallows, refuses or forges at a chosen moment.

It listens on a Unix socket of its own, so that psql and our own connections take it alike. A fault is armed with a
text; the connection over which that text is sent the given time is the one that it hits, at that very message.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from psycopg.conninfo import conninfo_to_dict, make_conninfo

__all__ = ["Proxy", "proxied"]

Fault = Literal["cut", "lose_answer", "blackhole"]
"""``cut``: reset before the message arrives. ``lose_answer``: the server gets and answers it, we never hear.
``blackhole``: nothing passes any more, and nobody is told."""


@dataclass
class Proxy:
    """``hits`` counts the faults that have happened."""

    target: str
    directory: Path
    port: str
    forge_pid: bool = False
    """Announce another backend's process id than the server's, as a transaction pooler does."""
    refuse: tuple[str, str] | None = None
    """(SQLSTATE, message) for connections that come now."""
    refusals: int = 0
    hits: int = 0
    _armed: tuple[bytes, int, Fault] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def arm(self, text: str, fault: Fault, *, time: int = 1) -> None:
        self._armed = (text.encode(), time, fault)

    def due(self, data: bytes) -> Fault | None:
        """The fault that this message is to suffer."""
        with self._lock:
            if self._armed is None or self._armed[0] not in data:
                return None
            text, left, fault = self._armed
            self._armed = (text, left - 1, fault) if left > 1 else None
            self.hits += left == 1
            return fault if left == 1 else None

    def serve(self, listener: socket.socket) -> None:
        """Take connections until the listener is closed."""
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            if self.refuse is not None and self.refusals > 0:
                self.refusals -= 1
                threading.Thread(target=_refuse, args=(client, *self.refuse), daemon=True).start()
                continue
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(self.target)
            except OSError:
                client.close()
                server.close()
                continue
            link = _Link(self, client, server)
            for pump in (link.to_server, link.to_client):
                threading.Thread(target=pump, daemon=True).start()


@dataclass
class _Link:
    proxy: Proxy
    client: socket.socket
    server: socket.socket
    fault: Fault | None = None
    greeted: bool = False

    def to_server(self) -> None:
        with contextlib.suppress(OSError):
            while data := self.client.recv(65536):
                self.fault = self.fault or self.proxy.due(data)
                if self.fault == "cut":
                    break
                if self.fault != "blackhole":
                    self.server.sendall(data)
            else:
                self.fault = self.fault if self.fault == "blackhole" else None
        if self.fault != "blackhole":
            self.hang_up()

    def to_client(self) -> None:
        with contextlib.suppress(OSError):
            while data := self.server.recv(65536):
                if self.fault == "lose_answer":
                    break
                if self.proxy.forge_pid and not self.greeted:
                    data = self._forged(data)
                if self.fault != "blackhole":
                    self.client.sendall(data)
        if self.fault != "blackhole":
            self.hang_up()

    def _forged(self, data: bytes) -> bytes:
        """BackendKeyData with another process id; PostgreSQL 18 may send longer keys."""
        at = data.find(b"K\x00\x00\x00")
        if at < 0:
            return data
        self.greeted = True
        (pid,) = struct.unpack_from("!i", data, at + 5)
        return data[: at + 5] + struct.pack("!i", pid + 1) + data[at + 9 :]

    def hang_up(self) -> None:
        """``shutdown`` wakes the other pump; ``close`` alone would leave it waiting."""
        for end in (self.client, self.server):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def _refuse(client: socket.socket, sqlstate: str, message: str) -> None:
    with contextlib.suppress(OSError):
        client.recv(65536)
        fields = b"".join(
            code + text.encode() + b"\0"
            for code, text in ((b"S", "FATAL"), (b"V", "FATAL"), (b"C", sqlstate), (b"M", message))
        )
        client.sendall(b"E" + struct.pack("!i", len(fields) + 5) + fields + b"\0")
        client.shutdown(socket.SHUT_RDWR)
    client.close()


@contextlib.contextmanager
def proxied(uri: str) -> Iterator[tuple[str, Proxy]]:
    """(conninfo, proxy): the same database through a proxy."""
    known = conninfo_to_dict(uri)
    port = str(known.get("port", "5432"))
    with tempfile.TemporaryDirectory(prefix="wesley-proxy-") as name:
        directory = Path(name)
        proxy = Proxy(f"{known['host']}/.s.PGSQL.{port}", directory, port)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(directory / f".s.PGSQL.{port}"))
        listener.listen(64)
        thread = threading.Thread(target=proxy.serve, args=(listener,), daemon=True)
        thread.start()
        try:
            yield make_conninfo(uri, host=str(directory), sslmode="disable", gssencmode="disable"), proxy
        finally:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            thread.join(5)
