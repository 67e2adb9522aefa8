"""The types of a schema, by their GraphQL names: enums, scalars, tables, views, and what is none of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wesley_tui.catalog.model import QName
from wesley_tui.catalog.naming import qualified
from wesley_tui.sdl.directives import ARGUMENT_SCALARS, SCALARS
from wesley_tui.sdl.drafts import EnumDraft
from wesley_tui.sdl.environment import Environment, TypeInfo
from wesley_tui.sdl.fields import sql_type_of
from wesley_tui.sdl.issues import Issues
from wesley_tui.sdl.memory import Memory
from wesley_tui.sdl.reports import Reports
from wesley_tui.sdl.syntax import Definition
from wesley_tui.sdl.tables import enum_draft, enum_name, is_table, table_name
from wesley_tui.sdl.units import Unit
from wesley_tui.sdl.usage import uses_of
from wesley_tui.sdl.views import is_view, view_name

__all__ = ["check_others", "types_of"]

_TABLE_ONLY = frozenset(
    (
        *("pk", "unique", "index", "fk", "check", "exclude", "rls", "policy", "tenant", "owner", "computed", "grant"),
        *("partition", "partitionOf", "inherits", "replicaIdentity"),
    )
)


def types_of(
    units: Sequence[Unit],
    own_types: Mapping[str, QName],
    declared: frozenset[str],
    memory: Memory,
    reports: Reports,
) -> tuple[dict[str, TypeInfo], dict[str, QName], list[EnumDraft]]:
    user_types = dict(own_types) | {
        name.name: name for name in (enum_name(unit) for unit in units if unit.keyword == "enum") if name.name
    }
    environment = Environment({}, user_types, declared)
    types = {name: TypeInfo("scalar", sql) for name, sql in SCALARS.items()}
    enums: list[EnumDraft] = []
    fresh: dict[tuple[Definition, ...], tuple[EnumDraft, frozenset[str]]] = {}
    kinds: dict[tuple[Definition, ...], TypeInfo] = {}
    for unit in units:
        if unit.keyword == "enum":
            draft = _enum(unit, environment, declared, memory, reports)
            fresh[unit.parts] = draft, declared
            enums.append(draft)
            enum = draft.enum
            from_catalog = TypeInfo("enum", _type_text(enum.name), enum.name, enum.labels, draft.by_value)
            types[unit.name] = from_catalog
        elif unit.keyword == "scalar":
            info = _scalar(unit, environment, declared, reports)
            if info is not None:
                types[unit.name] = info
        elif unit.keyword in ("type", "interface", "union", "input"):
            info = memory.kinds.get(unit.parts) or _relation(unit)
            kinds[unit.parts] = types[unit.name] = info
    memory.enums, memory.kinds = fresh, kinds
    return types, user_types, enums


def _relation(unit: Unit) -> TypeInfo:
    """What a type is, by its directives alone."""
    if is_view(unit):
        return TypeInfo("view", name=view_name(unit))
    if is_table(unit):
        dropped = any(directive.name.endswith("drop") for _, directive in unit.directives())
        return TypeInfo("dropped" if dropped else "table", name=table_name(unit))
    return TypeInfo("other")


def _enum(
    unit: Unit, environment: Environment, declared: frozenset[str], memory: Memory, reports: Reports
) -> EnumDraft:
    cached = memory.enums.get(unit.parts)
    if cached is None or cached[1] != declared:
        cached = enum_draft(unit, environment), declared
    reports.report_all(cached[0].issues, unit.parts)
    return cached[0]


def _scalar(unit: Unit, environment: Environment, declared: frozenset[str], reports: Reports) -> TypeInfo | None:
    issues = Issues()
    uses = uses_of(unit.directives(), "SCALAR", issues, declared)
    sql: str | None = None
    if "type" in uses:
        sql = sql_type_of(uses["type"][0], environment, issues)
    elif unit.name in SCALARS:
        # A schema may repeat the scalars of the dialect, so that other GraphQL tools know them.
        sql = SCALARS[unit.name]
    elif unit.name in ARGUMENT_SCALARS:
        return TypeInfo("other")
    elif not issues:
        issues.error(
            "scalar-without-type",
            f"scalar {unit.name} does not say which PostgreSQL type it is",
            unit.spot,
            f'write: scalar {unit.name} @type(name: "numeric(5,2)")',
        )
    reports.report_all(issues, unit.parts)
    return TypeInfo("scalar", sql or "")


def check_others(
    units: Sequence[Unit], types: Mapping[str, TypeInfo], declared: frozenset[str], reports: Reports
) -> None:
    """Types that are no tables: directives there must not be silently without effect."""
    told: set[str] = set()
    for unit in units:
        issues = Issues()
        if unit.keyword in ("interface", "union", "input") and unit.keyword not in told:
            told.add(unit.keyword)
            issues.warn(
                "not-for-the-database",
                f"{unit.keyword} {unit.name} is for the API: nothing is planned for it, nor for any other "
                f"{unit.keyword}",
                unit.spot,
            )
        if unit.keyword == "type" and types[unit.name].kind == "other":
            uses_of(unit.directives(), "OBJECT", issues, declared)
            used = {directive.name for _, directive in unit.directives()} | {
                directive.name for _, one in unit.fields() for directive in one.directives
            }
            for part, one in unit.fields():
                if one.directives:
                    uses_of(((part, item) for item in one.directives), "FIELD_DEFINITION", issues, declared)
            if found := sorted(_TABLE_ONLY & used):
                issues.warn(
                    "not-a-table",
                    f"type {unit.name!r} has @{found[0]} but no @table: nothing is planned for it",
                    unit.spot,
                    f"write type {unit.name} @table, if it is a table",
                )
        reports.report_all(issues, unit.parts)


def _type_text(name: QName) -> str:
    return qualified(name) if name.name and name.schema else ""
