"""The program is stopped, not killed, while a step runs (SIGSTOP: a debugger, a suspended machine): what the server
does for it ends, nobody has to wait for locks of somebody who is not there, and afterwards it goes on."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.faults.harness import Case, seed, whole_plan
from tests.faults.servers import until
from tests.faults.test_lost_processes import MIDDLE, children
from tests.faults.test_network import run_sql
from tests.faults.zygote import Driver, Zygote
from wesley_tui.executor.engine import resume_run
from wesley_tui.executor.errors import LockNotAcquired
from wesley_tui.executor.options import RunOptions

_SLOW = os.environ.get("WESLEY_SLOW") == "1"
pytestmark = pytest.mark.skipif(not _SLOW, reason="WESLEY_SLOW=1 runs it")


@pytest.mark.parametrize("kind", ["transactional", "backfill"])
def test_stopped_in_the_middle(database: str, folder: Path, zygote: Zygote, kind: str) -> None:
    seed(database)
    name = conninfo_to_dict(database)["dbname"]
    run_sql(database, f"ALTER DATABASE {name} SET idle_in_transaction_session_timeout = '500ms'")
    case = Case(database, whole_plan(database, slow=0.3), folder, zygote)

    def send(process: Driver, number: signal.Signals) -> None:
        for pid in (process.pid, *children(process)):
            os.kill(pid, number)

    with case.start("start") as process:
        case.when(MIDDLE[kind], lambda _: send(process, signal.SIGSTOP))
        try:
            workers = "FROM pg_stat_activity WHERE application_name LIKE 'wesley/%/_' AND datname = current_database()"
            until(database, f"SELECT 1 {workers} AND state <> 'idle' HAVING count(*) = 0")
            assert run_sql(database, f"SELECT count(*) > 0 {workers}") == [(True,)]
            with psycopg.connect(database) as client:
                client.execute("LOCK TABLE t, told IN ACCESS EXCLUSIVE MODE NOWAIT")
            with pytest.raises(LockNotAcquired, match="wesley/lock"):
                resume_run(database, RunOptions(lock_patience_s=0))
        finally:
            send(process, signal.SIGCONT)
        code, said = case.finish(process)
    assert code == 0, said
    case.assert_whole()
