"""Facts of operations on tables, their columns, constraints and indexes."""

from __future__ import annotations

from collections.abc import Mapping

from wesley_tui.catalog import ddl
from wesley_tui.catalog.model import Index, QName
from wesley_tui.catalog.naming import qualified, quote_ident
from wesley_tui.dsl.facts_view import Answer, Facts, View, each
from wesley_tui.planner import checks

__all__ = ["TABLE_FACTS"]


def _create_schema(v: View) -> Facts:
    return Facts((f"DROP SCHEMA {quote_ident(v['schema'])}",), after=(checks.schema_exists(v["schema"]),))


def _create_table(v: View) -> Facts:
    return Facts(
        (f"DROP TABLE {qualified(v.table)}",), (checks.relation_absent(v.table),), (checks.table_exists(v.table),)
    )


def _drop_table(v: View) -> Facts:
    return Facts((), (checks.table_exists(v.table),), (checks.relation_absent(v.table),))


def _moved_table(v: View, new: QName) -> Facts:
    old = v.table
    back = (
        f"ALTER TABLE {qualified(new)} RENAME TO {quote_ident(old.name)}"
        if old.schema == new.schema
        else f"ALTER TABLE {qualified(new)} SET SCHEMA {quote_ident(old.schema)}"
    )
    return Facts((back,), (checks.table_exists(old), checks.relation_absent(new)), (checks.table_exists(new),))


def _set_options(v: View) -> Facts:
    before = dict(v.record.options)
    return Facts(_options_back(v.sql, before, v["options"]), (checks.table_exists(v.table),))


def _options_back(target: str, before: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, ...]:
    again = [(name, before[name]) for name in now if name in before]
    gone = ", ".join(".".join(map(quote_ident, name.split("."))) for name in now if name not in before)
    undo = [f"{target} SET ({ddl.storage_options(again)})"] if again else []
    return (*undo, *((f"{target} RESET ({gone})",) if gone else ()))


def _table_flag(back: str) -> Answer:
    return lambda v: Facts((f"{v.sql} {back}",), (checks.table_exists(v.table),))


def _attach(v: View) -> Facts:
    part = v.name("partition")
    return Facts(
        (f"{v.sql} DETACH PARTITION {qualified(part)}",), (checks.table_exists(v.table), checks.table_exists(part))
    )


def _detach(v: View) -> Facts:
    part = v.context.table(v.name("partition"))
    known = part is not None and part.partition_bound not in (None, "FOR VALUES …")
    return Facts(
        (ddl.attach_partition(part),) if known and part is not None else (),
        (checks.table_exists(v.name("partition")),),
        danger=f"queries of {v.table} no longer see the rows of {v.name('partition')}",
    )


def _add_column(v: View) -> Facts:
    name = v["column"]
    before = [checks.table_exists(v.table), checks.column_absent(v.table, name)]
    danger = ""
    if v.values.get("not_null") and not {"default", "identity", "generated"} & v.values.keys():
        before.append(checks.table_is_empty(v.table, name))
        if v.rows > 0:
            danger = (
                f"{v.table} has about {v.rows:,.0f} rows and the new column has no value for them: the step will "
                "refuse to run; give it a default, or leave out not_null"
            )
    return Facts(
        (f"{v.sql} DROP COLUMN {quote_ident(name)}",), tuple(before), (checks.column_exists(v.table, name),), danger
    )


def _drop_column(v: View) -> Facts:
    return Facts(
        (), (checks.column_exists(v.table, v["column"]),), (checks.column_absent(v.table, v["column"]),),
        why=("nothing is set aside: only a backup brings the data back; retire_column keeps them",),
    )  # fmt: skip


def _rename_column(v: View) -> Facts:
    return Facts(
        (f"{v.sql} RENAME COLUMN {quote_ident(v['to'])} TO {quote_ident(v['column'])}",),
        (checks.column_exists(v.table, v["column"]), checks.column_absent(v.table, v["to"])),
        (checks.column_exists(v.table, v["to"]),),
    )


def _alter_type(v: View) -> Facts:
    column = v.column
    using = f" USING {quote_ident(v['column'])}::{column.type}" if column is not None else ""
    return Facts(
        (f"{v.column_sql} TYPE {column.type}{using}",) if column is not None and column.type else (),
        (checks.column_exists(v.table, v["column"]), checks.nothing_depends_on_column(v.table, v["column"])),
    )


def _default(v: View) -> Facts:
    column = v.column
    old = column.default if column is not None else None
    back = f"SET DEFAULT {ddl.default_clause(old)}" if old is not None else "DROP DEFAULT"
    wanted = v["op"] == "set_default"
    return Facts(
        (f"{v.column_sql} {back}",),
        (checks.column_exists(v.table, v["column"]),),
        (checks.column_has_default(v.table, v["column"], wanted),),
    )


def _set_not_null(v: View) -> Facts:
    return Facts(
        (f"{v.column_sql} DROP NOT NULL",),
        (checks.column_exists(v.table, v["column"]), checks.no_nulls(v.table, v["column"])),
        (checks.column_is_not_null(v.table, v["column"]),),
    )


def _drop_not_null(v: View) -> Facts:
    return Facts(
        (f"{v.column_sql} SET NOT NULL",),
        (checks.column_exists(v.table, v["column"]),),
        (checks.column_is_not_null(v.table, v["column"], False),),
    )


_IDENTITY = {"always": "a", "by default": "d"}


def _identity(v: View) -> Facts:
    column = v.column
    old = column.identity if column is not None else None
    undo = {
        "add_identity": f"{v.column_sql} DROP IDENTITY",
        "set_identity": f"{v.column_sql} SET GENERATED {old.upper()}" if old else "",
    }.get(v["op"], "")
    kind = _IDENTITY.get(v.values.get("identity", ""), "")
    return Facts(
        (undo,) if undo else (),
        (checks.column_exists(v.table, v["column"]),),
        (checks.column_is_identity(v.table, v["column"], kind),),
    )


def _expression(v: View) -> Facts:
    column = v.column
    known = column is not None and column.generated is not None and v["op"] == "set_generated"
    back = column.generated.expression if known and column is not None and column.generated is not None else ""
    return Facts(
        (f"{v.column_sql} SET EXPRESSION AS ({back}\n)",) if known else (),
        (checks.column_exists(v.table, v["column"]),),
    )


def _setting(v: View) -> Facts:
    column = v.column
    undo: tuple[str, ...] = ()
    if column is not None:
        match v["op"]:
            case "set_column_compression":
                undo = (ddl.set_column_compression(v.table, column.name, column.compression),)
            case "set_column_statistics":
                undo = (ddl.set_column_statistics(v.table, column.name, column.statistics),)
            case "set_column_storage" if column.storage is not None:
                undo = (ddl.set_column_storage(v.table, column.name, column.storage),)
            case "set_column_options":
                undo = _options_back(v.column_sql, dict(column.options), v["options"])
            case _:
                pass
    return Facts(undo, (checks.column_exists(v.table, v["column"]),))


def _add_constraint(v: View) -> Facts:
    name = v["constraint"]
    before = [checks.table_exists(v.table), checks.constraint_absent(v.table, name)]
    if "references" in v.values:
        before.append(checks.table_exists(v.name("references")))
    return Facts(
        (f"{v.sql} DROP CONSTRAINT {quote_ident(name)}",), tuple(before), (checks.constraint_exists(v.table, name),)
    )


def _add_using_index(v: View) -> Facts:
    return Facts(
        (f"{v.sql} DROP CONSTRAINT {quote_ident(v['constraint'])}",),
        (checks.index_valid(v.table, v["index"], unique=True),),
        (checks.constraint_exists(v.table, v["constraint"]),),
    )


def _validate(v: View) -> Facts:
    name = v["constraint"]
    return Facts((), (checks.constraint_exists(v.table, name),), (checks.constraint_valid(v.table, name),))


def _drop_constraint(v: View) -> Facts:
    constraint = v.record.constraint(v["constraint"])
    undo: tuple[str, ...] = (ddl.add_constraint(v.table, constraint),) if constraint is not None else ()
    if constraint is not None and constraint.comment is not None:
        undo += (ddl.comment_on("constraint", v.table, constraint.name, constraint.comment),)
    name = v["constraint"]
    return Facts(undo, (checks.constraint_exists(v.table, name),), (checks.constraint_absent(v.table, name),))


def _rename_constraint(v: View) -> Facts:
    old, new = v["constraint"], v["to"]
    return Facts(
        (f"{v.sql} RENAME CONSTRAINT {quote_ident(new)} TO {quote_ident(old)}",),
        (checks.constraint_exists(v.table, old), checks.constraint_absent(v.table, new)),
        (checks.constraint_exists(v.table, new),),
    )


def _add_index(v: View) -> Facts:
    whole = QName(v.table.schema, v["index"])
    before = (checks.table_exists(v.table), checks.relation_absent(whole))
    if v["op"] == "add_index":
        return Facts((f"DROP INDEX {qualified(whole)}",), before)
    unique = bool(v.values.get("unique"))
    return Facts(
        (f"DROP INDEX CONCURRENTLY IF EXISTS {qualified(whole)}",),
        before,
        (checks.index_valid(v.table, v["index"], unique=unique),),
        leftover=checks.index_leftover(v.table, v["index"]),
        cleanup=(f"DROP INDEX CONCURRENTLY {qualified(whole)}",),
    )


def _index_at(v: View) -> tuple[QName, Index] | None:
    """The index that is meant, and its table."""
    name = v.name("index")
    owner = v.context.index_table(name)
    table = v.context.table(owner) if owner is not None else None
    index = table.index(name.name) if table is not None else None
    return (owner, index) if owner is not None and index is not None else None


def _drop_index(v: View) -> Facts:
    found = _index_at(v)
    if found is None:
        return Facts()
    owner, index = found
    beside = v["op"] == "drop_index_concurrently"
    undo = [ddl.create_index(owner, index, concurrently=beside)] if index.valid and index.keys else []
    if undo and index.comment is not None:
        undo.append(ddl.comment_on("index", owner, index.name, index.comment))
    statement = f"DROP INDEX CONCURRENTLY {qualified(v.name('index'))}"
    return Facts(
        tuple(undo),
        after=(checks.index_absent(owner, index.name),),
        leftover=checks.index_leftover(owner, index.name) if beside else None,
        cleanup=(statement,) if beside else (),
    )


def _rename_index(v: View) -> Facts:
    old = v.name("index")
    new = QName(old.schema, v["to"])
    return Facts((f"ALTER INDEX {qualified(new)} RENAME TO {quote_ident(old.name)}",), (checks.relation_absent(new),))


TABLE_FACTS: Mapping[str, Answer] = dict(
    (
        ("create_schema", _create_schema),
        ("create_table", _create_table),
        ("drop_table", _drop_table),
        ("rename_table", lambda v: _moved_table(v, QName(v.table.schema, v["to"]))),
        ("move_table", lambda v: _moved_table(v, QName(v["schema"], v.table.name))),
        ("set_table_options", _set_options),
        ("set_logged", _table_flag("SET UNLOGGED")),
        ("set_unlogged", _table_flag("SET LOGGED")),
        ("attach_partition", _attach),
        ("detach_partition", _detach),
        ("add_column", _add_column),
        ("drop_column", _drop_column),
        ("rename_column", _rename_column),
        ("alter_type", _alter_type),
        *each(_default, "set_default", "drop_default"),
        ("set_not_null", _set_not_null),
        ("drop_not_null", _drop_not_null),
        *each(_identity, "add_identity", "set_identity", "drop_identity"),
        *each(_expression, "set_generated", "drop_expression"),
        *each(_setting, "set_column_storage", "set_column_compression", "set_column_statistics", "set_column_options"),
        *each(
            _add_constraint, "add_check_not_valid", "add_check", "add_not_null_not_valid", "add_foreign_key_not_valid",
            "add_foreign_key", "add_primary_key", "add_unique", "add_exclusion",
        ),
        *each(_add_using_index, "add_primary_key_using_index", "add_unique_using_index"),
        ("validate_constraint", _validate),
        ("drop_constraint", _drop_constraint),
        ("rename_constraint", _rename_constraint),
        *each(_add_index, "add_index", "add_index_concurrently"),
        *each(_drop_index, "drop_index", "drop_index_concurrently"),
        ("rename_index", _rename_index),
    )
)  # fmt: skip
