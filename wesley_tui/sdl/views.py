"""Types that are views: ``@view(query:)`` and ``@materializedView(query:)``.

The query decides what a view is. The fields give its columns their names and tell clients their types; a field's
description is the comment of its column. A materialized view can have indexes, like a table.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from wesley_tui.catalog.model import Column, Grant, QName, Ref
from wesley_tui.catalog.naming import qualified, quote_ident, quote_idents
from wesley_tui.sdl.environment import Environment
from wesley_tui.sdl.expressions import sql_spot
from wesley_tui.sdl.fields import check_name, described
from wesley_tui.sdl.issues import Issue, Issues, Spot
from wesley_tui.sdl.key_indexes import IndexBuilder
from wesley_tui.sdl.names import name_problem, nearest, snake_case
from wesley_tui.sdl.privileges import grant_lines, read_granting, sorted_grants
from wesley_tui.sdl.schema_objects import ObjectDraft, object_of
from wesley_tui.sdl.sqltext import SqlError, parse_one
from wesley_tui.sdl.statements import output_columns
from wesley_tui.sdl.units import Unit
from wesley_tui.sdl.usage import Use, uses_of

__all__ = ["ViewDraft", "is_view", "view_draft", "view_name"]

_DIRECTIVES = ("view", "materializedView")
_OF_VIEWS = frozenset(
    (*_DIRECTIVES, "index", "unique", "grant", "comment", "drop", "sensitive", "pii", "critical", "weight", "uid")
)
_OF_FIELDS = frozenset(
    ("column", "index", "unique", "comment", "type", "belongsTo", "hasMany", "hasOne", "sensitive", "pii", "critical")
) | {"weight", "uid"}


@dataclass(frozen=True, slots=True, eq=False)
class ViewDraft:
    type_name: str
    name: QName
    draft: ObjectDraft | None
    """None when it is wrong, or to be dropped."""
    dropped: Ref | None = None
    issues: tuple[Issue, ...] = ()


def is_view(unit: Unit) -> bool:
    """A type is a view when it says so."""
    return unit.keyword == "type" and any(
        directive.name.removeprefix("wes_").removeprefix("wesley_") in _DIRECTIVES for _, directive in unit.directives()
    )


def view_name(unit: Unit) -> QName:
    """The name of the view, taken from its directive without checking anything else."""
    for _, directive in unit.directives():
        if directive.name.removeprefix("wes_").removeprefix("wesley_") in _DIRECTIVES:
            texts = {item.name: item.value.value for item in directive.arguments if item.value.kind == "string"}
            return QName(texts.get("schema", "public"), texts.get("name", snake_case(unit.name)))
    return QName("public", snake_case(unit.name))


def view_draft(unit: Unit, environment: Environment) -> ViewDraft:
    """Compile one type that is a view."""
    issues = Issues()
    declared = environment.declared_directives
    uses = uses_of(unit.directives(), "OBJECT", issues, declared)
    name = view_name(unit)
    use = next((uses[directive][0] for directive in _DIRECTIVES if directive in uses), None)
    if use is None:
        return ViewDraft(unit.name, name, None, None, tuple(issues))
    kind = "view" if use.name == "view" else "materialized view"
    check_name(name.name, kind, use.spot_of("name"), issues)
    check_name(name.schema, "schema", use.spot_of("schema"), issues)
    for other, several in uses.items():
        if (
            other not in _OF_VIEWS
            or (other in ("index", "unique") and kind == "view")
            or len(set(_DIRECTIVES) & set(uses)) > 1
        ):
            issues.error(
                "directive-on-view",
                f"type {unit.name!r} is a {kind}, so @{other} would do nothing",
                several[0].spot,
                "give it to the table behind the view",
            )
    if "drop" in uses:
        return ViewDraft(unit.name, name, None, Ref(kind, str(name)), tuple(issues))
    columns, fields, comments = _columns(unit, environment, issues)
    draft = None
    if any(name_problem(part) is not None for part in (*name, *columns)):
        return ViewDraft(unit.name, name, None, None, tuple(issues))
    if "sql" in use.arguments or "query" not in use.arguments:
        issues.error(
            "missing-argument",
            f"@{use.name} on a type needs query: the SELECT that it shows",
            use.spot_of("sql"),
            'query: "SELECT …"; a whole CREATE VIEW statement goes on the schema, as sql',
        )
    else:
        text = _statement(use, name, list(columns), issues)
        draft = object_of(use, issues, text) if text is not None else None
    if draft is not None:
        keys = IndexBuilder(name.name, columns, fields, frozenset(), frozenset(), issues)
        keys.build_indexes(list(_index_uses(unit, uses, environment, fields, issues)))
        comment = uses["comment"][0].get("text") if "comment" in uses else use.get("comment")
        comment = comment or described(unit.parts[0].description, unit.spot, issues)
        record = replace(
            draft.object,
            comment=comment or None,
            columns=tuple(columns) or draft.object.columns,
            grants=_grants(uses, fields, issues),
            indexes=tuple(sorted(keys.indexes, key=lambda index: index.name)),
            part_comments=tuple(sorted(comments.items())),
        )
        draft = replace(draft, object=record)
    return ViewDraft(unit.name, name, draft, None, tuple(issues))


def _columns(
    unit: Unit, environment: Environment, issues: Issues
) -> tuple[dict[str, Column], dict[str, str], dict[str, str]]:
    columns: dict[str, Column] = {}
    fields: dict[str, str] = {}
    comments: dict[str, str] = {}
    for part, field in unit.fields():
        spot = Spot(part, field.at)
        uses = uses_of(
            ((part, directive) for directive in field.directives),
            "FIELD_DEFINITION",
            issues,
            environment.declared_directives,
        )
        for other, several in uses.items():
            if other not in _OF_FIELDS:
                issues.error(
                    "directive-on-view",
                    f"the query of the view decides about its columns: @{other} would do nothing",
                    several[0].spot,
                )
        info = environment.type(field.type.name)
        if info is None and "type" not in uses:
            near = environment.nearest_type(field.type.name)
            issues.error(
                "unknown-type",
                f"unknown type {field.type.name!r} of field {field.name!r}",
                Spot(part, field.type.at),
                f"did you mean {near}?" if near else "declare it",
            )
        if info is not None and info.kind in ("table", "view", "other", "dropped"):
            continue
        written = uses["column"][0].get("name") if "column" in uses else None
        column = snake_case(field.name) if written is None else written
        check_name(column, "column", spot, issues)
        if column in columns or field.name in fields:
            issues.error("duplicate-column", f"the view has the column {column!r} twice", spot, "name one otherwise")
            continue
        columns[column] = Column(column, "text")
        fields[field.name] = column
        comment = uses["comment"][0].get("text") if "comment" in uses else described(field.description, spot, issues)
        if comment:
            comments[column] = comment
    return columns, fields, comments


def _statement(use: Use, name: QName, columns: list[str], issues: Issues) -> str | None:
    query: str = use.get("query").strip().rstrip(";").rstrip()
    try:
        tree = parse_one("", query, "")
        select = tree["stmts"][0]["stmt"]
        if "SelectStmt" not in select or "intoClause" in select["SelectStmt"]:
            raise SqlError("this is no SELECT", 0)
    except SqlError as error:
        issues.error(
            "wrong-sql",
            f"@{use.name}(query:) is not a query: {error}",
            sql_spot(use, "query", error.offset),
            "one SELECT, or VALUES; nothing was planned",
        )
        return None
    given = output_columns(select)
    listed = ""
    if columns and given and sorted(given) != sorted(columns):
        if len(given) != len(columns):
            issues.error(
                "view-columns",
                f"the query gives {len(given)} column(s) ({', '.join(given)}), and the type has {len(columns)} "
                f"({', '.join(columns)})",
                use.spot_of("query"),
                "one field for each column of the query",
            )
            return None
        listed = f" ({quote_idents(columns)})"
    if use.name == "view":
        words = {"securityInvoker": "security_invoker", "securityBarrier": "security_barrier"}
        options = [f"{word}=true" for argument, word in words.items() if use.get(argument)]
        if use.get("checkOption"):
            options.append(f"check_option={use.get('checkOption').lower()}")
        shown = f" WITH ({', '.join(options)})" if options else ""
        return f"CREATE VIEW {qualified(name)}{listed}{shown} AS\n{query}"
    shown = ", ".join(f"{key}={value}" for key, value in use.get("with") or ())
    options_text = f" WITH ({shown})" if shown else ""
    tablespace = f" TABLESPACE {quote_ident(use.get('tablespace'))}" if use.get("tablespace") else ""
    end = "" if use.get("withData", True) else "\nWITH NO DATA"
    return f"CREATE MATERIALIZED VIEW {qualified(name)}{listed}{options_text}{tablespace} AS\n{query}{end}"


def _index_uses(
    unit: Unit,
    uses: dict[str, list[Use]],
    environment: Environment,
    fields: dict[str, str],
    issues: Issues,
) -> list[tuple[Use, str | None]]:
    """Every ``@index`` with the column of the field that it stands on; a materialized view has no constraints."""
    found: list[tuple[Use, str | None]] = [(use, None) for use in uses.get("index", ())]
    for part, field in unit.fields():
        own = uses_of(
            ((part, directive) for directive in field.directives),
            "FIELD_DEFINITION",
            Issues(),
            environment.declared_directives,
        )
        found += [(use, fields.get(field.name)) for use in own.get("index", ())]
        for use in (*own.get("unique", ()),):
            issues.error(
                "directive-on-view",
                "a view has no constraints",
                use.spot,
                "of a materialized view: @index(unique: true)",
            )
    for use in uses.get("unique", ()):
        issues.error("directive-on-view", "a view has no constraints", use.spot, "@index(unique: true, fields: …)")
    return found


def _grants(uses: dict[str, list[Use]], fields: dict[str, str], issues: Issues) -> tuple[Grant, ...]:
    lines: set[Grant] = set()
    for use in uses.get("grant", ()):
        for granting in read_granting(use, issues, on_schema=False):
            names = []
            for name in granting.columns:
                column = fields.get(name, name)
                if fields and column not in fields.values():
                    near = nearest(name, fields)
                    issues.error(
                        "unknown-column",
                        f"the grant names {name!r}, which is no column of the view",
                        use.spot_of("columns"),
                        f"did you mean {near}?" if near else "",
                    )
                names.append(column)
            lines.update(grant_lines(granting._replace(columns=tuple(names)), "view"))
    return sorted_grants(lines)
