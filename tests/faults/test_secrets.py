"""A password is seen nowhere while a run goes on and after it, and the environment changes nothing of what is done."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.cli import WESLEY
from tests.faults.test_network import run_sql
from tests.integration.test_cli_signals import environment, written
from tests.plans import backfill, make_plan, transactional
from wesley_tui.demo.server import EmbeddedServer
from wesley_tui.executor import ledger
from wesley_tui.executor.certificate import certificate_of

pytestmark = pytest.mark.skipif(os.environ.get("WESLEY_SLOW") != "1", reason="WESLEY_SLOW=1 runs it")
_SECRET = "sEcReT-4711-xyz"


@pytest.fixture
def locked(server: EmbeddedServer, database: str) -> Iterator[str]:
    """A conninfo, without the password, of a role that has to say it."""
    hba = server.data / "pg_hba.conf"
    hba.write_text("local all guarded scram-sha-256\n" + hba.read_text())
    run_sql(database, f"CREATE ROLE guarded LOGIN SUPERUSER PASSWORD '{_SECRET}'", "SELECT pg_reload_conf()")
    yield make_conninfo(database, user="guarded")
    run_sql(database, "REASSIGN OWNED BY guarded TO postgres", "DROP OWNED BY guarded", "DROP ROLE guarded")


def _seen() -> list[str]:
    """Processes of this machine in whose arguments, or environment, the password is."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        for kind in ("cmdline", "environ"):
            try:
                shown = (entry / kind).read_bytes()
                named = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            # Who gives it in the environment shows it there: the process that was started so, and only that.
            if _SECRET.encode() in shown and not (kind == "environ" and str(WESLEY) in named):
                found.append(f"{kind} of {named}")
    return found


def test_a_password_and_a_hostile_environment(locked: str, database: str, tmp_path: Path) -> None:
    run_sql(
        database,
        "CREATE TABLE t (id bigint PRIMARY KEY, b int)", "INSERT INTO t SELECT generate_series(1, 600)",
        "GRANT ALL ON t TO guarded",
    )  # fmt: skip
    steps = [
        backfill("public.t", "id", "b = 1", "t.b IS NULL", rows_per_second=400),
        transactional("CREATE TABLE after (id int)", object="public.t", wave="VALIDATE"),
    ]
    plan = written(database, make_plan(steps, database), tmp_path)
    evil = tmp_path / "evil"
    (tmp_path / ".psqlrc").write_text(f"\\! touch {evil}\nDELETE FROM t;\n")
    hostile = {
        "PGPASSWORD": _SECRET, "HOME": str(tmp_path), "PSQLRC": str(tmp_path / ".psqlrc"), "LANG": "de_DE.UTF-8",
        "LC_ALL": "de_DE.UTF-8", "PGOPTIONS": "-c search_path=evil -c statement_timeout=1 -c lock_timeout=1",
        "PGTZ": "Asia/Tokyo", "PGDATESTYLE": "German", "PGCLIENTENCODING": "LATIN1", "PGAPPNAME": "evil",
        "PAGER": f"touch {evil}", "PSQL_PAGER": f"touch {evil}", "PSQL_EDITOR": f"touch {evil}",
    }  # fmt: skip
    seen: set[str] = set()
    process = subprocess.Popen(
        [WESLEY, "apply", plan, "--db", locked, "--yes", "--json"],
        env={**environment(tmp_path / "state"), **hostile}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        while process.poll() is None:
            seen.update(_seen())
            time.sleep(0.05)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 0, err
    assert json.loads(out)
    assert seen == set()
    assert not evil.exists()
    assert run_sql(database, "SELECT count(*), count(b) FROM t") == [(600, 600)]

    kept = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert [str(file) for file in kept if _SECRET.encode() in file.read_bytes()] == []
    last = ledger.status(database)
    assert last is not None
    certificate = certificate_of(database, last.run_id)
    assert certificate is not None
    told = [out, err, certificate.document]
    with psycopg.connect(database) as connection:
        for (table,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'wesley'").fetchall():
            told += [row[0] for row in connection.execute(f"SELECT t::text FROM wesley.{table} t".encode())]
    assert [text for text in told if _SECRET in text] == []
    assert conninfo_to_dict(locked).get("password") is None
