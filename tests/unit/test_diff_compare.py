"""Comparing catalogs: by name, by meaning, renames first, and never a guess."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from wesley_tui.catalog.intent import Intent
from wesley_tui.catalog.model import (
    Catalog,
    Check,
    Column,
    Constraint,
    Enum,
    ForeignKey,
    Generated,
    Index,
    IndexKey,
    Policy,
    PrimaryKey,
    QName,
    Table,
    UnmanagedObject,
)
from wesley_tui.diff import changes as c
from wesley_tui.diff.compare import compare

USERS, ORDERS, MOOD = QName("public", "users"), QName("public", "orders"), QName("public", "mood")


def table(name: QName = USERS, *columns: Column, **fields: object) -> Table:
    constraints: tuple[Constraint, ...] = (PrimaryKey(f"{name.name}_pkey", ("id",)),)
    base = Table(name, (Column("id", "bigint", not_null=True), *columns), constraints)
    return replace(base, **fields)  # type: ignore[arg-type]


def catalog(*tables: Table, enums: tuple[Enum, ...] = ()) -> Catalog:
    return Catalog(frozenset({"public"}), {item.name: item for item in tables}, {item.name: item for item in enums})


def kinds(diff: c.Diff) -> list[str]:
    return [type(change).__name__ for change in diff.changes]


def test_equal_catalogs_differ_in_nothing() -> None:
    one = catalog(table(USERS, Column("email", "text", default="'x'::text")))
    other = catalog(table(USERS, Column("email", "text", default="'x'")))
    assert compare(one, one, Intent()) == c.Diff()
    assert compare(one, other, Intent()) == c.Diff()


def test_a_thousand_unchanged_tables_cost_ten_milliseconds() -> None:
    columns = tuple(Column(f"c{i}", "text") for i in range(10))
    tables = [table(QName("public", f"t{i}"), *columns) for i in range(1000)]
    actual, desired = catalog(*tables), catalog(*tables)
    best = min(_timed(actual, desired) for _ in range(5))
    assert best < 0.010


def _timed(actual: Catalog, desired: Catalog) -> float:
    started = time.process_time()
    assert compare(actual, desired, Intent()).changes == ()
    return time.process_time() - started


def test_undeclared_objects_are_listed_and_left_alone() -> None:
    live = replace(
        catalog(table(), table(ORDERS), enums=(Enum(MOOD, ("a",)),)),
        unmanaged=(UnmanagedObject("view", QName("public", "v")), UnmanagedObject("table", QName("wesley", "x"))),
    )
    diff = compare(live, catalog(table()), Intent())
    assert diff.changes == ()
    assert diff.unmanaged == ("enum public.mood", "table public.orders", "view public.v")
    assert kinds(compare(live, catalog(table()), Intent(), adopt_all=True)) == ["DropTable", "DropEnum"]
    assert kinds(compare(live, catalog(table()), Intent(dropped_tables=frozenset([ORDERS])))) == ["DropTable"]


def test_an_enum_that_something_left_alone_uses_stays() -> None:
    other = table(QName("elsewhere", "t"), Column("mood", "public.mood[]"))
    live = catalog(table(), other, enums=(Enum(MOOD, ("a",)),))
    diff = compare(live, catalog(table()), Intent(), adopt_all=True)
    assert diff.changes == ()
    assert "enum public.mood" in diff.unmanaged


def test_a_declared_table_is_declared_whole() -> None:
    live = table(
        USERS,
        Column("old", "text"),
        indexes=(Index("i", (IndexKey("old"),)),),
        policies=(Policy("p"),),
        constraints=(Check("c", "old <> ''"), PrimaryKey("users_pkey", ("id",))),
    )
    diff = compare(catalog(live), catalog(table()), Intent())
    assert kinds(diff) == ["DropColumn", "DropConstraint", "DropIndex", "DropPolicy"]


def test_a_retired_column_is_gone_already() -> None:
    live = table(USERS, Column("wesley_retired_0a1b2c3d_old", "text"))
    assert compare(catalog(live), catalog(table()), Intent()).changes == ()


def test_same_definition_under_another_name_is_a_rename() -> None:
    live = table(USERS, Column("a", "text"), indexes=(Index("one", (IndexKey("a"),)),),
                 constraints=(Check("x", "(a <> ''::text)"), PrimaryKey("pk", ("id",))))  # fmt: skip
    wanted = table(USERS, Column("a", "text"), indexes=(Index("two", (IndexKey("a"),)),),
                   constraints=(PrimaryKey("users_pkey", ("id",)), Check("y", "a <> ''")))  # fmt: skip
    diff = compare(catalog(live), catalog(wanted), Intent())
    assert diff.changes == (
        c.RenameConstraint(USERS, "pk", "users_pkey"),
        c.RenameConstraint(USERS, "x", "y"),
        c.RenameIndex(USERS, "one", "two"),
    )


def test_two_primary_keys_are_always_a_replacement() -> None:
    wanted = replace(table(USERS, Column("a", "int", not_null=True)), constraints=(PrimaryKey("other", ("a",)),))
    live = table(USERS, Column("a", "int", not_null=True))
    assert kinds(compare(catalog(live), catalog(wanted), Intent())) == ["ReplaceConstraint"]


def test_what_is_not_valid_is_validated_or_built_again() -> None:
    index = Index("i", (IndexKey("id"),))
    check = Check("c", "id > 0")
    wanted = table(indexes=(index,), constraints=(check, PrimaryKey("users_pkey", ("id",))))
    live = replace(
        wanted,
        indexes=(replace(index, valid=False),),
        constraints=(replace(check, validated=False), PrimaryKey("users_pkey", ("id",))),
    )
    diff = compare(catalog(live), catalog(wanted), Intent())
    assert kinds(diff) == ["ValidateConstraint", "ReplaceIndex"]


@pytest.mark.parametrize(
    ("live", "wanted", "expected"),
    [
        ("ab", "abc", [("c", "after", None)]),
        ("ab", "acb", [("c", "after", "a")]),
        ("ab", "cab", [("c", "before", "a")]),
        ("ab", "cdab", [("c", "before", "a"), ("d", "after", "c")]),
        ("ab", "axbyz", [("x", "after", "a"), ("y", "after", None), ("z", "after", None)]),
    ],
)
def test_labels_are_added_in_their_place(live: str, wanted: str, expected: list[tuple[str, str, str | None]]) -> None:
    diff = compare(catalog(enums=(Enum(MOOD, tuple(live)),)), catalog(enums=(Enum(MOOD, tuple(wanted)),)), Intent())
    assert [(x.label, x.position, x.neighbour) for x in diff.changes if isinstance(x, c.AddEnumLabel)] == expected
    assert len(diff.changes) == len(expected)


def test_removed_or_reordered_labels_need_a_new_type() -> None:
    users = table(USERS, Column("mood", "public.mood"), Column("moods", "public.mood[]"), Column("x", "text"))
    for labels in ("ba", "a", "ca"):
        diff = compare(
            catalog(users, enums=(Enum(MOOD, ("a", "b")),)),
            catalog(users, enums=(Enum(MOOD, tuple(labels)),)),
            Intent(),
        )
        (change,) = diff.changes
        assert isinstance(change, c.ChangeEnumLabels)
        assert change.users == ((USERS, "mood"), (USERS, "moods"))


def test_renames_are_followed_everywhere() -> None:
    old_users = QName("public", "user")
    live = catalog(
        replace(
            table(
                old_users,
                Column("mail", "text"),
                Column("upper", "text", generated=Generated("upper(mail)")),
                indexes=(Index("i", (IndexKey(expression="lower(mail)"),), where="(mail IS NOT NULL)"),),
                policies=(Policy("p", using="((mail)::text <> 'mail'::text)"),),
            ),
            constraints=(Check("c", "(mail <> ''::text)"), PrimaryKey("users_pkey", ("id",))),
        ),
        table(
            ORDERS,
            Column("user_mail", "text"),
            constraints=(
                ForeignKey("f", ("user_mail",), old_users, ("mail",)),
                PrimaryKey("orders_pkey", ("id",)),
            ),
            policies=(Policy("p", using='(EXISTS ( SELECT 1 FROM public."user" WHERE true))'),),
        ),
    )
    wanted = catalog(
        replace(
            table(
                USERS,
                Column("email", "text"),
                Column("upper", "text", generated=Generated("upper(email)")),
                indexes=(Index("i", (IndexKey(expression="lower(email)"),), where="email IS NOT NULL"),),
                policies=(Policy("p", using="email <> 'mail'"),),
            ),
            constraints=(Check("c", "email <> ''"), PrimaryKey("users_pkey", ("id",))),
        ),
        table(
            ORDERS,
            Column("user_mail", "text"),
            constraints=(ForeignKey("f", ("user_mail",), USERS, ("email",)), PrimaryKey("orders_pkey", ("id",))),
            policies=(Policy("p", using="EXISTS (SELECT 1 FROM public.users WHERE true)"),),
        ),
    )
    intent = Intent(renamed_tables={USERS: old_users}, renamed_columns={(USERS, "email"): "mail"})
    diff = compare(live, wanted, intent)
    assert diff.changes == (c.RenameTable(old_users, USERS), c.RenameColumn(USERS, "mail", "email"))
    assert compare(wanted, wanted, intent) == c.Diff()


def test_renamed_enums_and_labels() -> None:
    old = QName("public", "feeling")
    live = catalog(
        table(USERS, Column("m", "public.feeling", default="'sad'::public.feeling")), enums=(Enum(old, ("sad", "ok")),)
    )
    wanted = catalog(
        table(USERS, Column("m", "public.mood", default="'blue'::public.mood")), enums=(Enum(MOOD, ("blue", "ok")),)
    )
    intent = Intent(renamed_enums={MOOD: old}, renamed_labels={(MOOD, "blue"): "sad"})
    assert compare(live, wanted, intent).changes == (
        c.RenameEnum(old, MOOD),
        c.RenameEnumLabel(MOOD, "sad", "blue"),
    )


def test_a_likely_rename_is_asked_and_never_guessed() -> None:
    live = catalog(table(USERS, Column("email", "text"), Column("age", "integer")))
    wanted = catalog(table(USERS, Column("email_address", "text"), Column("age", "integer")))
    diff = compare(live, wanted, Intent())
    assert kinds(diff) == ["AddColumn", "DropColumn"]
    (question,) = diff.questions
    assert (question.kind, question.old, question.new) == ("column", "email", "email_address")
    assert "@renamed" in question.why

    people = replace(live.tables[USERS], name=QName("public", "people"))
    diff = compare(live, catalog(people), Intent())
    assert kinds(diff) == ["CreateTable"]
    assert [(q.kind, q.old, q.new) for q in diff.questions] == [("table", "public.users", "public.people")]


def test_the_order_is_stable() -> None:
    tables = [table(QName("public", name), Column("a", "text")) for name in ("b", "a", "c")]
    empty = catalog()
    assert compare(empty, catalog(*tables), Intent()) == compare(empty, catalog(*reversed(tables)), Intent())
