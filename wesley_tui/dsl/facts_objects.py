"""Facts of operations on types, views, routines and other objects, on row-level security, privileges and comments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pglast.parser import ParseError
from pglast.stream import RawStream

from wesley_tui.catalog import ddl, ddl_lifecycle
from wesley_tui.catalog.model import QName, Ref, SqlObject
from wesley_tui.catalog.naming import qualified, quote_ident, quote_literal
from wesley_tui.dsl.facts_view import Answer, Facts, View, each
from wesley_tui.dsl.spelling import parts_of
from wesley_tui.planner import checks
from wesley_tui.planner.forms.objects import creating
from wesley_tui.planner.parse import check_statement, parse_statement

__all__ = ["OBJECT_FACTS"]


def _create_enum(v: View) -> Facts:
    name = v.name("enum")
    return Facts((f"DROP TYPE {qualified(name)}",), (checks.type_absent(name),), (checks.type_exists(name),))


def _add_value(v: View) -> Facts:
    name = v.name("enum")
    return Facts((), (checks.label_absent(name, v["value"]),), (checks.label_exists(name, v["value"]),))


def _rename_value(v: View) -> Facts:
    name = v.name("enum")
    statement = f"ALTER TYPE {qualified(name)} RENAME VALUE {quote_literal(v['to'])} TO "
    return Facts(
        (statement + quote_literal(v["value"]),),
        (checks.label_exists(name, v["value"]), checks.label_absent(name, v["to"])),
        (checks.label_exists(name, v["to"]),),
        danger=f"clients that send {v['value']!r} fail from that moment on",
    )


def _rename_type(v: View) -> Facts:
    old = v.name("type_name")
    new = QName(old.schema, v["to"]) if "to" in v.values else QName(v["schema"], old.name)
    back = f"RENAME TO {quote_ident(old.name)}" if "to" in v.values else f"SET SCHEMA {quote_ident(old.schema)}"
    return Facts((f"ALTER TYPE {qualified(new)} {back}",), (checks.type_absent(new),), (checks.type_exists(new),))


def _drop_type(v: View) -> Facts:
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


def _made_again(v: View, name: QName, *kinds: str) -> tuple[str, ...]:
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


def _defined(v: View) -> Facts:
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


def _routine(v: View, node: Any) -> Facts:
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


def _create_relation(word: str, field: str) -> Answer:
    def answer(v: View) -> Facts:
        name = v.name(field)
        if v.values.get("replace"):
            return Facts(_made_again(v, name, "view"))
        return Facts((f"DROP {word} {qualified(name)}",), (checks.relation_absent(name),))

    return answer


def _drop_object(kind: str, field: str, danger: str = "") -> Answer:
    def answer(v: View) -> Facts:
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


def _row_security(v: View) -> Facts:
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


def _policy(v: View) -> Facts:
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


def _revoke(v: View) -> Facts:
    return Facts(
        danger=f"clients that use {v['name']} by privileges that are taken away get an error ({', '.join(v['roles'])})"
    )


def _default_privileges(v: View) -> Facts:
    node: Any = parse_statement(v["definition"])
    return Facts(danger="" if node.action.is_grant else "objects that are made later get other privileges")


def _comment(v: View) -> Facts:
    text = v.values.get("text")
    match v["kind"]:
        case "table" if "." in v["on"]:
            return Facts(after=(checks.comment_is(v.name("on"), None, text),))
        case "column":
            schema, table, column = parts_of(v["on"])
            return Facts(after=(checks.comment_is(QName(schema, table), column, text),))
        case _:
            return Facts()


def _owner(v: View) -> Facts:
    name = v.name("sequence")
    item = v.catalog.objects.get(Ref("sequence", str(name)))
    return Facts((ddl_lifecycle.own_sequence(name, item.owned_by),) if item is not None else ())


OBJECT_FACTS: Mapping[str, Answer] = dict(
    (
        ("create_enum", _create_enum),
        ("add_enum_value", _add_value),
        ("rename_enum_value", _rename_value),
        *each(_rename_type, "rename_type", "move_type"),
        ("drop_type", _drop_type),
        ("create_view", _create_relation("VIEW", "view")),
        ("create_materialized_view", _create_relation("MATERIALIZED VIEW", "view")),
        *each(_defined, "create_function", "create_procedure", *_DROPPED_AS),
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
        *each(_row_security, "enable_rls", "disable_rls", "force_rls", "no_force_rls"),
        *each(_policy, "create_policy", "alter_policy", "drop_policy"),
        ("revoke", _revoke),
        ("create_default_privileges", _default_privileges),
        ("comment", _comment),
        ("own_sequence", _owner),
    )
)  # fmt: skip
