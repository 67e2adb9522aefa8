"""Where the database is: one conninfo for our own connections, and what a psql child needs to reach the same server.

The password never enters an argument list or an environment: psql finds it in a private password file.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import stat
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from wesley_tui.executor.errors import CannotConnect

__all__ = ["OWN_LIMITS", "PsqlAccess", "answering_within", "connect", "own_conninfo"]

_SECRETS = ("sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key")
_SINCE = {
    "sslcrldir": 14,
    "sslsni": 14,
    "gssdelegation": 16,
    "load_balance_hosts": 16,
    "require_auth": 16,
    "sslcertmode": 16,
    "sslkeylogfile": 18,
    "sslnegotiation": 17,
    "max_protocol_version": 18,
    "min_protocol_version": 18,
    "oauth_client_id": 18,
    "oauth_issuer": 18,
    "oauth_scope": 18,
}
"""The first libpq that knows a connection option, where that is later than 13."""
_KEEPALIVE = {
    "connect_timeout": "10",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "20000",
}
"""A peer that is gone is noticed within half a minute, on our side and, through the reset, on the server's."""
OWN_LIMITS = """
SELECT pg_catalog.set_config(s.name, w.value, false)
  FROM (VALUES ('tcp_keepalives_idle', '10'), ('tcp_keepalives_interval', '5'), ('tcp_keepalives_count', '3'),
               ('transaction_timeout', '0'), ('idle_in_transaction_session_timeout', '0'),
               ('idle_session_timeout', '0')) AS w (name, value)
  JOIN pg_catalog.pg_settings s ON s.name = w.name"""
"""For each session of ours, once it is known to be no pooler's: the server notices too when our machine is gone, and
what is meant to end an application's transactions ends no statement that is bounded otherwise."""


def own_conninfo(conninfo: str, application_name: str) -> str:
    """``conninfo`` for our own connections: with keepalives, a name, and without whatever PGOPTIONS says."""
    try:
        given = conninfo_to_dict(conninfo)
    except psycopg.ProgrammingError as error:
        raise CannotConnect(f"this is not a libpq URI or conninfo: {str(error).strip()}") from error
    defaults = {**_KEEPALIVE, "options": "", "client_encoding": "UTF8"}
    return make_conninfo(
        conninfo, **{k: v for k, v in defaults.items() if k not in given}, application_name=application_name
    )


async def connect(conninfo: str, application_name: str) -> AsyncConnection[Any]:
    """An autocommit connection; :class:`CannotConnect` says what libpq said."""
    try:
        return await AsyncConnection.connect(own_conninfo(conninfo, application_name), autocommit=True)
    except psycopg.OperationalError as error:
        raise CannotConnect(
            f"cannot connect: {str(error).strip()}. Nothing was changed; check --db, or PGHOST, PGPORT, PGUSER and "
            "PGPASSFILE"
        ) from error


@contextlib.contextmanager
def answering_within(connection: AsyncConnection[Any], seconds: float) -> Iterator[None]:
    """End ``connection`` when what is asked of it in the body takes longer: then libpq reports that it is lost.

    A network that swallows everything and a COMMIT that waits for a standby are bounded by nothing else; cancelling the
    task would not do, psycopg waits for the server to confirm that.
    """

    def hang_up() -> None:
        with contextlib.suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as end:
            end.shutdown(socket.SHUT_RDWR)

    timer = asyncio.get_running_loop().call_later(seconds, hang_up)
    try:
        yield
    finally:
        timer.cancel()


@dataclass
class PsqlAccess:
    """Arguments and environment with which psql reaches the server that ``connection`` is on; close it to remove the
    files."""

    arguments: Mapping[str, str]
    environment: Mapping[str, str]
    directory: tempfile.TemporaryDirectory[str] | None = field(default=None, repr=False)

    @classmethod
    def like(cls, connection: AsyncConnection[Any]) -> PsqlAccess:
        """The same host, port, database, user and TLS files as ``connection``, already resolved by libpq."""
        parameters = {
            key: value
            for key, value in connection.info.get_parameters().items()
            if key not in {"application_name", "service", "servicefile", "passfile", "fallback_application_name"}
        }
        # A connection without a password must not find another one in the user's own file.
        secrets = {key: parameters.pop(key) for key in _SECRETS if key in parameters}
        parameters.update(host=connection.info.host, port=str(connection.info.port))
        if "hostaddr" in parameters:
            parameters["hostaddr"] = connection.info.hostaddr
        directory = tempfile.TemporaryDirectory(prefix="wesley-psql-")
        root = Path(directory.name)
        root.chmod(stat.S_IRWXU)
        passfile = root / "passfile"
        _write_private(passfile, _passfile_line(connection.info.password) if connection.info.password else "")
        environment = {**_clean_environment(), "PGPASSFILE": str(passfile)}
        if secrets:
            services = root / "services"
            _write_private(services, "[wesley]\n" + "".join(f"{key}={value}\n" for key, value in secrets.items()))
            environment["PGSERVICEFILE"] = str(services)
            parameters["service"] = "wesley"
        return cls(arguments=parameters, environment=environment, directory=directory)

    def conninfo(self, application_name: str, major: int) -> str:
        """What a psql of this major version gets after ``-d``: free of secrets, and of options that its libpq does not
        know yet (the connection that they were resolved from has already been made with them)."""
        known = {name: value for name, value in self.arguments.items() if _SINCE.get(name, 0) <= major}
        return make_conninfo("", **known, application_name=application_name)

    def close(self) -> None:
        if self.directory is not None:
            self.directory.cleanup()

    def __enter__(self) -> PsqlAccess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _passfile_line(password: str) -> str:
    escaped = password.replace("\\", "\\\\").replace(":", "\\:")
    return f"*:*:*:*:{escaped}\n"


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def _clean_environment() -> dict[str, str]:
    """Only what libpq needs to find the user's certificates and tickets; no PG* variable, no PSQLRC, English messages
    of psql."""
    kept = (
        "HOME",
        "USER",
        "LOGNAME",
        "KRB5CCNAME",
        "KRB5_CONFIG",
        "KRB5_CLIENT_KTNAME",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
    )
    return {name: os.environ[name] for name in kept if name in os.environ} | {
        "PATH": "/usr/bin:/bin",
        "LC_ALL": "C",
        "PGCLIENTENCODING": "UTF8",
        "PSQL_PAGER": "",
        "PAGER": "",
    }
