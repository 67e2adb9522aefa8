"""Making, describing and dropping the objects that are kept as SQL.

Their CREATE statements are in their records. What is added here is what those leave out (comments, privileges, the
indexes of materialized views, who owns a sequence) and the way back.
"""

from __future__ import annotations

import json

from pglast.parser import parse_sql_json

from wesley_tui.catalog import ddl
from wesley_tui.catalog.ddl_definitions import operator_name
from wesley_tui.catalog.ddl_grants import change_grants, grant_target
from wesley_tui.catalog.model import QName, SqlObject
from wesley_tui.catalog.naming import qualified, quote_ident, quote_literal

__all__ = [
    "comment_on_object",
    "comment_on_part",
    "create_object",
    "drop_object",
    "object_comments",
    "object_name",
    "own_sequence",
]

_WORDS = {
    "composite type": "TYPE",
    "range type": "TYPE",
    "statistics": "STATISTICS",
    "foreign-data wrapper": "FOREIGN DATA WRAPPER",
}


def object_name(item: SqlObject) -> str:
    """The object as COMMENT ON, DROP and ALTER name it: ``FUNCTION public.f(integer)``, ``TRIGGER a ON public.t``.

    Raises ``ValueError`` for ``other`` and ``default privileges``, which no statement can name.
    """
    if item.kind in ("other", "default privileges"):
        raise ValueError(f"{item.ref}: PostgreSQL has no name for this")
    word = _WORDS.get(item.kind, item.kind.upper())
    if item.kind == "cast":
        return f"CAST ({item.arguments})"
    if item.kind == "operator":
        return f"OPERATOR {operator_name(item.name)} ({item.arguments})"
    if item.kind in ("operator class", "operator family"):
        return f"{word} {qualified(item.name)} USING {quote_ident(item.arguments or '')}"
    if item.relation is not None:
        return f"{word} {quote_ident(item.name.name)} ON {qualified(item.relation)}"
    name = qualified(item.name) if item.name.schema else quote_ident(item.name.name)
    return f"{word} {name}" + (f"({item.arguments})" if item.arguments is not None else "")


def create_object(item: SqlObject) -> tuple[str, ...]:
    """Everything that makes the object where it is absent, in order: its statements, the indexes of a materialized
    view, privileges and comments. Who owns a sequence is left out: its column may not exist yet, see
    :func:`own_sequence`."""
    grants = change_grants(grant_target(item), (), item.grants) if item.grants else ()
    return (
        *item.statements,
        *(ddl.create_index(item.name, index) for index in item.indexes),
        *(text for index in item.indexes for text in ddl.set_index_statistics(item.name, index)),
        *grants,
        *object_comments(item),
    )


def object_comments(item: SqlObject) -> tuple[str, ...]:
    """COMMENT ON the object, its parts, and its indexes, for those that have one."""
    statements = [comment_on_object(item, item.comment)] if item.comment is not None else []
    statements += [comment_on_part(item, part, text) for part, text in item.part_comments]
    statements += [
        ddl.comment_on("index", item.name, index.name, index.comment)
        for index in item.indexes
        if index.comment is not None
    ]
    return tuple(statements)


def comment_on_object(item: SqlObject, text: str | None) -> str:
    """``COMMENT ON``; ``None`` takes the comment away."""
    return f"COMMENT ON {object_name(item)} IS {'NULL' if text is None else quote_literal(text)}"


def comment_on_part(item: SqlObject, part: str, text: str | None) -> str:
    """``COMMENT ON COLUMN`` of a view, materialized view or composite type, ``COMMENT ON CONSTRAINT`` of a domain."""
    if item.kind == "domain":
        target = f"CONSTRAINT {quote_ident(part)} ON DOMAIN {qualified(item.name)}"
    else:
        target = f"COLUMN {qualified(item.name)}.{quote_ident(part)}"
    return f"COMMENT ON {target} IS {'NULL' if text is None else quote_literal(text)}"


def own_sequence(sequence: QName, column: tuple[QName, str] | None) -> str:
    """``ALTER SEQUENCE … OWNED BY``: the sequence goes when the column goes; None is nobody."""
    owner = "NONE" if column is None else f"{qualified(column[0])}.{quote_ident(column[1])}"
    return f"ALTER SEQUENCE {qualified(sequence)} OWNED BY {owner}"


def drop_object(item: SqlObject) -> tuple[str, ...]:
    """The statements that take the object away, without CASCADE.

    Raises ``ValueError`` for ``other`` without a :attr:`SqlObject.drop`.
    """
    if item.drop is not None:
        return (item.drop,)
    if item.kind == "default privileges":
        return tuple(_opposite(statement) for statement in reversed(item.statements))
    return (f"DROP {object_name(item)}",)


def _opposite(statement: str) -> str:
    """GRANT for REVOKE and the other way round, in ALTER DEFAULT PRIVILEGES."""
    tree = json.loads(parse_sql_json(statement))["stmts"][0]["stmt"]["AlterDefaultPrivilegesStmt"]
    options = {item["DefElem"]["defname"]: item["DefElem"]["arg"]["List"]["items"] for item in tree["options"]}
    action = tree["action"]
    privileges = [item["AccessPriv"]["priv_name"].upper() for item in action.get("privileges", ())] or ["ALL"]
    place = ""
    if "roles" in options:
        place += f" FOR ROLE {', '.join(_role(item) for item in options['roles'])}"
    if "schemas" in options:
        place += f" IN SCHEMA {', '.join(quote_ident(item['String']['sval']) for item in options['schemas'])}"
    roles = ", ".join(_role(item) for item in action["grantees"])
    what = f"{', '.join(privileges)} ON {_OBJECT_WORDS[action['objtype']]}"
    verb = f"REVOKE {what} FROM {roles}" if action.get("is_grant") else f"GRANT {what} TO {roles}"
    return f"ALTER DEFAULT PRIVILEGES{place} {verb}"


_OBJECT_WORDS = {
    "OBJECT_TABLE": "TABLES",
    "OBJECT_SEQUENCE": "SEQUENCES",
    "OBJECT_FUNCTION": "FUNCTIONS",
    "OBJECT_TYPE": "TYPES",
    "OBJECT_SCHEMA": "SCHEMAS",
    "OBJECT_LARGEOBJECT": "LARGE OBJECTS",
}


def _role(node: dict[str, dict[str, str]]) -> str:
    role = node["RoleSpec"]
    match role["roletype"]:
        case "ROLESPEC_PUBLIC":
            return "PUBLIC"
        case "ROLESPEC_CSTRING":
            return quote_ident(role["rolename"])
        case kind:
            return kind.removeprefix("ROLESPEC_")
