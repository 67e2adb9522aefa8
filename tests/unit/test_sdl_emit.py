"""The law of SDL: what is emitted compiles to the catalog that it was emitted from."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import HealthCheck, given, settings

from tests.strategies import catalogs
from wesley_tui.catalog.model import (
    Catalog,
    Check,
    Column,
    Enum,
    Exclude,
    ForeignKey,
    Index,
    IndexKey,
    PrimaryKey,
    QName,
    Table,
    Unique,
    UnmanagedObject,
)
from wesley_tui.sdl.compile import compile_schema
from wesley_tui.sdl.diagnostics import Source
from wesley_tui.sdl.emit import emit_schema


def compiled(text: str) -> Catalog:
    return compile_schema([Source("emitted.graphql", text)]).catalog


def declared(catalog: Catalog) -> Catalog:
    """``catalog`` without what SDL cannot say: objects without a record."""
    return dataclasses.replace(catalog, tables=dict(catalog.tables), unmanaged=())


def assert_round_trip(catalog: Catalog) -> str:
    text = emit_schema(catalog)
    again = compiled(text)
    for name, table in catalog.tables.items():
        assert again.tables.get(name) == table, text
    assert again == declared(catalog), text
    return text


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(catalogs(major=18))
def test_emit_then_compile_is_identity(catalog: Catalog) -> None:
    text = assert_round_trip(catalog)
    assert emit_schema(compiled(text)) == emit_schema(declared(catalog))


def table(name: str, *columns: Column, **more: object) -> Table:
    return dataclasses.replace(Table(QName("public", name), columns), **more)  # type: ignore[arg-type]


def catalog_of(*tables: Table, enums: tuple[Enum, ...] = ()) -> Catalog:
    return Catalog(frozenset({"public"}), {item.name: item for item in tables}, {item.name: item for item in enums})


KEY = Column("id", "uuid", not_null=True)
PKEY = PrimaryKey("users_pkey", ("id",))


def test_readable_names_and_nothing_that_goes_without_saying() -> None:
    users = table(
        "users",
        KEY,
        Column("created_at", "timestamp with time zone", not_null=True, default="now()"),
        Column("email", "text", not_null=True, comment="Where to write to"),
        constraints=(Unique("users_email_key", ("email",)), PKEY),
        indexes=(Index("users_created_at_idx", (IndexKey("created_at"),)),),
        comment="People",
    )
    assert assert_round_trip(catalog_of(users)).split("\n\n", 1)[1] == (
        '"People"\n'
        "type Users @table {\n"
        "  id: ID! @pk\n"
        '  createdAt: DateTime! @default(expr: "now()") @index\n'
        '  "Where to write to"\n'
        "  email: String! @unique\n"
        "}\n"
    )


@pytest.mark.parametrize(
    ("default", "column_type", "written"),
    [
        ("true", "boolean", "@default(value: true)"),
        ("42", "integer", "@default(value: 42)"),
        ("'user'::text", "text", '@default(value: "user")'),
        ("'now()'::text", "text", "@default(expr: \"'now()'::text\")"),
        ("'{}'::text[]", "text[]", "@default(value: [])"),
        ("'-1'::integer", "integer", "@default(expr: \"'-1'::integer\")"),
        ("007", "integer", '@default(expr: "007")'),
    ],
)
def test_defaults_are_literals_only_when_that_is_the_same(default: str, column_type: str, written: str) -> None:
    text = assert_round_trip(catalog_of(table("t", Column("c", column_type, default=default))))
    assert written in text


def test_names_that_are_no_graphql_names_stay_what_they_are() -> None:
    names = (
        "a b",
        "a.b",
        "1st",
        "__typename",
        "Über",
        "A",
        "a",
        "aB",
        "a_b",
        "",
        "x" * 63,
        "🙂",
        "type",
        '"',
        "#",
        "\t",
    )
    columns = tuple(Column(name, "integer") for name in names if name)
    tables = [table(name, *columns) for name in names if name]
    other = dataclasses.replace(tables[0], name=QName("odd schema", "a b"))
    assert_round_trip(Catalog(frozenset({"public", "odd schema"}), {item.name: item for item in (*tables, other)}, {}))


def test_types_do_not_take_the_names_of_scalars_or_of_each_other() -> None:
    names = ("date", "json", "id", "query", "user", "User", "users", "int", "b_1", "b1")
    mood = Enum(QName("public", "mood"), ("ok", "not ok", "true", "not_ok", ""))
    assert_round_trip(catalog_of(*(table(name, Column("mood", "public.mood")) for name in names), enums=(mood,)))


def test_default_names_that_two_tables_share_are_written() -> None:
    first = table(
        "a", Column("b_c", "uuid"), constraints=(ForeignKey("a_b_c_fkey", ("b_c",), QName("public", "u"), ("id",)),)
    )
    second = table(
        "a_b", Column("c", "uuid"), constraints=(ForeignKey("a_b_c_fkey", ("c",), QName("public", "u"), ("id",)),)
    )
    target = table("u", KEY, constraints=(PrimaryKey("u_pkey", ("id",)),))
    assert_round_trip(catalog_of(first, second, target))


def test_keys_of_every_form() -> None:
    parent = table(
        "parent",
        KEY,
        Column("org", "bigint", not_null=True),
        constraints=(
            Unique("org_once", ("org", "id"), nulls_not_distinct=True),
            PrimaryKey("parent_pkey", ("id", "org"), include=()),
        ),
    )
    child = table(
        "child",
        KEY,
        Column("org", "bigint"),
        Column("during", "tstzrange"),
        constraints=(
            Check("child_check", "(org > 0) AND (id IS NOT NULL)", no_inherit=True, validated=False, comment="both"),
            Check("child_org_check", "(org > 0)"),
            Check("child_org_check1", "(org < 9)"),
            Exclude(
                "child_org_during_excl",
                "gist",
                ((IndexKey("org"), "="), (IndexKey("during"), "&&")),
                where="(org > 1)",
                deferrable=True,
                initially_deferred=True,
            ),
            ForeignKey(
                "child_id_org_fkey",
                ("id", "org"),
                QName("public", "parent"),
                ("id", "org"),
                on_update="restrict",
                on_delete="set null",
                on_delete_columns=("org",),
                match_full=False,
                deferrable=True,
                validated=False,
                comment="up",
            ),
            ForeignKey("elsewhere", ("id",), QName("auth", "Users"), ("u id",), match_full=True),
        ),
        indexes=(
            Index(
                "child_lower_idx",
                (
                    IndexKey(expression="lower((org)::text)", opclass="text_pattern_ops", descending=True),
                    IndexKey("id"),
                ),
                options=(("fillfactor", "70"),),
                where="(org > 0)",
            ),
            Index("child_org_idx", (IndexKey("org", nulls_first=True),), include=("id",), unique=True),
        ),
    )
    constraints = tuple(sorted(child.constraints, key=lambda item: item.name))
    text = assert_round_trip(catalog_of(parent, dataclasses.replace(child, constraints=constraints)))
    assert 'name: "child_check"' not in text
    assert "child_org_check1" in text


def test_comments_are_kept_to_the_character() -> None:
    texts = (
        "plain",
        'with "quotes"',
        "back\\slash",
        'three """ quotes',
        "two\nlines",
        "  indented\n    more\n",
        "\nleading newline",
        "trailing newline\n",
        "tab\tin it",
        "carriage\r\nreturn",
        "escape \x1b[31m",
        '"',
        "\\",
        "# no comment",
        "🙂\u2028",
        " ",
    )
    columns = tuple(Column(f"c{number}", "text", comment=text) for number, text in enumerate(texts))
    tables = [table(f"t{number}", *columns, comment=text) for number, text in enumerate(texts)]
    enums = tuple(Enum(QName("public", f"e{number}"), ("a",), text) for number, text in enumerate(texts))
    emitted = assert_round_trip(catalog_of(*tables, enums=enums))
    assert "\x1b" not in emitted


def test_what_cannot_be_said_is_listed_and_not_declared() -> None:
    good = table("good", KEY)
    bad = table("bad", Column("esc\x1b", "text"))
    catalog = Catalog(
        frozenset({"public", "empty"}),
        {item.name: item for item in (good, bad, table("columnless"))},
        {},
        (UnmanagedObject("view", QName("public", "v")),),
    )
    text = emit_schema(catalog)
    assert set(compiled(text).tables) == {good.name}
    remarks = text[text.index("# In the database") :]
    for name in ("view public.v", "public.bad", "public.columnless"):
        assert name in remarks


def test_an_invalid_index_is_emitted_as_one() -> None:
    broken = table("users", KEY, indexes=(Index("users_id_idx", (IndexKey("id"),), valid=False),))
    text = emit_schema(catalog_of(broken))
    (again,) = compiled(text).tables.values()
    assert not again.indexes[0].valid
    assert "invalid: true" in text
