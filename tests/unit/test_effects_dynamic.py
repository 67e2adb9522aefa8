"""SQL that a DO block puts together: known only where it does the same to whatever is put into it."""

from __future__ import annotations

import pytest

from wesley_tui.catalog.model import QName
from wesley_tui.dsl.vocabulary import OPERATIONS, recognised
from wesley_tui.planner.effects import EffectContext, effects_of
from wesley_tui.planner.recompiling import compiled_again


@pytest.mark.parametrize(
    "text",
    [
        "format('ALTER FUNCTION %s COST %s', f.oid::pg_catalog.regprocedure, 7::pg_catalog.float4)",
        "pg_catalog.format('ALTER FUNCTION %I.%I() COST 1', x, y)",
    ],
)
def test_known_whatever_it_names(text: str) -> None:
    assert effects_of(f"DO $$ BEGIN EXECUTE {text}; END $$", EffectContext()).unknown == ""


@pytest.mark.parametrize(
    "text",
    [
        "format('ALTER FUNCTION %s COST 1', x)",
        "format('ALTER FUNCTION %s COST 1', x::evil.regprocedure)",
        "format('ALTER FUNCTION %s COST 1', x::text)",
        "format('ALTER FUNCTION \"%I\" COST 1', x)",
        "format('ALTER FUNCTION %I /* %I */ COST 1', x, y)",
        "format('ALTER FUNCTION %1$s COST 1', x::pg_catalog.regprocedure)",
        "format('ALTER FUNCTION %I COST 1')",
        "format('ALTER FUNCTION %s COST 1; DROP TABLE a', x::pg_catalog.regprocedure)",
        "format('ALTER TABLE %I ADD a int', x)",
        "evil.format('ALTER FUNCTION %I COST 1', x)",
        "format(x, y)",
        "x || y",
    ],
)
def test_unknown(text: str) -> None:
    assert effects_of(f"DO $$ BEGIN EXECUTE {text}; END $$", EffectContext()).unknown


def test_compiling_again_locks_nothing_and_has_a_word() -> None:
    statement = compiled_again(QName("we'ird", 'x."Y'))
    effects = effects_of(statement, EffectContext())
    assert (effects.unknown, effects.locks, effects.scans, effects.writes) == ("", {}, (), ())
    values = recognised(statement)
    assert values is not None
    assert values["op"] == "recompile_functions"
    assert OPERATIONS["recompile_functions"].sql(values) == statement
    assert OPERATIONS["recompile_functions"].object_of(values) == "we'ird.x.\"Y"
    assert recognised("DO 'BEGIN DELETE FROM a; END'") is None
