"""A real PgBouncer between us and the server."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.faults.test_network import run_sql
from tests.plans import accept, make_plan, transactional
from wesley_tui.executor.abandon import cancel_run
from wesley_tui.executor.engine import resume_run, start_run
from wesley_tui.executor.errors import PoolerDetected

_PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


@contextmanager
def pooled(uri: str, mode: str) -> Iterator[str]:
    """The same database through a PgBouncer of its own."""
    assert _PGBOUNCER is not None
    known = conninfo_to_dict(uri)
    account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    unprivileged: Any = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}
    with tempfile.TemporaryDirectory(prefix="wesley-pool-") as name:
        folder = Path(name)
        folder.chmod(0o777)
        settings = folder / "pgbouncer.ini"
        settings.write_text(
            f"[databases]\n* = host={known['host']} port={known.get('port', 5432)} user=postgres\n"
            f"[pgbouncer]\npool_mode = {mode}\nlisten_addr =\nlisten_port = 6432\nunix_socket_dir = {folder}\n"
            f"auth_type = any\nlogfile = {folder}/log\n"
        )
        settings.chmod(0o644)
        process = subprocess.Popen(
            [_PGBOUNCER, "-q", str(settings)], cwd="/", stderr=subprocess.DEVNULL, **unprivileged
        )
        through = make_conninfo(uri, host=name, port=6432)
        try:
            end = time.monotonic() + 10
            while not _answers(through):
                assert time.monotonic() < end, "PgBouncer does not start"
                time.sleep(0.02)
            yield through
        finally:
            process.terminate()
            process.wait(10)


def _answers(conninfo: str) -> bool:
    with contextlib.suppress(psycopg.OperationalError), psycopg.connect(conninfo, autocommit=True) as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)
    return False


@pytest.mark.skipif(_PGBOUNCER is None, reason="PgBouncer is not installed")
@pytest.mark.parametrize("mode", ["transaction", "session"])
def test_a_pooler_is_refused_with_the_reason(database: str, mode: str) -> None:
    """In transaction mode our locks would be anybody's. In session mode they would not, but that cannot be told from
    what a client sees: both are refused, and nothing was changed."""
    plan = make_plan([transactional("CREATE TABLE a (id int)")], database)
    with pooled(database, mode) as through:
        with pytest.raises(PoolerDetected, match=r"a pooler stands between .* connect to the server itself") as caught:
            start_run(through, plan, accept(plan))
        assert caught.value.exit_code == 6
        for call in (resume_run, cancel_run):
            with pytest.raises(PoolerDetected):
                call(through)
    assert run_sql(database, "SELECT to_regclass('wesley.migration_runs') IS NULL") == [(True,)]
