"""A plan that is applied again after what it had done was taken back by other means: its steps run again."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from tests.cli import Called, wesley
from tests.plans import transactional
from wesley_tui.executor.anew import changes_catalog

_OLD = "type A @table { id: BigInt! @pk v: Int }"
_NEW = "type A @table { id: BigInt! @pk w: Int @index }"


def _apply(database: str, folder: Path, text: str, *flags: str) -> Called:
    file = folder / "schema.graphql"
    file.write_text(text)
    return wesley("apply", file, "--db", database, "--yes", *flags, state=folder)


def _columns(database: str) -> set[str]:
    with psycopg.connect(database) as connection:
        rows = connection.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'public.a'::regclass AND attnum > 0 AND NOT attisdropped"
        ).fetchall()
    return {row[0] for row in rows}


def _begun(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE public.a (id bigint PRIMARY KEY, v int)")
        connection.execute("INSERT INTO public.a SELECT g, g FROM generate_series(1, 100) g")


@pytest.mark.parametrize("ending", ["cancelled", "contract_pending"])
def test_nothing_is_skipped_that_another_plan_took_back(database: str, tmp_path: Path, ending: str) -> None:
    _begun(database)
    assert _apply(database, tmp_path, _NEW).code == 0
    if ending == "cancelled":
        assert wesley("cancel", "--db", database, state=tmp_path).code in {0, 9}
    taken_back = _apply(database, tmp_path, _OLD, "--contract", "--unsafe", "--purge")
    assert taken_back.code == 0, taken_back.err
    assert _columns(database) == {"id", "v"}
    again = _apply(database, tmp_path, _NEW)
    assert again.code == 0, again.err
    assert _columns(database) == {"id", "v", "w"}
    ended = wesley("resume", "--db", database, "--contract", "--unsafe", state=tmp_path)
    assert ended.code == 0, ended.err
    assert "w" in _columns(database)
    assert "v" not in _columns(database)


def test_nothing_is_skipped_that_was_taken_back_by_hand(database: str, tmp_path: Path) -> None:
    _begun(database)
    assert _apply(database, tmp_path, _NEW).code == 0
    assert wesley("cancel", "--db", database, state=tmp_path).code in {0, 9}
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("ALTER TABLE public.a DROP COLUMN w")
    assert _apply(database, tmp_path, _NEW).code == 0
    assert _columns(database) == {"id", "v", "w"}


@pytest.mark.parametrize(
    ("text", "leaves"),
    [
        ("ALTER TABLE public.a ADD COLUMN b int", True),
        ("CREATE INDEX ON public.a (b)", True),
        ("ALTER TABLE public.a RENAME COLUMN v TO wesley_retired_v", True),
        ("ALTER TABLE public.a RENAME COLUMN wesley_new_v TO v", True),
        ("ALTER TABLE public.a ADD COLUMN wesley_new_v bigint", False),
        ("UPDATE public.a SET v = v + 1", False),
        ("SELECT setval('public.s', 7)", False),
        ("DO $$BEGIN PERFORM 1; END$$", False),
    ],
)
def test_what_leaves_a_trace_in_the_catalog(text: str, leaves: bool) -> None:
    assert changes_catalog(transactional(text)[1]) is leaves
