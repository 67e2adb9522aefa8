"""From a type with ``@table`` (and its extensions) to the draft of a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from wesley_tui.catalog.model import Column, Enum, Grant, QName, Table
from wesley_tui.sdl.drafts import Annotation, EnumDraft, TableDraft
from wesley_tui.sdl.environment import Environment
from wesley_tui.sdl.expressions import checked
from wesley_tui.sdl.fields import FieldDraft, check_name, described, field_draft
from wesley_tui.sdl.issues import Issues, Spot
from wesley_tui.sdl.keys import KeyBuilder
from wesley_tui.sdl.names import name_problem, nearest, snake_case, split_name
from wesley_tui.sdl.partitions import placement
from wesley_tui.sdl.policies import policies_of
from wesley_tui.sdl.preset_options import presets_of
from wesley_tui.sdl.privileges import grant_lines, read_granting, sorted_grants
from wesley_tui.sdl.units import Unit
from wesley_tui.sdl.usage import Use, uses_of

__all__ = ["enum_draft", "enum_name", "is_table", "table_draft", "table_name"]

_INFORMING = frozenset({"belongsTo", "hasMany", "hasOne", "sensitive", "pii", "critical", "weight", "uid"})


def is_table(unit: Unit) -> bool:
    """A type is a table when it says so; ``@drop`` says so too, of one that is to go."""
    return unit.keyword == "type" and any(
        directive.name.removeprefix("wes_").removeprefix("wesley_") in ("table", "drop")
        for _, directive in unit.directives()
    )


def table_name(unit: Unit) -> QName:
    """The name of the table, taken from ``@table`` without checking anything else."""
    return _written_name(unit, "table") or QName("public", snake_case(unit.name))


def enum_name(unit: Unit) -> QName:
    """The name of the enum type; ``@type(name: "schema.name")`` and ``schema:`` may say another."""
    return _written_name(unit, "type") or QName("public", snake_case(unit.name))


def _written_name(unit: Unit, directive_name: str) -> QName | None:
    for _, directive in unit.directives():
        if directive.name.removeprefix("wes_").removeprefix("wesley_") == directive_name:
            texts = {
                argument.name: argument.value.value
                for argument in directive.arguments
                if argument.value.kind == "string"
            }
            schema, name = texts.get("schema", "public"), texts.get("name", snake_case(unit.name))
            if directive_name == "type":
                try:
                    parts, _ = split_name(name)
                except ValueError:
                    parts = [name]
                return QName(parts[0], parts[1]) if len(parts) == 2 else QName(schema, parts[-1])
            return QName(schema, name)
    return None


def table_draft(unit: Unit, environment: Environment, taken: frozenset[str] = frozenset()) -> TableDraft:
    """Compile one table type. ``taken`` are names that its unnamed constraints and indexes must not get."""
    issues = Issues()
    name = table_name(unit)
    uses = uses_of(unit.directives(), "OBJECT", issues, environment.declared_directives)
    spot = uses["table"][0].spot if "table" in uses else unit.spot
    if not issues:
        check_name(name.name, "table", spot, issues)
        check_name(name.schema, "schema", spot, issues)
    if name.schema.startswith("pg_") or name.schema == "information_schema":
        issues.error("reserved-name", f"the schema {name.schema!r} belongs to PostgreSQL itself", spot)
    renamed = _renamed_object(uses, name, issues)
    if "drop" in uses:
        table = Table(name)
        return TableDraft(unit.name, name, table, {}, dropped=True, issues=tuple(issues), spots={"": unit.spot})
    drafts = [field_draft(part, field, environment, issues) for part, field in unit.fields()]
    columns, fields, spots = _columns(drafts, issues)
    for column in columns.values():
        if column.identity_sequence is not None:
            sequence = QName(name.schema, column.identity_sequence.name)
            columns[column.name] = replace(column, identity_sequence=sequence)
    failed = frozenset(item for draft in drafts if draft.failed for item in (draft.field.name, draft.column_name))
    inherited = "partitionOf" in uses or "inherits" in uses
    keys = KeyBuilder(name.name, columns, fields, failed, taken, issues, open_columns=inherited)
    keys.build(drafts, uses)
    for key in keys.primary_columns:
        if key in columns and not columns[key].not_null:
            columns[key] = replace(columns[key], not_null=True)
    if not columns and not failed and not inherited:
        issues.error(
            "no-columns",
            f"type {unit.name!r} is a table, and none of its fields is a column",
            unit.spot,
            "add a field with a scalar type, or take @table away",
        )
    rls = uses["rls"][0] if "rls" in uses else None
    presets = presets_of(name, uses, columns, fields, failed, environment, issues)
    policies, policy_spots = policies_of(name.name, rls, uses.get("policy", []), issues)
    enabled = rls is not None and rls.get("enabled", True)
    if presets and rls is not None and not enabled:
        issues.error("wrong-argument", "a preset without row-level security protects nothing", rls.spot_of("enabled"))
    if policies and not enabled and not presets:
        issues.warn(
            "policies-without-rls",
            f"table {name.name!r} has policies, but row-level security is not enabled: they do nothing",
            rls.spot if rls else uses["policy"][0].spot,
            "write @rls" + ("(enabled: true)" if rls else ""),
        )
    options = uses["table"][0] if "table" in uses else None
    place = placement(uses, columns, fields, environment, issues)
    if "partition" in uses:
        spots["partition"] = uses["partition"][0].spot
    if "partitionOf" in uses or "inherits" in uses:
        spots["parent"] = uses["partitionOf" if "partitionOf" in uses else "inherits"][0].spot
    table = Table(
        name,
        () if place.partition_of is not None else tuple(columns.values()),
        tuple(sorted(keys.constraints, key=lambda item: item.name)),
        tuple(sorted(keys.indexes, key=lambda item: item.name)),
        tuple(policies),
        enabled,
        bool(presets) if rls is None else bool(rls.get("force", bool(presets))),
        bool(options and options.get("unlogged", False)),
        (options.get("tablespace") or None) if options else None,
        (options.get("with") or ()) if options else (),
        _comment(uses, options, described(unit.parts[0].description, unit.spot, issues)),
        place.partition_by,
        place.partition_of,
        place.partition_bound,
        place.inherits,
        _replica_identity(uses),
        (options.get("accessMethod") or None) if options else None,
        (options.get("clusterOn") or None) if options else None,
        _grants(uses, columns, fields, issues, open_columns=inherited),
    )
    renamed_columns = _renamed_columns(drafts, issues)
    conversions = _conversions(drafts, issues)
    spots[""] = unit.spot
    spots.update(keys.spots)
    spots.update((f"policy {policy}", place) for policy, place in policy_spots.items())
    return TableDraft(
        unit.name,
        name,
        table,
        fields,
        tuple(keys.foreign_keys),
        failed,
        frozenset(
            (
                name.name,
                *(item.name for item in (*table.constraints, *table.indexes)),
                *(item.key.name for item in keys.foreign_keys),
            )
        ),
        frozenset(keys.default_names),
        False,
        renamed,
        renamed_columns,
        frozenset(draft.column_name for draft in drafts if draft.dropped),
        tuple(issues),
        spots,
        _annotations(drafts, uses),
        presets,
        tuple(
            (draft.column_name, use)
            for draft in drafts
            if draft.column is not None
            for use in draft.uses.get("computed", ())
        ),
        conversions,
    )


def _columns(drafts: list[FieldDraft], issues: Issues) -> tuple[dict[str, Column], dict[str, str], dict[str, Spot]]:
    columns: dict[str, Column] = {}
    fields: dict[str, str] = {}
    spots: dict[str, Spot] = {}
    seen: set[str] = set()
    written: dict[str, str] = {}
    for draft in drafts:
        field = draft.field.name
        if field in seen:
            issues.error("duplicate-field", f"field {field!r} is there already", draft.spot, "keep one of them")
            continue
        seen.add(field)
        if draft.column is None:
            if draft.dropped:
                written.setdefault(draft.column_name, field)
            continue
        name = draft.column_name
        if name in written:
            issues.error(
                "duplicate-column",
                f"fields {written[name]!r} and {field!r} are both column {name!r}",
                draft.spot,
                '@column(name: "…") names one of them otherwise',
            )
            continue
        written[name] = field
        columns[name] = draft.column
        fields[field] = name
        spots[f"column {name}"] = draft.spot
    return columns, fields, spots


def _replica_identity(uses: Mapping[str, list[Use]]) -> str | None:
    if "replicaIdentity" not in uses:
        return None
    by: str = uses["replicaIdentity"][0].get("by")
    return by.lower() if by.lower() in ("full", "nothing") else by


def _grants(
    uses: Mapping[str, list[Use]],
    columns: Mapping[str, Column],
    fields: Mapping[str, str],
    issues: Issues,
    *,
    open_columns: bool,
) -> tuple[Grant, ...]:
    lines: set[Grant] = set()
    for use in uses.get("grant", ()):
        for granting in read_granting(use, issues, on_schema=False):
            names = [fields.get(name, name) for name in granting.columns]
            for written, column in zip(granting.columns, names, strict=True):
                if column not in columns and not open_columns:
                    near = nearest(written, [*fields, *columns])
                    issues.error(
                        "unknown-column",
                        f"the grant names {written!r}, which is no column of the table",
                        use.spot_of("columns"),
                        f"did you mean {near}?" if near else "",
                    )
            lines.update(grant_lines(granting._replace(columns=tuple(names)), "table"))
    return sorted_grants(lines)


def _comment(uses: Mapping[str, list[Use]], options: Use | None, description: str | None) -> str | None:
    if "comment" in uses:
        return uses["comment"][0].get("text") or None
    if options is not None and options.get("comment"):
        comment: str = options.get("comment")
        return comment
    return description or None


def _renamed_object(uses: Mapping[str, list[Use]], name: QName, issues: Issues) -> QName | None:
    """The old name that ``@renamed(from:)`` on a type or enum gives; in the same schema unless it says another."""
    if "renamed" not in uses:
        return None
    use = uses["renamed"][0]
    text: str = use.get("from")
    try:
        parts, columns = split_name(text)
    except ValueError:
        parts, columns = [], []
    if columns is not None or not 1 <= len(parts) <= 2:
        issues.error(
            "wrong-argument", f"{text!r} is not a name", use.spot_of("from"), '"old_name" or "schema.old_name"'
        )
        return None
    before = _old_name(use, parts[-1], issues)
    old = QName(parts[0], before) if len(parts) == 2 else QName(name.schema, before)
    if (problem := name_problem(old.name)) is not None:
        issues.error(problem[0], problem[1], use.spot_of("from"))
        return None
    if old == name:
        issues.warn("renamed-to-itself", f"{name} is renamed from its own name", use.spot, "take @renamed away")
        return None
    return old


def _old_name(use: Use, name: str, issues: Issues) -> str:
    """The SQL name that ``@renamed(from:)`` means: a GraphQL spelling stands for its SQL name; in quotes of SQL it is
    exact."""
    text: str = use.get("from")
    if '"' in text or snake_case(name) == name:
        return name
    issues.warn(
        "renamed-spelling",
        f"{text!r} is taken for the GraphQL spelling of {snake_case(name)!r}",
        use.spot_of("from"),
        f'write from: "{snake_case(name)}"; for exactly {name} in the database, from: "\\"{name}\\""',
    )
    return snake_case(name)


def _renamed_columns(drafts: list[FieldDraft], issues: Issues) -> dict[str, str]:
    renamed: dict[str, str] = {}
    for draft in drafts:
        if draft.column is None or "renamed" not in draft.uses:
            continue
        use = draft.uses["renamed"][0]
        text: str = use.get("from")
        exact = len(text) > 2 and text[0] == text[-1] == '"'
        old = text[1:-1].replace('""', '"') if exact else _old_name(use, text, issues)
        if (problem := name_problem(old)) is not None:
            issues.error(problem[0], problem[1], use.spot_of("from"))
        elif old == draft.column_name:
            issues.warn("renamed-to-itself", f"{old!r} is renamed from its own name", use.spot, "take @renamed away")
        else:
            renamed[draft.column_name] = old
    return renamed


def _conversions(drafts: list[FieldDraft], issues: Issues) -> dict[str, str]:
    found = {}
    for draft in drafts:
        for use in draft.uses.get("using", ()) if draft.column is not None else ():
            text = checked(use, "expr", issues)
            if text is not None:
                found[draft.column_name] = text
    return found


def _annotations(drafts: list[FieldDraft], uses: Mapping[str, list[Use]]) -> dict[str, tuple[Annotation, ...]]:
    result: dict[str, tuple[Annotation, ...]] = {}
    if found := _informing(uses):
        result[""] = found
    for draft in drafts:
        if draft.uses and (found := _informing(draft.uses)):
            key = f"column {draft.column_name}" if draft.column is not None else f"field {draft.field.name}"
            result[key] = found
    return result


def _informing(uses: Mapping[str, list[Use]]) -> tuple[Annotation, ...]:
    return tuple(
        Annotation(name, tuple(sorted(use.arguments.items())))
        for name, several in uses.items()
        if name in _INFORMING
        for use in several
    )


def enum_draft(unit: Unit, environment: Environment) -> EnumDraft:
    """Compile one enum type."""
    issues = Issues()
    name = enum_name(unit)
    uses = uses_of(unit.directives(), "ENUM", issues, environment.declared_directives)
    check_name(name.name, "enum", uses["type"][0].spot if "type" in uses else unit.spot, issues)
    spots = {"": unit.spot}
    labels: dict[str, str] = {}
    taken: set[str] = set()
    renamed: dict[str, str] = {}
    for part, value in unit.values():
        spot = Spot(part, value.at)
        value_uses = uses_of(
            ((part, directive) for directive in value.directives),
            "ENUM_VALUE",
            issues,
            environment.declared_directives,
        )
        label = value_uses["label"][0].get("name") if "label" in value_uses else value.name
        if value.name in labels:
            issues.error("duplicate-value", f"enum {unit.name!r} has the value {value.name!r} twice", spot)
            continue
        if label in taken:
            issues.error("duplicate-value", f"enum {unit.name!r} has the label {label!r} twice", spot)
        if (problem := name_problem(label)) is not None and problem[0] != "empty-name":
            issues.error(problem[0], f"label: {problem[1]}", spot, "shorten it")
        labels[value.name] = label
        taken.add(label)
        spots[f"label {label}"] = spot
        if "renamed" in value_uses:
            renamed[label] = value_uses["renamed"][0].get("from")
    if not labels:
        issues.error("no-values", f"enum {unit.name!r} has no values", unit.spot)
    comment = _comment(uses, None, described(unit.parts[0].description, unit.spot, issues))
    lines = [
        line
        for use in (*uses.get("grant", ()), *uses.get("revoke", ()))
        for granting in read_granting(use, issues, on_schema=False)
        for line in grant_lines(granting, "enum")
    ]
    old = _renamed_object(uses, name, issues)
    enum = Enum(name, tuple(labels.values()), comment, sorted_grants(lines))
    return EnumDraft(unit.name, enum, tuple(labels.items()), old, renamed, tuple(issues), spots)
