"""What is checked before and after an operation, how it is taken back, and what its SQL alone does not show.

For every operation the same questions, answered from the catalog as it is when the operation's turn comes: is what it
needs there, is what it makes new, how does one get back to the definition that stands now. What cannot be told (the
catalog does not know the object) is left out; the server says it then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pglast.parser import ParseError
from pglast.stream import RawStream

from wesley_tui.catalog import ddl, ddl_lifecycle
from wesley_tui.catalog.model import Catalog, Column, Index, QName, Ref, SqlObject, Table
from wesley_tui.catalog.naming import qualified, quote_ident, quote_literal
from wesley_tui.dsl.spelling import parts_of, qname_of
from wesley_tui.dsl.template import Values
from wesley_tui.planner import checks
from wesley_tui.planner.effects import EffectContext
from wesley_tui.planner.forms.objects import creating
from wesley_tui.planner.parse import check_statement, parse_statement
from wesley_tui.planner.plan import StepCheck

__all__ = ["Facts", "facts_of"]


@dataclass(frozen=True, slots=True)
class Facts:
    undo: tuple[str, ...] = ()
    before: tuple[StepCheck, ...] = ()
    after: tuple[StepCheck, ...] = ()
    danger: str = ""
    """A reason for H3 that the effects of the SQL do not show."""
    leftover: StepCheck | None = None
    cleanup: tuple[str, ...] = ()
    why: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _View:
    """The fields of an operation, and the catalog at its turn."""

    values: Values
    context: EffectContext
    rows: float
    """Estimated rows of the table; -1 when nobody knows."""

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def name(self, field: str) -> QName:
        return qname_of(self.values[field])

    @property
    def catalog(self) -> Catalog:
        assert self.context.catalog is not None
        return self.context.catalog

    @property
    def table(self) -> QName:
        return self.name("table")

    @property
    def record(self) -> Table:
        return self.context.whole_table(self.table) or Table(self.table)

    @property
    def column(self) -> Column | None:
        return self.record.column(self.values["column"])

    @property
    def sql(self) -> str:
        """``ALTER TABLE public.t``"""
        return f"ALTER TABLE {qualified(self.table)}"

    @property
    def column_sql(self) -> str:
        return f"{self.sql} ALTER COLUMN {quote_ident(self.values['column'])}"


_Answer = Callable[[_View], Facts]


def facts_of(values: Values, context: EffectContext, rows: Mapping[str, float]) -> Facts:
    """``rows``: estimated rows by ``schema.table``; a table that is not there has an unknown number."""
    answer = _ANSWERS.get(values["op"])
    if answer is None:
        return Facts()
    table = values.get("table")
    name = qname_of(table) if isinstance(table, str) else None
    estimate = 0.0 if name in context.created else rows.get(str(name), -1.0)
    return answer(_View(values, context, estimate))


def _create_schema(v: _View) -> Facts:
    return Facts((f"DROP SCHEMA {quote_ident(v['schema'])}",), after=(checks.schema_exists(v["schema"]),))


def _create_table(v: _View) -> Facts:
    return Facts(
        (f"DROP TABLE {qualified(v.table)}",), (checks.relation_absent(v.table),), (checks.table_exists(v.table),)
    )


def _drop_table(v: _View) -> Facts:
    return Facts((), (checks.table_exists(v.table),), (checks.relation_absent(v.table),))


def _moved_table(v: _View, new: QName) -> Facts:
    old = v.table
    back = (
        f"ALTER TABLE {qualified(new)} RENAME TO {quote_ident(old.name)}"
        if old.schema == new.schema
        else f"ALTER TABLE {qualified(new)} SET SCHEMA {quote_ident(old.schema)}"
    )
    return Facts((back,), (checks.table_exists(old), checks.relation_absent(new)), (checks.table_exists(new),))


def _set_options(v: _View) -> Facts:
    before = dict(v.record.options)
    return Facts(_options_back(v.sql, before, v["options"]), (checks.table_exists(v.table),))


def _options_back(target: str, before: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, ...]:
    again = [(name, before[name]) for name in now if name in before]
    gone = ", ".join(".".join(map(quote_ident, name.split("."))) for name in now if name not in before)
    undo = [f"{target} SET ({ddl.storage_options(again)})"] if again else []
    return (*undo, *((f"{target} RESET ({gone})",) if gone else ()))


def _table_flag(back: str) -> _Answer:
    return lambda v: Facts((f"{v.sql} {back}",), (checks.table_exists(v.table),))


def _attach(v: _View) -> Facts:
    part = v.name("partition")
    return Facts(
        (f"{v.sql} DETACH PARTITION {qualified(part)}",), (checks.table_exists(v.table), checks.table_exists(part))
    )


def _detach(v: _View) -> Facts:
    part = v.context.table(v.name("partition"))
    known = part is not None and part.partition_bound not in (None, "FOR VALUES …")
    return Facts(
        (ddl.attach_partition(part),) if known and part is not None else (),
        (checks.table_exists(v.name("partition")),),
        danger=f"queries of {v.table} no longer see the rows of {v.name('partition')}",
    )


def _add_column(v: _View) -> Facts:
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


def _drop_column(v: _View) -> Facts:
    return Facts(
        (), (checks.column_exists(v.table, v["column"]),), (checks.column_absent(v.table, v["column"]),),
        why=("nothing is set aside: only a backup brings the data back; retire_column keeps them",),
    )  # fmt: skip


def _rename_column(v: _View) -> Facts:
    return Facts(
        (f"{v.sql} RENAME COLUMN {quote_ident(v['to'])} TO {quote_ident(v['column'])}",),
        (checks.column_exists(v.table, v["column"]), checks.column_absent(v.table, v["to"])),
        (checks.column_exists(v.table, v["to"]),),
    )


def _alter_type(v: _View) -> Facts:
    column = v.column
    using = f" USING {quote_ident(v['column'])}::{column.type}" if column is not None else ""
    return Facts(
        (f"{v.column_sql} TYPE {column.type}{using}",) if column is not None and column.type else (),
        (checks.column_exists(v.table, v["column"]), checks.nothing_depends_on_column(v.table, v["column"])),
    )


def _default(v: _View) -> Facts:
    column = v.column
    old = column.default if column is not None else None
    back = f"SET DEFAULT {ddl.default_clause(old)}" if old is not None else "DROP DEFAULT"
    wanted = v["op"] == "set_default"
    return Facts(
        (f"{v.column_sql} {back}",),
        (checks.column_exists(v.table, v["column"]),),
        (checks.column_has_default(v.table, v["column"], wanted),),
    )


def _set_not_null(v: _View) -> Facts:
    return Facts(
        (f"{v.column_sql} DROP NOT NULL",),
        (checks.column_exists(v.table, v["column"]), checks.no_nulls(v.table, v["column"])),
        (checks.column_is_not_null(v.table, v["column"]),),
    )


def _drop_not_null(v: _View) -> Facts:
    return Facts(
        (f"{v.column_sql} SET NOT NULL",),
        (checks.column_exists(v.table, v["column"]),),
        (checks.column_is_not_null(v.table, v["column"], False),),
    )


_IDENTITY = {"always": "a", "by default": "d"}


def _identity(v: _View) -> Facts:
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


def _expression(v: _View) -> Facts:
    column = v.column
    known = column is not None and column.generated is not None and v["op"] == "set_generated"
    back = column.generated.expression if known and column is not None and column.generated is not None else ""
    return Facts(
        (f"{v.column_sql} SET EXPRESSION AS ({back}\n)",) if known else (),
        (checks.column_exists(v.table, v["column"]),),
    )


def _setting(v: _View) -> Facts:
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


def _add_constraint(v: _View) -> Facts:
    name = v["constraint"]
    before = [checks.table_exists(v.table), checks.constraint_absent(v.table, name)]
    if "references" in v.values:
        before.append(checks.table_exists(v.name("references")))
    return Facts(
        (f"{v.sql} DROP CONSTRAINT {quote_ident(name)}",), tuple(before), (checks.constraint_exists(v.table, name),)
    )


def _add_using_index(v: _View) -> Facts:
    return Facts(
        (f"{v.sql} DROP CONSTRAINT {quote_ident(v['constraint'])}",),
        (checks.index_valid(v.table, v["index"], unique=True),),
        (checks.constraint_exists(v.table, v["constraint"]),),
    )


def _validate(v: _View) -> Facts:
    name = v["constraint"]
    return Facts((), (checks.constraint_exists(v.table, name),), (checks.constraint_valid(v.table, name),))


def _drop_constraint(v: _View) -> Facts:
    constraint = v.record.constraint(v["constraint"])
    undo: tuple[str, ...] = (ddl.add_constraint(v.table, constraint),) if constraint is not None else ()
    if constraint is not None and constraint.comment is not None:
        undo += (ddl.comment_on("constraint", v.table, constraint.name, constraint.comment),)
    name = v["constraint"]
    return Facts(undo, (checks.constraint_exists(v.table, name),), (checks.constraint_absent(v.table, name),))


def _rename_constraint(v: _View) -> Facts:
    old, new = v["constraint"], v["to"]
    return Facts(
        (f"{v.sql} RENAME CONSTRAINT {quote_ident(new)} TO {quote_ident(old)}",),
        (checks.constraint_exists(v.table, old), checks.constraint_absent(v.table, new)),
        (checks.constraint_exists(v.table, new),),
    )


def _add_index(v: _View) -> Facts:
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


def _index_at(v: _View) -> tuple[QName, Index] | None:
    """The index that is meant, and its table."""
    name = v.name("index")
    owner = v.context.index_table(name)
    table = v.context.table(owner) if owner is not None else None
    index = table.index(name.name) if table is not None else None
    return (owner, index) if owner is not None and index is not None else None


def _drop_index(v: _View) -> Facts:
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


def _rename_index(v: _View) -> Facts:
    old = v.name("index")
    new = QName(old.schema, v["to"])
    return Facts((f"ALTER INDEX {qualified(new)} RENAME TO {quote_ident(old.name)}",), (checks.relation_absent(new),))


def _create_enum(v: _View) -> Facts:
    name = v.name("enum")
    return Facts((f"DROP TYPE {qualified(name)}",), (checks.type_absent(name),), (checks.type_exists(name),))


def _add_value(v: _View) -> Facts:
    name = v.name("enum")
    return Facts((), (checks.label_absent(name, v["value"]),), (checks.label_exists(name, v["value"]),))


def _rename_value(v: _View) -> Facts:
    name = v.name("enum")
    statement = f"ALTER TYPE {qualified(name)} RENAME VALUE {quote_literal(v['to'])} TO "
    return Facts(
        (statement + quote_literal(v["value"]),),
        (checks.label_exists(name, v["value"]), checks.label_absent(name, v["to"])),
        (checks.label_exists(name, v["to"]),),
        danger=f"clients that send {v['value']!r} fail from that moment on",
    )


def _rename_type(v: _View) -> Facts:
    old = v.name("type_name")
    new = QName(old.schema, v["to"]) if "to" in v.values else QName(v["schema"], old.name)
    back = f"RENAME TO {quote_ident(old.name)}" if "to" in v.values else f"SET SCHEMA {quote_ident(old.schema)}"
    return Facts((f"ALTER TYPE {qualified(new)} {back}",), (checks.type_absent(new),), (checks.type_exists(new),))


def _drop_type(v: _View) -> Facts:
    name = v.name("type_name")
    enum = v.catalog.enums.get(name)
    undo: tuple[str, ...] = (ddl.create_enum(enum),) if enum is not None else ()
    if not undo:
        undo = _made_again(v, name, "composite type", "range type")
    return Facts(undo, (checks.type_exists(name),), (checks.type_absent(name),))


def _again(item: SqlObject | None) -> tuple[str, ...]:
    """What makes an object of the catalog; nothing for one that an earlier step made: the model follows those by name
    only."""
    if item is None:
        return ()
    statements = creating(item)
    try:
        for statement in statements:
            check_statement(statement)
    except (ParseError, ValueError):
        return ()
    return statements


def _made_again(v: _View, name: QName, *kinds: str) -> tuple[str, ...]:
    """The statements that make an object of the catalog, when it has it."""
    for kind in kinds:
        item = v.catalog.objects.get(Ref(kind, str(name)))
        if item is not None:
            return _again(item)
    return ()


_DROPPED_AS = {
    "create_rule": "RULE", "create_trigger": "TRIGGER", "create_sequence": "SEQUENCE", "create_domain": "DOMAIN",
    "create_composite_type": "TYPE", "create_range_type": "TYPE", "create_statistics": "STATISTICS",
    "create_publication": "PUBLICATION", "create_event_trigger": "EVENT TRIGGER",
}  # fmt: skip


def _defined(v: _View) -> Facts:
    """Of an object that its definition makes: it goes, or the definition that stands now comes back."""
    node: Any = parse_statement(v["definition"])
    if v["op"] in ("create_function", "create_procedure"):
        return _routine(v, node)
    word = _DROPPED_AS[v["op"]]
    if word in ("RULE", "TRIGGER"):
        name = quote_ident(node.trigname if word == "TRIGGER" else node.rulename)
        return Facts((f"DROP {word} {name} ON {_written(node.relation)}",) if not node.replace else ())
    relation = getattr(node, "sequence", None) or getattr(node, "typevar", None)
    names = getattr(node, "domainname", None) or getattr(node, "typeName", None) or getattr(node, "defnames", None)
    plain = getattr(node, "pubname", None) or getattr(node, "trigname", None)
    if relation is not None:
        return Facts((f"DROP {word} {_written(relation)}",))
    if names is not None:
        return Facts((f"DROP {word} {'.'.join(quote_ident(part.sval) for part in names)}",))
    return Facts((f"DROP {word} {quote_ident(plain)}",) if plain else ())


def _written(relation: Any) -> str:
    return qualified(QName(relation.schemaname or "public", relation.relname))


def _routine(v: _View, node: Any) -> Facts:
    kind = "procedure" if node.is_procedure else "function"
    name = QName(
        *([part.sval for part in node.funcname] if len(node.funcname) > 1 else ["public", node.funcname[0].sval])
    )
    if node.replace:
        found = [item for item in v.catalog.objects.values() if item.kind == kind and item.name == name]
        return Facts(_again(found[0]) if len(found) == 1 else ())
    taken = ("FUNC_PARAM_DEFAULT", "FUNC_PARAM_IN", "FUNC_PARAM_INOUT", "FUNC_PARAM_VARIADIC")
    types = [RawStream()(item.argType) for item in node.parameters or () if item.mode.name in taken]
    return Facts((f"DROP {kind.upper()} {qualified(name)}({', '.join(types)})",))


def _create_relation(word: str, field: str) -> _Answer:
    def answer(v: _View) -> Facts:
        name = v.name(field)
        if v.values.get("replace"):
            return Facts(_made_again(v, name, "view"))
        return Facts((f"DROP {word} {qualified(name)}",), (checks.relation_absent(name),))

    return answer


def _drop_object(kind: str, field: str, danger: str = "") -> _Answer:
    def answer(v: _View) -> Facts:
        said = danger or f"clients that still use {kind} {v[field]} get an error"
        if kind in ("trigger", "rule"):
            item = v.catalog.objects.get(Ref(kind, f"{v[field]} ON {v.table}"))
            return Facts(_again(item), danger=said)
        if kind in ("function", "procedure", "aggregate"):
            found = [
                item for item in v.catalog.objects.values()
                if item.kind == kind and ddl_lifecycle.object_name(item).partition(" ")[2] == v[field]
            ]  # fmt: skip
            return Facts(_again(found[0]) if len(found) == 1 else (), danger=said)
        name = v.name(field) if "." in v[field] else QName("", v[field])
        ref = Ref(kind, str(name) if name.schema else name.name)
        known = v.catalog.objects.get(ref)
        return Facts(_again(known), danger=said)

    return answer


def _row_security(v: _View) -> Facts:
    words = {
        "enable_rls": "DISABLE", "disable_rls": "ENABLE", "force_rls": "NO FORCE", "no_force_rls": "FORCE"
    }  # fmt: skip
    stronger = v["op"] in ("enable_rls", "force_rls")
    danger = (
        (f"row-level security is switched on: connected clients may see and write fewer rows of {v.table}"
         if v.rows != 0 else "")
        if stronger
        else f"policies no longer protect {v.table}: rows become visible to every role that may read it"
    )  # fmt: skip
    return Facts(
        (f"{v.sql} {words[v['op']]} ROW LEVEL SECURITY",), (checks.table_exists(v.table),), danger=danger
    )  # fmt: skip


def _policy(v: _View) -> Facts:
    name = v["policy"]
    record = v.record
    old = next((item for item in record.policies if item.name == name), None)
    there, absent = checks.policy_exists(v.table, name), checks.policy_absent(v.table, name)
    drop = f"DROP POLICY {quote_ident(name)} ON {qualified(v.table)}"
    create = ddl.create_policy(v.table, old) if old is not None else ""
    counts = record.rls_enabled and v.rows != 0
    match v["op"]:
        case "create_policy":
            narrows = counts and v.values.get("restrictive")
            danger = f"policy {name} restricts what clients see of {v.table}" if narrows else ""
            return Facts((drop,), (checks.table_exists(v.table), absent), (there,), danger)
        case "alter_policy":
            danger = f"policy {name} gets another condition: clients may see fewer rows of {v.table}" if counts else ""
            return Facts((drop, create) if create else (), (there,), (there,), danger)
        case _:
            return Facts((create,) if create else (), (there,), (absent,))


def _revoke(v: _View) -> Facts:
    return Facts(
        danger=f"clients that use {v['name']} by privileges that are taken away get an error ({', '.join(v['roles'])})"
    )


def _default_privileges(v: _View) -> Facts:
    node: Any = parse_statement(v["definition"])
    return Facts(danger="" if node.action.is_grant else "objects that are made later get other privileges")


def _comment(v: _View) -> Facts:
    text = v.values.get("text")
    match v["kind"]:
        case "table" if "." in v["on"]:
            return Facts(after=(checks.comment_is(v.name("on"), None, text),))
        case "column":
            schema, table, column = parts_of(v["on"])
            return Facts(after=(checks.comment_is(QName(schema, table), column, text),))
        case _:
            return Facts()


def _owner(v: _View) -> Facts:
    name = v.name("sequence")
    item = v.catalog.objects.get(Ref("sequence", str(name)))
    return Facts((ddl_lifecycle.own_sequence(name, item.owned_by),) if item is not None else ())


def _each(answer: _Answer, *names: str) -> Iterator[tuple[str, _Answer]]:
    return ((name, answer) for name in names)


_ANSWERS: Mapping[str, _Answer] = dict(
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
        *_each(_default, "set_default", "drop_default"),
        ("set_not_null", _set_not_null),
        ("drop_not_null", _drop_not_null),
        *_each(_identity, "add_identity", "set_identity", "drop_identity"),
        *_each(_expression, "set_generated", "drop_expression"),
        *_each(_setting, "set_column_storage", "set_column_compression", "set_column_statistics", "set_column_options"),
        *_each(
            _add_constraint, "add_check_not_valid", "add_check", "add_not_null_not_valid", "add_foreign_key_not_valid",
            "add_foreign_key", "add_primary_key", "add_unique", "add_exclusion",
        ),
        *_each(_add_using_index, "add_primary_key_using_index", "add_unique_using_index"),
        ("validate_constraint", _validate),
        ("drop_constraint", _drop_constraint),
        ("rename_constraint", _rename_constraint),
        *_each(_add_index, "add_index", "add_index_concurrently"),
        *_each(_drop_index, "drop_index", "drop_index_concurrently"),
        ("rename_index", _rename_index),
        ("create_enum", _create_enum),
        ("add_enum_value", _add_value),
        ("rename_enum_value", _rename_value),
        *_each(_rename_type, "rename_type", "move_type"),
        ("drop_type", _drop_type),
        ("create_view", _create_relation("VIEW", "view")),
        ("create_materialized_view", _create_relation("MATERIALIZED VIEW", "view")),
        *_each(_defined, "create_function", "create_procedure", *_DROPPED_AS),
        ("drop_view", _drop_object("view", "view")),
        ("drop_materialized_view", _drop_object("materialized view", "view")),
        ("drop_extension", _drop_object("extension", "extension")),
        ("drop_sequence", _drop_object("sequence", "sequence", "the number that the sequence has reached is lost")),
        ("drop_function", _drop_object("function", "function")),
        ("drop_procedure", _drop_object("procedure", "procedure")),
        ("drop_aggregate", _drop_object("aggregate", "aggregate")),
        ("drop_domain", _drop_object("domain", "domain")),
        ("drop_trigger", _drop_object("trigger", "trigger", "the trigger no longer runs: what it kept in order is "
                                      "nobody's business then")),
        ("drop_rule", _drop_object("rule", "rule", "the rule no longer counts")),
        ("drop_event_trigger", _drop_object("event trigger", "trigger", "the event trigger no longer runs")),
        ("drop_publication", _drop_object("publication", "publication")),
        *_each(_row_security, "enable_rls", "disable_rls", "force_rls", "no_force_rls"),
        *_each(_policy, "create_policy", "alter_policy", "drop_policy"),
        ("revoke", _revoke),
        ("create_default_privileges", _default_privileges),
        ("comment", _comment),
        ("own_sequence", _owner),
    )
)  # fmt: skip
