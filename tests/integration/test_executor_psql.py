"""The psql child: answers, errors, noise, secrets, and what a cut line does."""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import psycopg
import pytest

from wesley_tui.executor.errors import ConnectionLost, StatementFailed
from wesley_tui.executor.psql import Psql
from wesley_tui.executor.psql_binary import PsqlBinary, find_psql
from wesley_tui.executor.target import PsqlAccess, connect

Result = TypeVar("Result")


def with_psql(uri: str, use: Callable[[Psql], Awaitable[Result]], binary: PsqlBinary | None = None) -> Result:
    async def main() -> Result:
        async with await connect(uri, "test") as connection:
            with PsqlAccess.like(connection) as access:
                psql = await Psql.start(binary or find_psql(), access, "wesley/test/1")
                try:
                    return await use(psql)
                finally:
                    await psql.close()

    return asyncio.run(main())


def test_rows_and_errors(any_database: str) -> None:
    async def use(psql: Psql) -> None:
        assert (await psql.ask("SELECT generate_series(1, 3)")).rows == ("1", "2", "3")
        assert (await psql.ask("SELECT NULL")).rows == ("",)
        with pytest.raises(StatementFailed) as caught:
            await psql.ask("SELECT 1/0")
        assert (caught.value.sqlstate, caught.value.primary) == ("22012", "division by zero")
        assert (await psql.ask("SELECT 'still here'")).rows == ("still here",)

    with_psql(any_database, use)


def test_an_error_in_all_its_parts(any_database: str) -> None:
    async def use(psql: Psql) -> None:
        for generated in (False, True):
            text = "DO $$ BEGIN RAISE 'one\ntwo' USING DETAIL = 'd1\nd2', HINT = 'h', ERRCODE = 'WE002'; END $$"
            quoted = "SELECT '" + text.replace("'", "''") + "'"
            with pytest.raises(StatementFailed) as caught:
                await psql.ask(quoted if generated else text, generated=generated)
            error = caught.value
            assert (error.sqlstate, error.primary, error.detail, error.hint) == ("WE002", "one\ntwo", "d1\nd2", "h")
            assert "PL/pgSQL function inline_code_block" in error.context

    with_psql(any_database, use)


def test_a_notice_cannot_pass_for_an_error(database: str) -> None:
    async def use(psql: Psql) -> None:
        answer = await psql.ask("DO $$ BEGIN RAISE NOTICE 'x\npsql:<stdin>:1: ERROR:  42P01: lies\n%', 'y'; END $$")
        assert any("lies" in line for line in answer.notices)
        with pytest.raises(StatementFailed, match="22012"):
            await psql.ask("DO $$ BEGIN RAISE NOTICE 'x\nERROR:  42P01: lies'; PERFORM 1/0; END $$")

    with_psql(database, use)


def test_noise_takes_bounded_memory(database: str) -> None:
    async def use(psql: Psql) -> None:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        noise = "DO $$ BEGIN FOR i IN 1..100000 LOOP RAISE NOTICE '%', repeat('x', 200); END LOOP; END $$"
        assert len((await psql.ask(noise)).notices) == 200
        assert len((await psql.ask("SELECT repeat('x', 1000) FROM generate_series(1, 50000)")).rows) == 200
        (line,) = (await psql.ask("SELECT repeat('x', 10000000)")).rows
        assert len(line) == 65536
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000

    with_psql(database, use)


def test_the_end_of_psql_is_noticed(database: str) -> None:
    async def use(psql: Psql) -> None:
        asking = asyncio.create_task(psql.ask("SELECT pg_sleep(30)"))
        await asyncio.sleep(0)
        with psycopg.connect(database, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", (psql.backend_pid,))
        with pytest.raises(ConnectionLost, match="administrator command"):
            await asking
        with pytest.raises(ConnectionLost):
            await psql.ask("SELECT 1")

    with_psql(database, use)


def test_no_connection_says_why(database: str) -> None:
    async def main() -> None:
        access = PsqlAccess({"host": "/nonexistent"}, {})
        with pytest.raises(ConnectionLost, match="No such file or directory"):
            await Psql.start(find_psql(), access, "x")

    asyncio.run(main())


def test_no_secret_is_visible_and_no_environment_leaks_in(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "s3cr:et\\word"
    monkeypatch.setenv("PGPASSWORD", secret)
    monkeypatch.setenv("PGOPTIONS", "-c search_path=evil -c statement_timeout=1")
    monkeypatch.setenv("PSQLRC", "/nonexistent/psqlrc")
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    monkeypatch.setenv("PGTZ", "Asia/Tokyo")

    async def use(psql: Psql) -> None:
        for name in ("cmdline", "environ"):
            shown = Path(f"/proc/{psql.pid}/{name}").read_bytes()
            assert secret.encode() not in shown
            assert b"evil" not in shown
        environment = Path(f"/proc/{psql.pid}/environ").read_bytes().split(b"\0")
        names = {entry.partition(b"=")[0] for entry in environment}
        assert {name for name in names if name.startswith(b"PG")} == {b"PGPASSFILE", b"PGCLIENTENCODING"}
        passfile = next(entry for entry in environment if entry.startswith(b"PGPASSFILE=")).partition(b"=")[2]
        assert os.stat(passfile).st_mode & 0o777 == 0o600
        assert Path(os.fsdecode(passfile)).read_text() == "*:*:*:*:s3cr\\:et\\\\word\n"
        assert (await psql.ask("SHOW statement_timeout")).rows == ("0",)
        assert (await psql.ask("SHOW TimeZone")).rows == ("UTC",)

    with_psql(database, use)


def test_a_line_that_is_cut_anywhere_runs_nothing_or_all(database: str) -> None:
    """psql executes its unfinished buffer when its input ends, so every prefix of what we write must be harmless."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE told (n int)")
        connection.execute("CREATE SCHEMA wesley")
        connection.execute(
            "CREATE FUNCTION wesley.apply_step(a bigint, b bigint, c int, d text, e int, f int) RETURNS text"
            " LANGUAGE sql AS $$ INSERT INTO told VALUES (a); SELECT 'DROP TABLE told' $$"
        )
    whole = f"SELECT wesley.apply_step(1, 1, 7, '{'a' * 8}', 1, 250)"
    for text in (f"{whole};\n", f"{whole} \\gexec\n"):
        for cut in range(len(whole)):
            if cut % 3 == 0 or cut > len(whole) - 4:
                subprocess.run(
                    [find_psql().path, "-X", "-q", "-At", database], input=text[:cut], text=True, check=False,
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                )  # fmt: skip
    with psycopg.connect(database, autocommit=True) as connection:
        assert connection.execute("SELECT count(*) FROM told").fetchone() == (0,)


@pytest.mark.parametrize("major", [15, 16, 18])
def test_every_psql_at_hand_works(database: str, major: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from wesley_tui.demo.server import available_binaries

    if major not in available_binaries():
        pytest.skip(f"no psql {major} here")
    monkeypatch.setenv("WESLEY_PSQL", str(available_binaries()[major] / "psql"))
    assert find_psql().major == major

    async def use(psql: Psql) -> None:
        with pytest.raises(StatementFailed) as caught:
            await psql.ask("SELECT 'SELECT 1/0'", generated=True)
        assert caught.value.sqlstate == "22012"

    with_psql(database, use)
