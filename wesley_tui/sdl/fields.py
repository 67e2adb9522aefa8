"""From a field of a ``@table`` type to a column, or to nothing: relations are no columns."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from wesley_tui.catalog.identity import identity_options
from wesley_tui.catalog.model import Column, Generated, Identity, QName
from wesley_tui.catalog.types import SerialType, TypeNameError, UnknownType, canonical_type
from wesley_tui.sdl.defaults import DefaultProblem, default_of_value
from wesley_tui.sdl.environment import Environment, TypeInfo
from wesley_tui.sdl.expressions import checked
from wesley_tui.sdl.issues import Issues, Spot
from wesley_tui.sdl.names import SYSTEM_COLUMNS, name_problem, nearest, reserved_word, snake_case
from wesley_tui.sdl.syntax import Field, Value
from wesley_tui.sdl.usage import Use, uses_of

__all__ = ["FieldDraft", "check_name", "described", "field_draft", "sql_type_of"]

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_RELATIONS = ("belongsTo", "hasMany", "hasOne")
_COLUMN_DIRECTIVES = frozenset(
    (
        *("column", "type", "pk", "unique", "index", "check", "default", "generated", "identity", "collate", "renamed"),
        *("notNull", "storage", "compression", "statistics", "computed", "using"),
    )
)
_IDENTITY_TYPES = ("smallint", "integer", "bigint")


class FieldDraft(NamedTuple):
    """A field, understood. ``column`` is None for a relation and for a field that is wrong."""

    field: Field
    spot: Spot
    uses: dict[str, list[Use]]
    column: Column | None
    column_name: str
    dropped: bool = False
    elements_not_null: bool = False
    relation_to: str = ""
    """The table type that the field points to."""
    failed: bool = False
    """It was meant to be a column, and what is wrong has been reported."""


def field_draft(part: int, field: Field, environment: Environment, issues: Issues) -> FieldDraft:
    """Understand one field of a table type."""
    spot = Spot(part, field.at)
    uses = (
        uses_of(
            ((part, directive) for directive in field.directives),
            "FIELD_DEFINITION",
            issues,
            environment.declared_directives,
        )
        if field.directives
        else {}
    )
    reference = field.type
    info = environment.type(reference.name)
    is_relation = info is not None and info.kind in ("table", "dropped", "view")
    has_key = "fk" in uses and is_relation
    written = uses["column"][0].get("name") if "column" in uses else None
    name = snake_case(field.name) + ("_id" if has_key else "") if written is None else written
    if field.name.startswith("__"):
        issues.error("reserved-name", f"{field.name!r}: names that start with __ belong to GraphQL", spot)
    if has_key and info is not None and info.kind == "view":
        issues.error(
            "reference-to-view",
            f"field {field.name!r} has @fk, and {reference.name} is a view: PostgreSQL refers to tables only",
            uses["fk"][0].spot,
            "take @fk away to keep the relation for clients, or refer to the table behind it",
        )
        return FieldDraft(field, spot, uses, None, name, failed=True)
    if "drop" in uses:
        return FieldDraft(field, spot, uses, None, name, dropped=True)
    if field.has_arguments:
        issues.warn(
            "field-arguments", f"the arguments of field {field.name!r} are for the API: a column has none", spot
        )
    nothing = FieldDraft(field, spot, uses, None, name, relation_to=reference.name if is_relation else "")
    if info is None and "type" not in uses:
        near = environment.nearest_type(reference.name)
        issues.error(
            "unknown-type",
            f"unknown type {reference.name!r} of field {field.name!r}",
            Spot(part, reference.at),
            f"did you mean {near}?" if near else 'declare it, or give the SQL type: @type(name: "…")',
        )
        return nothing._replace(failed=True)
    if is_relation and "fk" not in uses and "type" not in uses:
        _refuse_on_relation(field, uses, issues)
        return nothing
    if info is not None and info.kind == "other" and "type" not in uses:
        if not any(relation in uses for relation in _RELATIONS):
            issues.error(
                "not-a-column",
                f"field {field.name!r} has the type {reference.name}, which is no table, enum or scalar: no column",
                Spot(part, reference.at),
                f'give {reference.name} a @table, or keep it as JSON: @type(name: "jsonb")',
            )
            return nothing._replace(failed=True)
        return nothing
    sql_type = "" if has_key and "type" not in uses else _sql_type(part, field, info, uses, environment, issues)
    if sql_type is None:
        return nothing._replace(failed=True)
    if sql_type == "" and reference.lists:
        issues.error(
            "list-of-relations",
            f"field {field.name!r} is a list: a foreign key points to one row",
            spot,
            "take the list away, or put the key on the other type and mark this field @hasMany",
        )
        return nothing._replace(failed=True)
    check_name(name, "column", spot if "column" not in uses else uses["column"][0].spot, issues)
    if name in SYSTEM_COLUMNS:
        issues.error(
            "system-column", f"every table of PostgreSQL has a column {name!r} already", spot, '@column(name: "…")'
        )
    column = _column(name, sql_type, field, info, uses, spot, issues)
    elements = bool(reference.lists and reference.element_not_null)
    return FieldDraft(field, spot, uses, column, name, False, elements, reference.name if is_relation else "")


def described(description: Value | None, spot: Spot, issues: Issues) -> str | None:
    """The text of a description; control characters that were written as escapes are an error."""
    if description is None or not description.value:
        return None
    text: str = description.value
    if (control := _CONTROL.search(text)) is not None:
        issues.error(
            "control-character",
            f"the description contains the control character U+{ord(control[0]):04X}, which would reach the terminal",
            Spot(spot.part, description.at),
            'if the comment in the database must have it, write @comment(text: "…")',
        )
        return None
    return text


def _refuse_on_relation(field: Field, uses: dict[str, list[Use]], issues: Issues) -> None:
    for name in uses:
        if name in _COLUMN_DIRECTIVES:
            issues.error(
                "directive-on-relation",
                f"field {field.name!r} points to a table and is no column, so @{name} would do nothing",
                uses[name][0].spot,
                "add @fk to make it a column with a foreign key, or move the directive to the column",
            )


def check_name(name: str, what: str, spot: Spot, issues: Issues) -> None:
    """Report a name that PostgreSQL cannot hold, or one that will always need quotes."""
    if (problem := name_problem(name)) is not None:
        issues.error(problem[0], f"{what}: {problem[1]}", spot, "shorten it, or name it otherwise")
    elif reserved_word(name):
        issues.warn(
            "reserved-word",
            f"the {what} name {name!r} is a reserved word of SQL: Wesley quotes it, hand-written SQL has to as well",
            spot,
        )


def sql_type_of(use: Use, environment: Environment, issues: Issues, argument: str = "name") -> str | None:
    """The canonical type that ``@type(name:)`` names; None, with an error, when it names none."""
    text: str = use.get(argument)
    try:
        return canonical_type(text, environment)
    except SerialType as error:
        hint = f"@identity on a field of type {'BigInt' if error.integer_type == 'bigint' else 'Int'}"
        issues.error("wrong-type", str(error), use.spot_of(argument), hint)
    except UnknownType as error:
        issues.error("unknown-type", str(error), use.spot_of(argument))
    except TypeNameError as error:
        issues.error("wrong-type", str(error), use.spot_of(argument))
    return None


def _sql_type(
    part: int,
    field: Field,
    info: TypeInfo | None,
    uses: dict[str, list[Use]],
    environment: Environment,
    issues: Issues,
) -> str | None:
    """Canonical type of the column, list and all; None when it is wrong."""
    reference = field.type
    if "type" in uses:
        use = uses["type"][0]
        if "schema" in use.arguments:
            issues.error(
                "wrong-argument", "on a field the schema belongs into the name of the type", use.spot_of("schema")
            )
        sql = sql_type_of(use, environment, issues)
        if sql is None:
            return None
    else:
        assert info is not None
        if not info.sql:
            # A scalar without a type: reported where it is declared.
            return None
        sql = info.sql
    if not reference.lists:
        return sql
    if reference.lists > 1:
        issues.warn(
            "nested-list",
            f"field {field.name!r} is a list of lists: PostgreSQL has one type for arrays of any depth",
            Spot(part, reference.at),
        )
    return sql if sql.endswith("[]") else sql + "[]"


def _column(
    name: str,
    sql_type: str,
    field: Field,
    info: TypeInfo | None,
    uses: dict[str, list[Use]],
    spot: Spot,
    issues: Issues,
) -> Column:
    not_null = field.type.not_null
    comment = described(field.description, spot, issues)
    if not uses:
        return Column(name, sql_type, not_null, comment=comment or None)
    if "comment" in uses:
        comment = uses["comment"][0].get("text")
    if not not_null and ("pk" in uses or "identity" in uses):
        what = "primary key" if "pk" in uses else "identity"
        issues.warn("nullable-key", f"a {what} column is never null in PostgreSQL", spot, f"write {field.type.name}!")
        not_null = True
    default = _default(sql_type, info, uses["default"][0], issues) if "default" in uses else None
    generated = _generated(uses["generated"][0], issues) if "generated" in uses else None
    identity: Identity | None = None
    more: dict[str, Any] = {}
    if "identity" in uses:
        use = uses["identity"][0]
        identity = "always" if use.get("always") else "by default"
        if sql_type not in _IDENTITY_TYPES:
            issues.error(
                "wrong-identity",
                f"an identity column is smallint, integer or bigint, and {name!r} is {sql_type or 'a reference'}",
                use.spot,
                "use BigInt! instead of ID!" if field.type.name == "ID" else "use BigInt!",
            )
        more = _identity_options(sql_type, use, issues)
    sources = [source for source in ("default", "generated", "identity") if source in uses]
    if "computed" in uses and (generated is not None or identity is not None):
        issues.error(
            "two-sources",
            f"column {name!r} is kept by @computed: it cannot be generated as well",
            uses["computed"][0].spot,
        )
    if len(sources) > 1:
        issues.error(
            "two-sources",
            f"column {name!r} has {' and '.join('@' + source for source in sources)}: PostgreSQL allows one of them",
            uses[sources[1]][0].spot,
        )
    collation = None
    if "collate" in uses:
        use = uses["collate"][0]
        collation = QName(use.get("schema") or "pg_catalog", use.get("name"))
        if not collation.name:
            issues.error("empty-name", "a collation has a name", use.spot_of("name"))
    return Column(
        name,
        sql_type,
        not_null,
        default,
        identity,
        generated,
        collation,
        comment or None,
        **more,
        **_column_options(uses, not_null=not_null, issues=issues),
    )


def _identity_options(sql_type: str, use: Use, issues: Issues) -> dict[str, Any]:
    """How its sequence counts. The schema of a name is that of the table, and filled in there."""
    if use.get("increment") == 0:
        issues.error("wrong-argument", "a sequence that does not move counts nothing", use.spot_of("increment"))
        return {}
    found: dict[str, Any] = {
        "identity_options": identity_options(
            sql_type,
            use.get("start"),
            use.get("increment", 1),
            use.get("min"),
            use.get("max"),
            use.get("cache", 1),
            bool(use.get("cycle", False)),
        )
    }
    if "sequence" in use.arguments:
        check_name(use.get("sequence"), "sequence", use.spot_of("sequence"), issues)
        found["identity_sequence"] = QName("", use.get("sequence"))
    return found


def _column_options(uses: dict[str, list[Use]], *, not_null: bool, issues: Issues) -> dict[str, Any]:
    """What is set with ALTER COLUMN, and the name of its NOT NULL."""
    options: dict[str, Any] = {}
    if "storage" in uses:
        use = uses["storage"][0]
        options["storage"] = _one_of(use, "type", ("plain", "external", "extended", "main"), issues)
    if "compression" in uses:
        use = uses["compression"][0]
        options["compression"] = _one_of(use, "method", ("pglz", "lz4"), issues)
    if "statistics" in uses:
        use = uses["statistics"][0]
        options["statistics"] = use.get("target")
        if use.get("target") is None or use.get("sql") is not None or not 0 <= use.get("target") <= 10_000:
            issues.error("wrong-argument", "@statistics on a field takes target, from 0 to 10000", use.spot)
    if "column" in uses:
        if not uses["column"][0].arguments:
            issues.error("missing-argument", "@column needs the argument 'name'", uses["column"][0].spot)
        options["options"] = uses["column"][0].get("with") or ()
    if "notNull" in uses:
        use = uses["notNull"][0]
        if "name" in use.arguments:
            check_name(use.get("name"), "constraint", use.spot_of("name"), issues)
        elif "comment" not in use.arguments:
            issues.error("missing-argument", "@notNull needs the argument 'name'", use.spot)
        options["not_null_name"] = use.get("name")
        options["not_null_comment"] = use.get("comment") or None
        if not not_null:
            issues.error("wrong-argument", "@notNull names the NOT NULL of a column that has none", use.spot, "write !")
    return options


def _one_of(use: Use, argument: str, words: tuple[str, ...], issues: Issues) -> str | None:
    word: str = use.get(argument).lower()
    if word in words:
        return word
    near = nearest(word, words)
    issues.error(
        "wrong-argument",
        f"@{use.name} is one of {', '.join(words)}, not {word!r}",
        use.spot_of(argument),
        f"did you mean {near}?" if near else "",
    )
    return None


def _default(sql_type: str, info: TypeInfo | None, use: Use, issues: Issues) -> str | None:
    if ("value" in use.values) == ("expr" in use.values):
        issues.error("wrong-default", "@default takes either value or expr", use.spot)
        return None
    if "expr" in use.values:
        return checked(use, "expr", issues)
    labels = (
        info.labels if info is not None and info.kind == "enum" and sql_type.removesuffix("[]") == info.sql else None
    )
    value = use.values["value"]
    if labels is not None and info is not None:
        value = _by_label(value, dict(info.by_value))
    try:
        return default_of_value(value, sql_type, labels)
    except DefaultProblem as problem:
        issues.error(problem.code, str(problem), use.spot_of("value"), problem.hint)
        return None


def _by_label(value: Value, labels: dict[str, str]) -> Value:
    """Values of an enum are written by their GraphQL names; the database knows labels."""
    if value.kind == "list":
        return value._replace(value=tuple(_by_label(item, labels) for item in value.value))
    if value.kind == "enum" or (value.kind == "string" and value.value in labels):
        return value._replace(value=labels.get(value.value, value.value))
    return value


def _generated(use: Use, issues: Issues) -> Generated | None:
    text = checked(use, "expr", issues)
    return None if text is None else Generated(text, "stored" if use.get("stored", True) else "virtual")
