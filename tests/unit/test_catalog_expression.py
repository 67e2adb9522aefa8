"""Comparison of expressions without a server: laws, and texts that are none."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wesley_tui.catalog.expression import canonical_expression, same_default, same_expression

_LEAVES = st.sampled_from(
    ("a", "b", "t.a", '"Mixed"', "0", "-1", "1.5", "'x'", "'x'::text", "'{}'", "NULL", "true", "now()", "CURRENT_DATE")
)


def _grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pair = st.tuples(inner, inner)
    return st.one_of(
        pair.map(lambda p: f"({p[0]}) = ({p[1]})"),
        pair.map(lambda p: f"({p[0]}) AND ({p[1]})"),
        pair.map(lambda p: f"({p[0]}) OR ({p[1]})"),
        pair.map(lambda p: f"({p[0]}) IN ({p[1]}, 'z')"),
        pair.map(lambda p: f"({p[0]}) BETWEEN ({p[1]}) AND (9)"),
        pair.map(lambda p: f"coalesce({p[0]}, {p[1]})"),
        pair.map(lambda p: f"CASE WHEN {p[0]} THEN {p[1]} END"),
        inner.map(lambda x: f"({x})::text"),
        inner.map(lambda x: f"({x})::date"),
        inner.map(lambda x: f"({x})::numeric(10,2)"),
        inner.map(lambda x: f"NOT ({x})"),
        inner.map(lambda x: f"({x}) IS NULL"),
        inner.map(lambda x: f"EXISTS (SELECT 1 FROM u WHERE u.a = ({x}))"),
    )


_EXPRESSIONS = st.recursive(_LEAVES, _grow, max_leaves=6)


@settings(max_examples=100, deadline=None)
@given(_EXPRESSIONS, _EXPRESSIONS)
def test_sameness_is_reflexive_and_symmetric(a: str, b: str) -> None:
    assert same_expression(f"(  ({a}))", a)
    assert same_expression(a, b) == same_expression(b, a)
    assert canonical_expression(f"(({a}))") == canonical_expression(a)


@pytest.mark.parametrize(
    "text", ["", "a >", "1) FROM t WHERE (true", "1); DROP TABLE t; SELECT (1", "a AS b", "\0", "\ud800", "--"]
)
def test_a_text_that_is_no_expression_is_only_the_same_as_itself(text: str) -> None:
    assert same_expression(text, text)
    assert not same_expression(text, f" {text} x")
    assert not same_expression(text, "1")
    assert canonical_expression(text) == text.strip()


def test_absence_is_only_absence() -> None:
    assert same_expression(None, None)
    assert not same_expression(None, "NULL")
    assert not same_expression("true", None)
    assert same_default(None, "NULL")
    assert same_default("NULL::character varying", None)
    assert not same_default(None, "''")


def test_types_of_columns_decide_what_a_cast_to_text_means() -> None:
    printed = "((code)::text = '01'::text)"
    assert same_expression("code = '01'", printed)
    assert same_expression("code = '01'", printed, {"code": "character varying(2)"})
    assert not same_expression("code = '01'", printed, {"code": "integer"})


def test_a_schema_matters_unless_a_search_path_would_find_it() -> None:
    assert same_expression("half(a)", "public.half(a)")
    assert same_expression("length(a)", "pg_catalog.length(a)")
    assert not same_expression("uid()", "auth.uid()")
    assert not same_expression("app.uid()", "auth.uid()")
    assert not same_expression("EXISTS (SELECT 1 FROM a.t)", "EXISTS (SELECT 1 FROM b.t)")


def test_depth_is_no_reason_to_fail() -> None:
    deep = " || ".join(["a"] * 5000)
    assert same_expression(deep, deep)
    assert not same_expression(deep, f"{deep} || b")
    assert canonical_expression(deep)
    assert same_expression(" AND ".join(["a > 0"] * 3000), " AND ".join(["(a > 0)"] * 3000))
