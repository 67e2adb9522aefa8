"""From one ``schema`` (or ``extend schema``) to what it declares: objects, and remarks about objects.

Every definition is understood on its own, and again only when its text changed; names of types and what an object leans
on are resolved when the whole schema is known (:mod:`wesley_tui.sdl.inventory`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from wesley_tui.catalog.model import ObjectKind, Policy, QName, SqlObject
from wesley_tui.catalog.naming import qualified, quote_ident
from wesley_tui.sdl.addresses import Address, read_address
from wesley_tui.sdl.expressions import checked, sql_spot
from wesley_tui.sdl.fields import check_name
from wesley_tui.sdl.issues import Issue, Issues, Spot
from wesley_tui.sdl.names import name_problem, split_name
from wesley_tui.sdl.policies import explicit_policies
from wesley_tui.sdl.privileges import Granting, read_granting
from wesley_tui.sdl.sqltext import SqlError, parse_one
from wesley_tui.sdl.statements import Statement, read_statement
from wesley_tui.sdl.units import Unit
from wesley_tui.sdl.usage import Use, uses_of

__all__ = ["Namespace", "ObjectDraft", "Remark", "SchemaDraft", "object_of", "schema_draft", "statement_of"]

_KIND_OF: Mapping[str, ObjectKind] = {
    "extension": "extension",
    "domain": "domain",
    "composite": "composite type",
    "range": "range type",
    "sequence": "sequence",
    "function": "function",
    "procedure": "procedure",
    "aggregate": "aggregate",
    "trigger": "trigger",
    "rule": "rule",
    "statistics": "statistics",
    "publication": "publication",
    "eventTrigger": "event trigger",
    "defaultPrivileges": "default privileges",
    "view": "view",
    "materializedView": "materialized view",
    "collation": "collation",
    "textSearchDictionary": "text search dictionary",
    "textSearchConfiguration": "text search configuration",
    "operator": "operator",
    "operatorFamily": "operator family",
    "operatorClass": "operator class",
    "cast": "cast",
    "foreignDataWrapper": "foreign-data wrapper",
    "server": "server",
    "foreignTable": "foreign table",
}
_UNCHECKED = frozenset(("default privileges", "operator", "cast"))
"""Kinds whose names are none that somebody chose, or no identifiers."""
_DIRECTIVE_OF = {kind: name for name, kind in _KIND_OF.items()}
_PARTS = {
    "sequence": (*("name", "schema", "type", "start", "increment", "min", "max", "cache", "cycle"),),
    "domain": ("name", "schema", "type", "default", "notNull", "check"),
    "view": ("query", "name", "schema", "securityInvoker", "securityBarrier", "checkOption"),
    "materializedView": ("query", "name", "schema", "withData", "tablespace", "with"),
    "statistics": ("target",),
}


@dataclass(frozen=True, slots=True, eq=False)
class ObjectDraft:
    """An object whose argument types and dependencies are not resolved yet."""

    object: SqlObject
    statement: Statement | None
    """None for ``@sql``, which is not taken apart."""
    spot: Spot
    wanted: tuple[Address, ...] = ()
    """``dependsOn`` of ``@sql``."""


class Namespace(NamedTuple):
    name: str
    comment: str | None
    spot: Spot


class Remark(NamedTuple):
    """Something said about an object that stands elsewhere: a comment, or that it is to be dropped (no text)."""

    address: Address
    text: str | None
    spot: Spot


@dataclass(frozen=True, slots=True, eq=False)
class SchemaDraft:
    """What one definition of the schema says."""

    objects: tuple[ObjectDraft, ...] = ()
    namespaces: tuple[Namespace, ...] = ()
    grantings: tuple[Granting, ...] = ()
    comments: tuple[Remark, ...] = ()
    drops: tuple[Remark, ...] = ()
    policies: tuple[tuple[str, Policy, Spot], ...] = ()
    """Each with the table as written."""
    indexes: tuple[tuple[Address, Use], ...] = ()
    issues: tuple[Issue, ...] = ()


def schema_draft(unit: Unit, declared: Collection[str]) -> SchemaDraft:
    """Understand one definition of the schema."""
    issues = Issues()
    uses = uses_of(unit.directives(), "SCHEMA", issues, declared)
    objects: list[ObjectDraft] = []
    for name, several in uses.items():
        if name in _KIND_OF:
            for use in several:
                draft = _extension(use, issues) if name == "extension" else object_of(use, issues)
                if draft is not None:
                    objects.append(draft)
    objects += [draft for use in uses.get("sql", ()) if (draft := _other(use, issues)) is not None]
    policies = []
    for use in uses.get("policy", ()):
        if "table" not in use.arguments:
            issues.error("missing-argument", "@policy on the schema needs table: of which table?", use.spot)
            continue
        policies += [(use.get("table"), policy, spot) for policy, spot in explicit_policies([use], issues)]
    namespaces = []
    for use in uses.get("namespace", ()):
        check_name(use.get("name"), "schema", use.spot_of("name"), issues)
        namespaces.append(Namespace(use.get("name"), use.get("comment") or None, use.spot))
    indexes = []
    for use in uses.get("index", ()):
        address = _address(use, issues)
        if address is not None:
            indexes.append((address, use))
    return SchemaDraft(
        tuple(objects),
        tuple(namespaces),
        tuple(
            item
            for use in (*uses.get("grant", ()), *uses.get("revoke", ()))
            for item in read_granting(use, issues, on_schema=True)
        ),
        tuple(_remarks(uses.get("comment", ()), issues)),
        tuple(_remarks(uses.get("drop", ()), issues)),
        tuple(policies),
        tuple(indexes),
        tuple(issues),
    )


def _remarks(uses: Collection[Use], issues: Issues) -> list[Remark]:
    result = []
    for use in uses:
        address = _address(use, issues)
        if address is not None:
            result.append(Remark(address, use.get("text") or None, use.spot_of("on")))
    return result


def _address(use: Use, issues: Issues) -> Address | None:
    if "on" not in use.arguments:
        issues.error("missing-argument", f"@{use.name} on the schema needs on: which object?", use.spot)
        return None
    try:
        return read_address(use.get("on"))
    except SqlError as error:
        issues.error(
            "wrong-address",
            f"@{use.name}(on:) names no object: {error}",
            sql_spot(use, "on", error.offset),
            "as after COMMENT ON: table users · function f(integer) · trigger x ON t · constraint c ON t",
        )
        return None


# -- objects --------------------------------------------------------------------------------------------------------


def object_of(use: Use, issues: Issues, text: str | None = None) -> ObjectDraft | None:
    """The object that a directive declares with its ``sql`` or its parts (or with ``text``, made of them elsewhere)."""
    argument = "sql"
    if text is None:
        text = use.get("sql")
        parts = [name for name in _PARTS.get(use.name, ()) if name in use.arguments]
        if text is not None and parts:
            issues.error(
                "wrong-argument", f"@{use.name} takes sql, or its parts such as {parts[0]}, not both", use.spot
            )
            return None
        if text is None:
            argument = ""
            text = _from_parts(use, issues)
            if text is None:
                return None
    statement = _statement(use, argument, text, issues)
    if statement is None:
        return None
    wanted = _KIND_OF[use.name]
    if statement.kind != wanted:
        issues.error(
            "wrong-statement",
            f"@{use.name} is about a {wanted}, and this statement makes a {statement.kind}",
            use.spot_of("sql"),
            f"write @{_DIRECTIVE_OF[statement.kind]}",
        )
        return None
    if wanted not in _UNCHECKED:
        check_name(statement.name.name, wanted, use.spot, issues)
    record = SqlObject(
        statement.kind,
        statement.name,
        (statement.text, *_following(use, issues)),
        "" if statement.parameters is not None or statement.method else None,
        statement.relation,
        statement.owned_by or _owner(use, issues),
        use.get("comment") or None,
        columns=statement.columns,
    )
    return ObjectDraft(record, statement, use.spot)


def statement_of(record: SqlObject) -> Statement:
    """The statement of an object that this package wrote itself."""
    return read_statement(record.statements[0])


def _statement(use: Use, argument: str, text: str, issues: Issues) -> Statement | None:
    try:
        return read_statement(text)
    except SqlError as error:
        place = sql_spot(use, argument, error.offset) if argument in use.values else use.spot
        issues.error(
            "wrong-sql",
            f"@{use.name}{f'({argument}:)' if argument else ''}: {error}",
            place,
            "one statement, as PostgreSQL itself would take it; nothing was planned",
        )
        return None


def _following(use: Use, issues: Issues) -> tuple[str, ...]:
    statements = []
    for number, text in enumerate(use.get("then") or ()):
        try:
            parse_one("", text, "")
        except SqlError as error:
            issues.error(
                "wrong-sql",
                f"@{use.name}(then:): {error}",
                sql_spot(use, "then", error.offset, number),
                "one statement",
            )
        statements.append(text.strip().rstrip(";").rstrip())
    return tuple(statements)


def _from_parts(use: Use, issues: Issues) -> str | None:
    if "name" in use.arguments and not _good_names(use, issues):
        return None
    if use.name == "sequence" and "name" in use.arguments:
        return _sequence_text(use)
    if use.name == "domain" and "name" in use.arguments:
        return _domain_text(use, issues)
    issues.error(
        "missing-argument",
        f"@{use.name} needs sql"
        + (", or name and the other parts" if use.name in ("sequence", "domain") else ": the statement that makes it"),
        use.spot,
    )
    return None


def _good_names(use: Use, issues: Issues) -> bool:
    good = True
    for argument in ("name", "schema", "version"):
        problem = name_problem(use.get(argument)) if argument in use.arguments else None
        if problem is not None:
            issues.error(problem[0], problem[1], use.spot_of(argument))
            good = False
    return good


def _name_of(use: Use) -> str:
    return qualified(QName(use.get("schema") or "public", use.get("name")))


def _sequence_text(use: Use) -> str:
    words = {"increment": "INCREMENT BY", "min": "MINVALUE", "max": "MAXVALUE", "start": "START WITH", "cache": "CACHE"}
    text = f"CREATE SEQUENCE {_name_of(use)}"
    if "type" in use.arguments:
        text += f" AS {use.get('type')}"
    for argument, word in words.items():
        if argument in use.arguments:
            text += f" {word} {use.get(argument)}"
    text += " CYCLE" if use.get("cycle") else ""
    return text


def _owner(use: Use, issues: Issues) -> tuple[QName, str] | None:
    """The column that ``ownedBy`` names. Said apart from the statement: the sequence is made before its table."""
    if "ownedBy" not in use.arguments:
        return None
    try:
        parts, listed = split_name(use.get("ownedBy"))
    except ValueError:
        parts, listed = [], None
    if listed is not None or not 2 <= len(parts) <= 3:
        issues.error("wrong-argument", f"{use.get('ownedBy')!r} is no column", use.spot_of("ownedBy"), '"table.column"')
        return None
    return QName(parts[-3] if len(parts) > 2 else "public", parts[-2]), parts[-1]


def _domain_text(use: Use, issues: Issues) -> str | None:
    if "type" not in use.arguments:
        issues.error("missing-argument", "@domain needs type: which type does it restrict?", use.spot)
        return None
    before = len(issues)
    default, check = checked(use, "default", issues), checked(use, "check", issues)
    if len(issues) > before:
        return None
    text = f"CREATE DOMAIN {_name_of(use)} AS {use.get('type')}"
    text += f" DEFAULT {default}" if default is not None else ""
    text += " NOT NULL" if use.get("notNull") else ""
    return text + (f" CHECK ({check})" if check is not None else "")


def _extension(use: Use, issues: Issues) -> ObjectDraft | None:
    name, schema, version = use.get("name"), use.get("schema"), use.get("version")
    if not _good_names(use, issues):
        return None
    text = f"CREATE EXTENSION {quote_ident(name)}"
    text += f" WITH SCHEMA {quote_ident(schema)}" if schema else ""
    text += f" VERSION {quote_ident(version)}" if version else ""
    return ObjectDraft(
        SqlObject("extension", QName("", name), (text,), comment=use.get("comment") or None), None, use.spot
    )


def _other(use: Use, issues: Issues) -> ObjectDraft | None:
    good = _good_names(use, issues)
    for argument in ("create", "drop"):
        if argument in use.arguments:
            try:
                parse_one("", use.get(argument), "")
            except SqlError as error:
                issues.error(
                    "wrong-sql",
                    f"@sql({argument}:): {error}",
                    sql_spot(use, argument, error.offset),
                    "one statement; several objects are several @sql",
                )
                good = False
    addresses = []
    for number, text in enumerate(use.get("dependsOn") or ()):
        try:
            addresses.append(read_address(text))
        except SqlError as error:
            issues.error(
                "wrong-address",
                f"@sql(dependsOn:) names no object: {error}",
                sql_spot(use, "dependsOn", error.offset, number),
                "table users · function f(integer)",
            )
    if not good:
        return None
    drop: Any = use.get("drop")
    record = SqlObject(
        "other",
        QName("", use.get("name")),
        (use.get("create").strip().rstrip(";").rstrip(),),
        drop=drop.strip().rstrip(";").rstrip() if drop else None,
    )
    return ObjectDraft(record, None, use.spot, tuple(addresses))
