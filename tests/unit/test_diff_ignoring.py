"""Patterns say what a comparison looks at; the last one that matches decides."""

from __future__ import annotations

import pytest

from wesley_tui.catalog.model import QName
from wesley_tui.diff.ignoring import is_ignored, without_ignored
from wesley_tui.sdl.compile import compile_schema
from wesley_tui.sdl.diagnostics import Source


@pytest.mark.parametrize(
    ("patterns", "ignored"),
    [
        ((), False),
        (("public.legacy_*",), True),
        (("legacy_*",), False),
        (("table:public.*",), True),
        (("view:*",), False),
        (("*", "!public.*"), False),
        (("!public.*", "*"), True),
        (("*", "!app.*"), True),
        (("*", "!table:public.legacy_*", "public.legacy_users"), True),
        (("public.*", "!view:*"), True),
    ],
)
def test_the_last_pattern_that_matches_decides(patterns: tuple[str, ...], ignored: bool) -> None:
    assert is_ignored("table", QName("public", "legacy_users"), patterns) is ignored


_SCHEMA = """
extend schema
  @function(sql: "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'")
  @trigger(sql: "CREATE TRIGGER told BEFORE INSERT ON public.kept FOR EACH ROW EXECUTE FUNCTION f()")
  @trigger(sql: "CREATE TRIGGER told BEFORE INSERT ON public.gone FOR EACH ROW EXECUTE FUNCTION f()")
type Kept @table { id: ID! @pk }
type Gone @table { id: ID! @pk }
"""


@pytest.mark.parametrize("patterns", [("*", "!public.kept"), ("public.gone",), ("table:public.gone",)])
def test_triggers_go_and_stay_with_their_table(patterns: tuple[str, ...]) -> None:
    catalog = without_ignored(compile_schema([Source("s.graphql", _SCHEMA)]).catalog, patterns)
    assert [str(name) for name in catalog.tables] == ["public.kept"]
    assert [str(item.relation) for item in catalog.objects.values() if item.kind == "trigger"] == ["public.kept"]


def test_a_trigger_can_be_ignored_alone() -> None:
    catalog = without_ignored(compile_schema([Source("s.graphql", _SCHEMA)]).catalog, ("trigger:*",))
    assert len(catalog.tables) == 2
    assert not [item for item in catalog.objects.values() if item.kind == "trigger"]
