"""The example sessions as files: complete, of the promised size, and both schemas of each compile without warnings."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pglast
import pytest

from wesley_tui.demo import sessions
from wesley_tui.demo.sessions import Session, SessionError, available, default, find
from wesley_tui.sdl.compile import CompiledSchema, compile_schema
from wesley_tui.sdl.diagnostics import Source

ROOT = Path(__file__).parents[2]
SIZES = {"startup-graveyard": (6, 3), "design-social": (8, 5), "workplace-engagement": (12, 8)}
"""Tables and enums of the first version."""


def compiled(path: Path) -> CompiledSchema:
    return compile_schema([Source(path.name, path.read_text(encoding="utf-8"))])


each_session = pytest.mark.parametrize("session", available(), ids=lambda session: session.slug)


def test_the_three_are_there_and_the_graveyard_comes_first() -> None:
    assert {session.slug for session in available()} == set(SIZES)
    assert available()[0] is default()
    assert default().slug == "startup-graveyard"


def test_checkout_reads_the_top_level_folder() -> None:
    assert sessions.sessions_directory() == ROOT / "sessions"


def test_installed_wheel_reads_its_own_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = tmp_path / "site-packages" / "wesley_tui" / "_data" / "sessions"
    inside.mkdir(parents=True)
    monkeypatch.setattr(sessions, "_PACKAGE", inside.parent.parent)
    assert sessions.sessions_directory() == inside


def test_missing_sessions_are_an_error_that_says_where_it_looked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "_PACKAGE", tmp_path / "wesley_tui")
    with pytest.raises(SessionError, match=re.escape(str(tmp_path / "sessions"))):
        sessions.sessions_directory()


def test_wheel_ships_what_the_checkout_holds() -> None:
    assert '"sessions" = "wesley_tui/_data/sessions"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_a_misspelled_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(SessionError, match="Did you mean 'startup-graveyard'"):
        find("startup-graveyrad")


def test_an_incomplete_session_names_the_file(tmp_path: Path) -> None:
    session = default()
    broken = replace(session, directory=tmp_path)
    with pytest.raises(SessionError, match=r"schema\.v1\.graphql cannot be read"):
        _ = broken.v1


@each_session
def test_description_is_complete(session: Session) -> None:
    assert session.title
    assert session.summary.endswith(".")
    assert len(session.story) > 200
    assert session.major in (15, 16, 17, 18)
    assert session.profile in ("production", "chaos")
    assert len(session.look_at) >= 5
    assert len(session.digest) == 64


@each_session
def test_first_version_has_the_promised_size(session: Session) -> None:
    catalog = compiled(session.v1_path).catalog
    assert (len(catalog.tables), len(catalog.enums)) == SIZES[session.slug]
    assert session.largest_table in {str(name) for name in catalog.tables}


@each_session
def test_next_version_adds_tables(session: Session) -> None:
    first, following = compiled(session.v1_path).catalog, compiled(session.v2_path).catalog
    assert len(following.tables) > len(first.tables)


@each_session
@pytest.mark.parametrize("version", ["v1_path", "v2_path"])
def test_schemas_compile_without_a_warning(session: Session, version: str) -> None:
    assert compiled(getattr(session, version)).warnings == ()


@each_session
@pytest.mark.parametrize("version", ["v1_path", "v2_path"])
def test_everything_is_described(session: Session, version: str) -> None:
    catalog = compiled(getattr(session, version)).catalog
    assert [str(table.name) for table in catalog.tables.values() if not table.comment] == []
    assert [str(enum.name) for enum in catalog.enums.values() if not enum.comment] == []


@each_session
def test_seed_is_plain_sql_without_chance(session: Session) -> None:
    statements = pglast.parse_sql(session.seed_sql)
    assert {type(item.stmt).__name__ for item in statements} <= {"InsertStmt", "UpdateStmt"}
    assert re.search(r"random|clock_timestamp|now\(\)|current_date|gen_random_uuid", session.seed_sql, re.I) is None


@pytest.mark.parametrize("version", ["v1_path", "v2_path"])
def test_row_security_is_on_everything_at_work(version: str) -> None:
    catalog = compiled(getattr(find("workplace-engagement"), version)).catalog
    for table in catalog.tables.values():
        assert table.rls_enabled, table.name
        assert table.rls_forced, table.name
        assert table.policies, table.name
