"""Passwords, from wherever libpq takes them, reach psql and nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tests.plans import accept, make_plan, transactional
from wesley_tui.demo.server import EmbeddedServer
from wesley_tui.executor.engine import start_run
from wesley_tui.executor.errors import CannotConnect
from wesley_tui.executor.events import RunStatus
from wesley_tui.executor.options import RunOptions

_PASSWORD = "p:a\\ss 'word' é "


@pytest.fixture
def locked_database(server: EmbeddedServer, database: str) -> Iterator[str]:
    """A conninfo of a role that has to say its password."""
    hba = server.data / "pg_hba.conf"
    if "locked" not in hba.read_text():
        hba.write_text("local all locked scram-sha-256\n" + hba.read_text())
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS locked")
        connection.execute(sql.SQL("CREATE ROLE locked LOGIN SUPERUSER PASSWORD {}").format(sql.Literal(_PASSWORD)))
        connection.execute("SELECT pg_reload_conf()")
    yield make_conninfo(database, user="locked")
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("DROP OWNED BY locked CASCADE")
        connection.execute("DROP ROLE locked")


def run_completes(conninfo: str) -> None:
    plan = make_plan([transactional("CREATE TABLE a (id int)")], conninfo)
    outcome = start_run(conninfo, plan, accept(plan), RunOptions(lock_patience_s=0)).wait(20)
    assert outcome is not None
    assert outcome.status is RunStatus.COMPLETE, outcome.message


def test_in_the_conninfo(locked_database: str) -> None:
    run_completes(make_conninfo(locked_database, password=_PASSWORD))


def test_in_the_environment(locked_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", _PASSWORD)
    run_completes(locked_database)


def test_in_the_users_own_password_file(locked_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "pgpass"
    file.touch(mode=0o600)
    file.write_text("*:*:*:locked:" + _PASSWORD.replace("\\", "\\\\").replace(":", "\\:") + "\n")
    monkeypatch.setenv("PGPASSFILE", str(file))
    run_completes(locked_database)


def test_in_a_service_file(locked_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = psycopg.conninfo.conninfo_to_dict(locked_database)
    file = tmp_path / "services"
    file.write_text("[here]\n" + "".join(f"{key}={value}\n" for key, value in parts.items()))
    monkeypatch.setenv("PGSERVICEFILE", str(file))
    monkeypatch.setenv("PGPASSWORD", _PASSWORD)
    run_completes("service=here")


def test_a_wrong_one_is_said_without_repeating_it(locked_database: str) -> None:
    conninfo = make_conninfo(locked_database, password="wr0ng-one")
    plan = make_plan([])
    with pytest.raises(CannotConnect, match="password authentication failed") as caught:
        start_run(conninfo, plan, accept(plan))
    assert "wr0ng-one" not in str(caught.value)
