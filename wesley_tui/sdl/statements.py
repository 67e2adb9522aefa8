"""The statement that makes an object, read by PostgreSQL's own grammar: what it makes, and what it leans on.

``@function(sql: …)`` and its relatives hold one CREATE statement each. Kind, name, arguments and the table that carries
a trigger are in the statement, and are therefore not repeated in the schema. What an object leans on is found by
walking the tree: every relation, function, type and column that it names. That is more than it needs at times and never
less than the grammar can know; the body of a PL/pgSQL function is text to PostgreSQL until it runs, and so it is here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from wesley_tui.catalog.model import ObjectKind, QName
from wesley_tui.catalog.naming import quote_ident
from wesley_tui.catalog.types import TypeNameError, canonical_type
from wesley_tui.sdl.names import split_name
from wesley_tui.sdl.sqltext import SqlError, label_of, parse_one

__all__ = [
    "Mentions",
    "Statement",
    "argument_types",
    "mentions_of",
    "output_columns",
    "read_statement",
    "relation_name",
    "type_name",
]

_SEQUENCE_FUNCTIONS = frozenset(("nextval", "currval", "setval"))
_OUTPUT = frozenset(("FUNC_PARAM_OUT", "FUNC_PARAM_TABLE"))


@dataclass(frozen=True, slots=True)
class Mentions:
    """Names that a statement speaks of. A schema that is not written is None."""

    relations: frozenset[tuple[str | None, str]] = frozenset()
    functions: frozenset[tuple[str | None, str]] = frozenset()
    types: frozenset[tuple[str | None, str]] = frozenset()
    columns: frozenset[str] = frozenset()
    """Last parts of column references; ``*`` for all columns."""
    others: frozenset[tuple[str, str | None, str]] = frozenset()
    """What only a statement of its kind can speak of: (kind, schema, name) of operators, collations, operator classes,
    text search dictionaries, servers … An operator without a schema is none: nearly all are PostgreSQL's own."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One CREATE statement, understood."""

    text: str
    kind: ObjectKind
    name: QName
    """The schema is ``public`` where none is written, empty for what belongs to the database."""
    mentions: Mentions
    parameters: tuple[Mapping[str, Any], ...] | None = None
    """Of routines, aggregates, operators and casts: the TypeName nodes of the arguments (see :func:`argument_types`).
    A side that an operator does not have is empty."""
    method: str = ""
    """The access method of an operator class or family."""
    direct: int | None = None
    """Of an ordered-set aggregate: how many of its arguments are direct; the others stand behind ORDER BY."""
    relation: QName | None = None
    owned_by: tuple[QName, str] | None = None
    columns: tuple[str, ...] = ()
    """Of a view or a composite type: its columns, when the statement says them all."""


@lru_cache(maxsize=8192)
def read_statement(text: str) -> Statement:
    """Understand one statement that makes an object.

    Raises:
        SqlError: it is no SQL, more than one statement, or makes nothing that has a place among objects.
    """
    if not text.strip():
        raise SqlError("the statement is empty", 0)
    tree = parse_one("", text, "")
    ((tag, node),) = tree["stmts"][0]["stmt"].items()
    reader = _READERS.get(tag)
    found = reader(node) if reader is not None else None
    if found is None:
        raise SqlError("this statement makes no object of such a kind", 0)
    kind, name, more = found
    mentions = mentions_of(node)
    relations = mentions.relations
    if kind in _NAMED_LIKE_RELATIONS:
        relations = frozenset(item for item in relations if QName(item[0] or "public", item[1]) != name)
    if kind == "sequence":
        text = _without_owner(text, node)
        mentions = Mentions()
        relations = frozenset()
    return Statement(
        text.strip().rstrip(";").rstrip(),
        kind,
        name,
        Mentions(
            relations,
            mentions.functions - _names_of(name),
            mentions.types - _names_of(name),
            mentions.columns,
            mentions.others,
        ),
        **more,
    )


def _names_of(name: QName) -> frozenset[tuple[str | None, str]]:
    return frozenset(((name.schema, name.name), (None, name.name) if name.schema == "public" else (name.schema, "")))


def argument_types(statement: Statement, user_types: Mapping[str, QName]) -> str | None:
    """Identity arguments of a routine: the types of its inputs as ``format_type()`` prints them, ``integer, text``.

    Aggregates have ``*`` for none, and ``float8 ORDER BY anyelement`` for an ordered set; casts ``text AS integer``;
    operator classes and families their access method.
    """
    if statement.method:
        return statement.method
    if statement.parameters is None:
        return None
    types = [type_name(node, user_types) if node else "NONE" for node in statement.parameters]
    if statement.kind == "cast":
        return " AS ".join(types)
    if statement.direct is not None:
        direct, ordered = types[: statement.direct], types[statement.direct :]
        return f"{', '.join(direct)} ORDER BY {', '.join(ordered)}".strip()
    return ", ".join(types) or ("*" if statement.kind == "aggregate" else "")


def type_name(node: Mapping[str, Any], user_types: Mapping[str, QName]) -> str:
    """Canonical spelling of a TypeName node; a type that nobody knows is taken to be in ``public``."""
    parts = [part["String"].get("sval", "") for part in node["names"]]
    array = "[]" if "arrayBounds" in node else ""
    if node.get("pct_type"):
        return ".".join(quote_ident(part) for part in parts) + "%TYPE" + array
    try:
        spelled = canonical_type(".".join(quote_ident(part) for part in parts), user_types)
    except TypeNameError:
        name = parts[-1]
        known = len(parts) == 2 and parts[0] != "pg_catalog"
        if known or name not in _PSEUDO:
            spelled = f"{quote_ident(parts[0]) if known else 'public'}.{quote_ident(name)}"
        else:
            spelled = quote_ident(name)
    return {"bpchar": "character", '"bit"': "bit"}.get(spelled, spelled) + array


_PSEUDO = frozenset(
    (
        *("any", "anyarray", "anycompatible", "anycompatiblearray", "anycompatiblemultirange", "anyenum", "record"),
        *("anycompatiblenonarray", "anycompatiblerange", "anyelement", "anymultirange", "anynonarray", "anyrange"),
        *("cstring", "event_trigger", "fdw_handler", "index_am_handler", "internal", "language_handler", "trigger"),
        *("table_am_handler", "tsm_handler", "unknown", "void", "pg_ddl_command"),
    )
)


# -- what each statement makes --------------------------------------------------------------------------------------


def relation_name(node: Mapping[str, Any]) -> QName:
    """The name in a RangeVar node."""
    return QName(node.get("schemaname", "public"), node["relname"])


def _strings(nodes: Sequence[Mapping[str, Any]]) -> list[str]:
    return [node["String"].get("sval", "") for node in nodes if "String" in node]


def _qualified(nodes: Sequence[Mapping[str, Any]]) -> QName:
    parts = _strings(nodes)
    return QName(parts[-2] if len(parts) > 1 else "public", parts[-1])


_NAMED_LIKE_RELATIONS = frozenset(("sequence", "composite type", "view", "materialized view", "foreign table"))
"""Kinds whose own name is that of a relation: a statement that makes one says it, and does not need it. Statistics, a
trigger or a rule may well be called like their table."""

_Found = tuple[ObjectKind, QName, dict[str, Any]]


def _function(node: Mapping[str, Any]) -> _Found:
    kind: ObjectKind = "procedure" if node.get("is_procedure") else "function"
    if "sql_body" not in node:
        options = {item["DefElem"]["defname"] for item in node.get("options", ())}
        if "as" not in options:
            raise SqlError(f"the {kind} has no body", 0)
    return kind, _qualified(node["funcname"]), {"parameters": _inputs(node.get("parameters", ()))}


def _inputs(parameters: Sequence[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    found = [item["FunctionParameter"] for item in parameters]
    return tuple(item["argType"] for item in found if item.get("mode") not in _OUTPUT)


_DEFINED: Mapping[str, ObjectKind] = {
    "OBJECT_COLLATION": "collation",
    "OBJECT_TSDICTIONARY": "text search dictionary",
    "OBJECT_TSCONFIGURATION": "text search configuration",
}


def _define(node: Mapping[str, Any]) -> _Found | None:
    if node.get("kind") in _DEFINED:
        return _DEFINED[node["kind"]], _qualified(node["defnames"]), {}
    if node.get("kind") == "OBJECT_OPERATOR":
        sides = {item["DefElem"]["defname"].lower(): item["DefElem"].get("arg", {}) for item in node["definition"]}
        types = tuple(sides.get(side, {}).get("TypeName", {}) for side in ("leftarg", "rightarg"))
        return "operator", _qualified(node["defnames"]), {"parameters": types}
    if node.get("kind") != "OBJECT_AGGREGATE" or node.get("oldstyle"):
        return None
    arguments = node["args"][0].get("List", {}).get("items", ())
    direct = node["args"][1]["Integer"].get("ival", 0)
    found = {"parameters": _inputs(arguments), "direct": None if direct < 0 else direct}
    return "aggregate", _qualified(node["defnames"]), found


def _trigger(node: Mapping[str, Any]) -> _Found:
    relation = relation_name(node["relation"])
    return "trigger", QName(relation.schema, node["trigname"]), {"relation": relation}


def _rule(node: Mapping[str, Any]) -> _Found:
    relation = relation_name(node["relation"])
    return "rule", QName(relation.schema, node["rulename"]), {"relation": relation}


def _operator_class(node: Mapping[str, Any]) -> _Found:
    return "operator class", _qualified(node["opclassname"]), {"method": node["amname"]}


def _operator_family(node: Mapping[str, Any]) -> _Found:
    return "operator family", _qualified(node["opfamilyname"]), {"method": node["amname"]}


def _cast(node: Mapping[str, Any]) -> _Found:
    return "cast", QName("", ""), {"parameters": (node["sourcetype"], node["targettype"])}


def _foreign_table(node: Mapping[str, Any]) -> _Found:
    base = node["base"]
    columns = tuple(item["ColumnDef"]["colname"] for item in base.get("tableElts", ()) if "ColumnDef" in item)
    return "foreign table", relation_name(base["relation"]), {"columns": columns}


def _sequence(node: Mapping[str, Any]) -> _Found:
    return "sequence", relation_name(node["sequence"]), {"owned_by": _owner(node)}


def _owner(node: Mapping[str, Any]) -> tuple[QName, str] | None:
    for item in node.get("options", ()):
        if item["DefElem"]["defname"] == "owned_by":
            parts = _strings(item["DefElem"]["arg"]["List"]["items"])
            if len(parts) > 1:
                return QName(parts[-3] if len(parts) > 2 else "public", parts[-2]), parts[-1]
    return None


def _without_owner(text: str, node: Mapping[str, Any]) -> str:
    """A sequence is made before the table whose column owns it, so its statement does not say OWNED BY."""
    starts = sorted(item["DefElem"]["location"] for item in node.get("options", ()))
    encoded = text.encode()
    for item in node.get("options", ()):
        if item["DefElem"]["defname"] == "owned_by":
            start = item["DefElem"]["location"]
            end = next((other for other in starts if other > start), len(encoded))
            encoded = encoded[:start].rstrip() + b" " * (end < len(encoded)) + encoded[end:]
    return encoded.decode()


def _composite(node: Mapping[str, Any]) -> _Found:
    columns = tuple(item["ColumnDef"]["colname"] for item in node.get("coldeflist", ()))
    return "composite type", relation_name(node["typevar"]), {"columns": columns}


def _statistics(node: Mapping[str, Any]) -> _Found:
    if "defnames" not in node:
        raise SqlError("the statistics have no name", 0)
    return "statistics", _qualified(node["defnames"]), {}


def _view(node: Mapping[str, Any]) -> _Found:
    columns = tuple(_strings(node.get("aliases", ()))) or output_columns(node["query"])
    return "view", relation_name(node["view"]), {"columns": columns}


def _table_as(node: Mapping[str, Any]) -> _Found | None:
    if node.get("objtype") != "OBJECT_MATVIEW":
        return None
    columns = tuple(_strings(node["into"].get("colNames", ()))) or output_columns(node["query"])
    return "materialized view", relation_name(node["into"]["rel"]), {"columns": columns}


def output_columns(query: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the columns that a query gives; empty when a ``*`` hides them."""
    select = query.get("SelectStmt", {})
    while "larg" in select:
        select = select["larg"]
    names = []
    for item in select.get("targetList", ()):
        target = item["ResTarget"]
        if "name" in target:
            names.append(target["name"])
            continue
        value = target["val"]
        if "ColumnRef" in value and "A_Star" in value["ColumnRef"]["fields"][-1]:
            return ()
        names.append(label_of(value)[0] or "?column?")
    return tuple(names)


def _default_privileges(node: Mapping[str, Any]) -> _Found:
    lists = {item["DefElem"]["defname"]: item["DefElem"]["arg"]["List"]["items"] for item in node.get("options", ())}
    schemas = _strings(lists.get("schemas", ()))
    roles = [item["RoleSpec"].get("rolename", "") for item in lists.get("roles", ())]
    action = node["action"]
    if len(schemas) > 1 or len(roles) != 1 or not roles[0]:
        raise SqlError("FOR ROLE says whose objects are meant: one role, in at most one schema", 0)
    what = str(action["objtype"]).removeprefix("OBJECT_").replace("_", " ").replace("LARGEOBJECT", "large object")
    return "default privileges", QName(schemas[0] if schemas else "", f"{what.lower()}s of {roles[0]}"), {}


_READERS: Mapping[str, Any] = {
    "CreateFunctionStmt": _function,
    "DefineStmt": _define,
    "CreateTrigStmt": _trigger,
    "RuleStmt": _rule,
    "CreateSeqStmt": _sequence,
    "CreateDomainStmt": lambda node: ("domain", _qualified(node["domainname"]), {}),
    "CompositeTypeStmt": _composite,
    "CreateRangeStmt": lambda node: ("range type", _qualified(node["typeName"]), {}),
    "ViewStmt": _view,
    "CreateTableAsStmt": _table_as,
    "CreateStatsStmt": _statistics,
    "CreatePublicationStmt": lambda node: ("publication", QName("", node["pubname"]), {}),
    "CreateEventTrigStmt": lambda node: ("event trigger", QName("", node["trigname"]), {}),
    "CreateExtensionStmt": lambda node: ("extension", QName("", node["extname"]), {}),
    "AlterDefaultPrivilegesStmt": _default_privileges,
    "CreateOpClassStmt": _operator_class,
    "CreateOpFamilyStmt": _operator_family,
    "CreateCastStmt": _cast,
    "CreateFdwStmt": lambda node: ("foreign-data wrapper", QName("", node["fdwname"]), {}),
    "CreateForeignServerStmt": lambda node: ("server", QName("", node["servername"]), {}),
    "CreateForeignTableStmt": _foreign_table,
}


# -- what it speaks of ----------------------------------------------------------------------------------------------


def mentions_of(tree: Any) -> Mentions:
    """Every name in a parse tree; the text of an SQL function's body is read as well."""
    relations: set[tuple[str | None, str]] = set()
    functions: set[tuple[str | None, str]] = set()
    types: set[tuple[str | None, str]] = set()
    columns: set[str] = set()
    local: set[str] = set()
    others: set[tuple[str, str | None, str]] = set()
    for node in _nodes(tree):
        if "relname" in node:
            relations.add((node.get("schemaname"), node["relname"]))
        elif "funcname" in node:
            parts = _strings(node["funcname"])
            functions.add((parts[-2] if len(parts) > 1 else None, parts[-1]))
            if parts[-1] in _SEQUENCE_FUNCTIONS and "args" in node:
                relations.update(_named_in_text(node["args"][0]))
        elif "names" in node and "typemod" in node:
            parts = _strings(node["names"])
            if parts[0] != "pg_catalog":
                types.add((parts[-2] if len(parts) > 1 else None, parts[-1]))
        elif "ctename" in node:
            local.add(node["ctename"])
        elif "fields" in node:
            last = node["fields"][-1]
            columns.add("*" if "A_Star" in last else last.get("String", {}).get("sval", ""))
        others.update(_others(node))
        if "objname" in node:
            functions.update(_pairs(node["objname"]))
        if "options" in node and "funcname" in node:
            for body in _sql_bodies(node["options"]):
                inner = mentions_of(body)
                relations |= inner.relations
                functions |= inner.functions
                types |= inner.types
                others |= inner.others
    relations = {item for item in relations if item[0] is not None or item[1] not in local}
    return Mentions(frozenset(relations), frozenset(functions), frozenset(types), frozenset(columns), frozenset(others))


_NAMING: Mapping[str, str] = {
    "collname": "collation",
    "objname": "operator",
    "opfamilyname": "operator family",
    "opclass": "operator class",
    "fdwname": "foreign-data wrapper",
    "servername": "server",
}
"""Fields of a parse tree that hold the name of something else than a relation, function or type."""


def _others(node: Mapping[str, Any]) -> Iterator[tuple[str, str | None, str]]:
    for field, kind in _NAMING.items():
        if field in node:
            named = node[field]
            pairs = [(None, named)] if isinstance(named, str) else _pairs(named)
            yield from ((kind, schema, name) for schema, name in pairs)
    if "kind" in node and "name" in node and len(parts := _strings(node["name"])) > 1:
        yield "operator", parts[-2], parts[-1]


def _pairs(nodes: Sequence[Mapping[str, Any]]) -> list[tuple[str | None, str]]:
    parts = _strings(nodes)
    return [(parts[-2] if len(parts) > 1 else None, parts[-1])] if parts else []


def _nodes(tree: Any) -> Iterator[Mapping[str, Any]]:
    stack = [tree]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            yield item
            stack.extend(value for value in item.values() if isinstance(value, dict | list))
        elif isinstance(item, list):
            stack.extend(value for value in item if isinstance(value, dict | list))


def _named_in_text(argument: Mapping[str, Any]) -> list[tuple[str | None, str]]:
    """The relation of ``nextval('app.s'::regclass)``."""
    while "TypeCast" in argument:
        argument = argument["TypeCast"]["arg"]
    text = argument.get("A_Const", {}).get("sval", {}).get("sval", "")
    try:
        parts, _ = split_name(text)
    except ValueError:
        return []
    return [(parts[-2] if len(parts) > 1 else None, parts[-1])]


def _sql_bodies(options: Sequence[Mapping[str, Any]]) -> Iterator[Any]:
    found = {item["DefElem"]["defname"]: item["DefElem"].get("arg", {}) for item in options}
    language = found.get("language", {}).get("String", {}).get("sval", "")
    if language.lower() != "sql" or "as" not in found:
        return
    for item in found["as"].get("List", {}).get("items", ())[:1]:
        text = item["String"].get("sval", "")
        try:
            yield parse_one("", text, "")
        except SqlError:
            # Several statements, or one that PostgreSQL itself will refuse: it says so better.
            return
