"""SDL to Catalog: the desired state of a database, and what its author says about renames and drops.

In order: every source is checked for what no SDL may contain and read into definitions (:mod:`~wesley_tui.sdl.reader`);
definitions of one name become a unit (:mod:`~wesley_tui.sdl.units`); enums and scalars give the types, tables become
drafts (:mod:`~wesley_tui.sdl.tables`), each on its own; foreign keys are linked (:mod:`~wesley_tui.sdl.links`).

All errors are found, not only the first, and nothing is ever dropped in silence: what cannot be planned is an error.

A :class:`Compiler` remembers. A type whose text did not change, and which would get the same answers from the rest of
the schema, keeps its draft: after a keystroke one type out of a thousand is compiled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from wesley_tui.catalog.intent import Intent
from wesley_tui.catalog.model import Catalog, QName, Ref, Table
from wesley_tui.catalog.naming import qualified
from wesley_tui.sdl.assembly import Assembly
from wesley_tui.sdl.collisions import collisions, default_name_clashes
from wesley_tui.sdl.computed import computed_statements
from wesley_tui.sdl.diagnostics import Diagnostic, SchemaError, Source
from wesley_tui.sdl.directives import ARGUMENT_SCALARS, SCALARS
from wesley_tui.sdl.drafts import Annotation, EnumDraft, TableDraft
from wesley_tui.sdl.environment import Environment, TypeInfo
from wesley_tui.sdl.fields import sql_type_of
from wesley_tui.sdl.inventory import object_types
from wesley_tui.sdl.issues import Issue, Issues, Spot
from wesley_tui.sdl.links import Linker
from wesley_tui.sdl.names import nearest
from wesley_tui.sdl.needs import Known
from wesley_tui.sdl.partitions import hierarchy_issues
from wesley_tui.sdl.places import Place, Places
from wesley_tui.sdl.presets import Secured, preset_issues, secure
from wesley_tui.sdl.reader import Reader
from wesley_tui.sdl.schema_objects import ObjectDraft, SchemaDraft, object_of, schema_draft, statement_of
from wesley_tui.sdl.source import forbidden
from wesley_tui.sdl.syntax import Definition
from wesley_tui.sdl.tables import enum_draft, enum_name, is_table, table_draft, table_name
from wesley_tui.sdl.units import Unit
from wesley_tui.sdl.usage import Use, uses_of
from wesley_tui.sdl.views import ViewDraft, is_view, view_draft, view_name

__all__ = ["CompiledSchema", "Compiler", "compile_schema"]

MAX_DIAGNOSTICS = 200
_TABLE_ONLY = frozenset({"pk", "unique", "index", "fk", "check", "exclude", "rls", "policy"})


@dataclass(frozen=True, slots=True)
class CompiledSchema:
    catalog: Catalog
    intent: Intent
    warnings: tuple[Diagnostic, ...] = ()
    annotations: Mapping[str, tuple[Annotation, ...]] = field(default_factory=dict)
    """Directives that inform, by object: ``table public.users``, ``column public.users.email``, ``field User.posts``
    (a field that is no column)."""
    locations: Mapping[str, tuple[str, int, int]] = field(default_factory=dict)
    """Where an object is written: ``table public.users``, ``column public.users.email``, ``constraint``, ``index`` and
    ``policy public.users.NAME``, ``enum public.mood``, ``label public.mood.HAPPY`` → (source, line, column)."""


def compile_schema(sources: Sequence[Source]) -> CompiledSchema:
    """Compile one schema, written in one or many sources.

    Raises:
        SchemaError: with every diagnostic, warnings included, in the order of the text.
    """
    return Compiler().compile(sources)


class Compiler:
    """Compiles the same schema again and again, and does only what an edit made necessary."""

    def __init__(self) -> None:
        self._memory = _Memory()

    def compile(self, sources: Sequence[Source]) -> CompiledSchema:
        """As :func:`compile_schema`; a source is recognised by its name."""
        return _Compilation(self._memory, sources).run()


@dataclass(slots=True)
class _Memory:
    """What the last compilation found out, by the definitions it was found from."""

    readers: dict[str, Reader] = field(default_factory=dict)
    drafts: dict[tuple[Definition, ...], tuple[TableDraft, Environment]] = field(default_factory=dict)
    enums: dict[tuple[Definition, ...], tuple[EnumDraft, frozenset[str]]] = field(default_factory=dict)
    schemas: dict[tuple[Definition, ...], tuple[SchemaDraft, frozenset[str]]] = field(default_factory=dict)
    views: dict[tuple[Definition, ...], tuple[ViewDraft, Environment]] = field(default_factory=dict)
    linker: Linker | None = None
    secured: dict[int, tuple[Table, list[Table | None], Secured]] = field(default_factory=dict)
    needs: dict[int, Known] = field(default_factory=dict)


class _Compilation:
    """One run over all sources."""

    def __init__(self, memory: _Memory, sources: Sequence[Source]) -> None:
        self._memory = memory
        self._sources = sources
        self._places: dict[Definition, Place] = {}
        self._lines = Places(sources)
        self._diagnostics: list[tuple[int, int, Diagnostic]] = []

    def run(self) -> CompiledSchema:
        definitions = self._read()
        units = self._units(definitions)
        declared = frozenset(unit.name for unit in units if unit.keyword == "directive")
        schemas = self._schemas(units, declared)
        own_types = object_types(draft for _, schema in schemas for draft in schema.objects)
        types, user_types, enums = self._types(units, own_types, declared)
        self._check_others(units, types, declared)
        views = self._views(units, types, user_types, declared)
        drafts = self._tables(units, types, user_types, declared)
        tables = self._link(drafts)
        made = self._secure(drafts, tables)
        enum_units = [unit for unit in units if unit.keyword == "enum"]
        for parts, issue in collisions(drafts, list(zip(enum_units, enums, strict=True))):
            self._report(issue, parts)
        for parts, issue in hierarchy_issues(drafts):
            self._report(issue, parts)
        assembly = self._assemble(tables, enums, schemas, views, drafts, made, user_types)
        annotations = _annotations(drafts)
        uids = self._uids(annotations, drafts)
        diagnostics = self._sorted()
        if any(item.severity == "error" for item in diagnostics):
            raise SchemaError(_limited(diagnostics))
        return CompiledSchema(
            assembly.catalog(self._memory.needs),
            _intent(drafts, enums, assembly.dropped, uids),
            tuple(diagnostics),
            annotations,
            self._lines.locations(self._spots(units, drafts, enums, assembly)),
        )

    # -- reading ----------------------------------------------------------------------------------------------------

    def _read(self) -> list[Definition]:
        definitions: list[Definition] = []
        seen: dict[str, int] = {}
        for number, source in enumerate(self._sources):
            problems = forbidden(source)
            if problems:
                self._diagnostics += [(number, place, problem) for place, problem in problems]
                continue
            seen[source.name] = seen.get(source.name, 0) + 1
            reader = self._memory.readers.setdefault(f"{source.name}#{seen[source.name]}", Reader())
            for definition, start, _ in reader.read(source.text):
                self._places[definition] = Place(number, start)
                if definition.issue is not None:
                    issue = definition.issue
                    self._report(
                        Issue("error", issue.code, issue.message, issue.hint, Spot(0, issue.at)), (definition,)
                    )
                else:
                    definitions.append(definition)
        return definitions

    def _units(self, definitions: Iterable[Definition]) -> list[Unit]:
        """Definitions of one name together. A second one, or an extension of nothing, is an error."""
        first: dict[str, Definition] = {}
        extensions: dict[str, list[Definition]] = {}
        directives: dict[str, Definition] = {}
        schemas: list[Definition] = []
        for definition in definitions:
            if definition.keyword == "schema":
                schemas.append(definition)
            elif definition.keyword == "directive":
                directives.setdefault(definition.name, definition)
            elif definition.extend:
                extensions.setdefault(definition.name, []).append(definition)
            elif definition.name in first:
                where = self._lines.text(self._places[first[definition.name]], first[definition.name].at)
                self._error(
                    definition,
                    "duplicate-type",
                    f"{definition.name!r} is defined already, at {where}",
                    "rename one of them, or write extend type",
                )
            elif definition.name in SCALARS and definition.keyword != "scalar":
                self._error(
                    definition,
                    "reserved-name",
                    f"{definition.name} is a scalar of the dialect ({SCALARS[definition.name]})",
                    "give the type another name",
                )
            else:
                if definition.name.startswith("__"):
                    self._error(
                        definition,
                        "reserved-name",
                        f"{definition.name!r}: names with __ belong to GraphQL",
                        "rename it",
                    )
                first[definition.name] = definition
        units = []
        for name, definition in first.items():
            parts = [definition]
            for extension in extensions.pop(name, ()):
                if extension.keyword != definition.keyword:
                    self._error(
                        extension,
                        "wrong-extension",
                        f"{name!r} is no {extension.keyword} but {'an' if definition.keyword[0] in 'aeiou' else 'a'} "
                        f"{definition.keyword}",
                        f"write extend {definition.keyword} {name}",
                    )
                else:
                    parts.append(extension)
            units.append(Unit(definition.keyword, name, tuple(parts)))
        for name, orphans in extensions.items():
            if name in SCALARS:
                continue
            near = nearest(name, first)
            for orphan in orphans:
                self._error(
                    orphan,
                    "unknown-type",
                    f"cannot extend {name!r}: it is not defined in any source",
                    f"did you mean {near}?" if near else f"write {orphan.keyword} {name} where it is first defined",
                )
        units += [Unit("directive", name, (definition,)) for name, definition in directives.items()]
        units += [Unit("schema", "", (definition,)) for definition in schemas]
        return units

    # -- types ------------------------------------------------------------------------------------------------------

    def _types(
        self, units: Sequence[Unit], own_types: Mapping[str, QName], declared: frozenset[str]
    ) -> tuple[dict[str, TypeInfo], dict[str, QName], list[EnumDraft]]:
        user_types = dict(own_types) | {
            name.name: name for name in (enum_name(unit) for unit in units if unit.keyword == "enum") if name.name
        }
        environment = Environment({}, user_types, declared)
        types = {name: TypeInfo("scalar", sql) for name, sql in SCALARS.items()}
        enums: list[EnumDraft] = []
        fresh: dict[tuple[Definition, ...], tuple[EnumDraft, frozenset[str]]] = {}
        for unit in units:
            if unit.keyword == "enum":
                draft = self._enum(unit, environment, declared)
                fresh[unit.parts] = draft, declared
                enums.append(draft)
                enum = draft.enum
                from_catalog = TypeInfo("enum", _type_text(enum.name), enum.name, enum.labels, draft.by_value)
                types[unit.name] = from_catalog
            elif unit.keyword == "scalar":
                info = self._scalar(unit, environment, declared)
                if info is not None:
                    types[unit.name] = info
            elif is_view(unit):
                types[unit.name] = TypeInfo("view", name=view_name(unit))
            elif is_table(unit):
                dropped = any(directive.name.endswith("drop") for _, directive in unit.directives())
                types[unit.name] = TypeInfo("dropped" if dropped else "table", name=table_name(unit))
            elif unit.keyword in ("type", "interface", "union", "input"):
                types[unit.name] = TypeInfo("other")
        self._memory.enums = fresh
        return types, user_types, enums

    def _enum(self, unit: Unit, environment: Environment, declared: frozenset[str]) -> EnumDraft:
        cached = self._memory.enums.get(unit.parts)
        if cached is None or cached[1] != declared:
            cached = enum_draft(unit, environment), declared
        self._report_all(cached[0].issues, unit.parts)
        return cached[0]

    def _scalar(self, unit: Unit, environment: Environment, declared: frozenset[str]) -> TypeInfo | None:
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
        self._report_all(issues, unit.parts)
        return TypeInfo("scalar", sql or "")

    def _check_others(self, units: Sequence[Unit], types: Mapping[str, TypeInfo], declared: frozenset[str]) -> None:
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
            self._report_all(issues, unit.parts)

    # -- the schema and views ---------------------------------------------------------------------------------------

    def _schemas(self, units: Sequence[Unit], declared: frozenset[str]) -> list[tuple[Unit, SchemaDraft]]:
        fresh: dict[tuple[Definition, ...], tuple[SchemaDraft, frozenset[str]]] = {}
        result = []
        for unit in units:
            if unit.keyword == "schema":
                cached = self._memory.schemas.get(unit.parts)
                if cached is None or cached[1] != declared:
                    cached = schema_draft(unit, declared), declared
                fresh[unit.parts] = cached
                self._report_all(cached[0].issues, unit.parts)
                result.append((unit, cached[0]))
        self._memory.schemas = fresh
        return result

    def _views(
        self,
        units: Sequence[Unit],
        types: Mapping[str, TypeInfo],
        user_types: Mapping[str, QName],
        declared: frozenset[str],
    ) -> list[tuple[Unit, ViewDraft]]:
        environment = Environment(types, user_types, declared)
        fresh: dict[tuple[Definition, ...], tuple[ViewDraft, Environment]] = {}
        result = []
        for unit in units:
            if unit.keyword == "type" and types[unit.name].kind == "view":
                cached = self._memory.views.get(unit.parts)
                if cached is None or not environment.still_holds(cached[1].answers):
                    own = Environment(types, user_types, declared)
                    cached = view_draft(unit, own), own
                fresh[unit.parts] = cached
                self._report_all(cached[0].issues, unit.parts)
                result.append((unit, cached[0]))
        self._memory.views = fresh
        return result

    def _assemble(
        self,
        tables: Mapping[QName, Table],
        enums: Sequence[EnumDraft],
        schemas: Sequence[tuple[Unit, SchemaDraft]],
        views: Sequence[tuple[Unit, ViewDraft]],
        drafts: Sequence[tuple[Unit, TableDraft]],
        made: Sequence[tuple[tuple[Definition, ...], ObjectDraft]],
        user_types: Mapping[str, QName],
    ) -> Assembly:
        objects = [(unit.parts, draft) for unit, schema in schemas for draft in schema.objects]
        objects += [(unit.parts, view.draft) for unit, view in views if view.draft is not None]
        by_name = {draft.enum.name: draft.enum for draft in enums}
        assembly = Assembly(tables, by_name, [*objects, *made], user_types)
        by_type = {draft.type_name: draft.name for _, draft in drafts}
        for unit, schema in schemas:
            assembly.apply(unit.parts, schema, by_type)
        assembly.dropped |= {view.dropped for _, view in views if view.dropped is not None}
        for parts, issue in assembly.found:
            self._report(issue, parts)
        return assembly

    # -- tables -----------------------------------------------------------------------------------------------------

    def _tables(
        self,
        units: Sequence[Unit],
        types: Mapping[str, TypeInfo],
        user_types: Mapping[str, QName],
        declared: frozenset[str],
    ) -> list[tuple[Unit, TableDraft]]:
        environment = Environment(types, user_types, declared)
        fresh: dict[tuple[Definition, ...], tuple[TableDraft, Environment]] = {}
        drafts: dict[Unit, TableDraft] = {}
        for unit in units:
            if unit.keyword != "type" or types[unit.name].kind not in ("table", "dropped"):
                continue
            cached = self._memory.drafts.get(unit.parts)
            if cached is None or not environment.still_holds(cached[1].answers):
                own = Environment(types, user_types, declared)
                cached = table_draft(unit, own), own
            fresh[unit.parts] = cached
            drafts[unit] = cached[0]
        self._memory.drafts = fresh
        # Default names are unique in a schema, not only in a table: the later table (by name) takes another number.
        taken: dict[Unit, frozenset[str]] = {}
        while clashes := default_name_clashes(drafts):
            for unit, names in clashes.items():
                taken[unit] = taken.get(unit, frozenset()) | names
                drafts[unit] = table_draft(unit, environment, taken[unit])
        return list(drafts.items())

    def _link(self, drafts: Sequence[tuple[Unit, TableDraft]]) -> dict[QName, Table]:
        linker = self._memory.linker = Linker([draft for _, draft in drafts], self._memory.linker)
        tables: dict[QName, Table] = {}
        for unit, draft in drafts:
            self._report_all(draft.issues, unit.parts)
            table, issues = linker.complete(draft)
            self._report_all(issues, unit.parts)
            if not draft.dropped and draft.name not in tables:
                tables[draft.name] = table
        return tables

    def _secure(
        self, drafts: Sequence[tuple[Unit, TableDraft]], tables: dict[QName, Table]
    ) -> list[tuple[tuple[Definition, ...], ObjectDraft]]:
        """Give tables the policies of their presets, in place; returns the functions that these call, each once."""
        fresh: dict[int, tuple[Table, list[Table | None], Secured]] = {}
        linked = dict(tables)
        made: dict[Ref, tuple[tuple[Definition, ...], ObjectDraft]] = {}
        for unit, draft in drafts:
            table = linked.get(draft.name)
            if not draft.presets or table is None or draft.dropped or _is_wrong(draft):
                continue
            others = [linked.get(preset.other) for preset in draft.presets if preset.other is not None]
            known = self._memory.secured.get(id(table))
            same = (
                known is not None and known[0] is table and all(a is b for a, b in zip(known[1], others, strict=True))
            )
            secured = known[2] if known is not None and same else secure(table, draft.presets, linked)
            fresh[id(table)] = table, others, secured
            tables[draft.name] = secured.table
            spot = draft.presets[0].spot
            for issue in preset_issues(draft.presets, secured, linked):
                self._report(issue, unit.parts)
            for function in secured.functions:
                made.setdefault(function.ref, (unit.parts, ObjectDraft(function, statement_of(function), spot)))
        self._memory.secured = fresh
        return [*made.values(), *self._computed(drafts, tables)]

    def _computed(
        self, drafts: Sequence[tuple[Unit, TableDraft]], tables: Mapping[QName, Table]
    ) -> Iterator[tuple[tuple[Definition, ...], ObjectDraft]]:
        """The functions and triggers that keep computed columns."""
        if not any(draft.computed for _, draft in drafts):
            return
        by_type = {draft.type_name: draft for _, draft in drafts}
        for unit, draft in drafts:
            issues = Issues()
            wanted = draft.computed and not _is_wrong(draft)
            for directive, use, text in computed_statements(draft, tables, by_type, issues) if wanted else ():
                made = object_of(Use(directive, use.spot, {}, {}), issues, text)
                if made is not None:
                    yield unit.parts, made
            self._report_all(issues, unit.parts)

    def _uids(
        self, annotations: Mapping[str, Sequence[Annotation]], drafts: Sequence[tuple[Unit, TableDraft]]
    ) -> dict[str, str]:
        """Stable identity → the object that has it; one identity for two objects is an error."""
        uids: dict[str, str] = {}
        for place, found in annotations.items():
            for annotation in found:
                if annotation.name != "uid" or place.startswith("field "):
                    continue
                uid = str(dict(annotation.arguments)["value"])
                if uid in uids:
                    unit, draft = next(item for item in drafts if place.partition(" ")[2].startswith(str(item[1].name)))
                    spot = draft.spots.get(f"column {place[len(f'column {draft.name}.') :]}", unit.spot)
                    message = f"{uids[uid]} and {place} have the same @uid {uid!r}"
                    self._report(Issue("error", "duplicate-uid", message, "each object has its own", spot), unit.parts)
                uids[uid] = place
        return uids

    # -- places and reports -----------------------------------------------------------------------------------------

    def _spots(
        self,
        units: Sequence[Unit],
        drafts: Sequence[tuple[Unit, TableDraft]],
        enums: Sequence[EnumDraft],
        assembly: Assembly,
    ) -> Iterator[tuple[str, str, Mapping[str, Spot], Sequence[Place]]]:
        for unit, draft in drafts:
            yield "table", str(draft.name), draft.spots, [self._places[part] for part in unit.parts]
        by_name = {unit.name: unit for unit in units if unit.keyword == "enum"}
        for enum in enums:
            parts = [self._places[part] for part in by_name[enum.type_name].parts]
            yield "enum", str(enum.enum.name), enum.spots, parts
        for ref, (definitions, spot) in assembly.places.items():
            yield ref.kind, ref.name, {"": spot}, [self._places[part] for part in definitions]

    def _error(self, definition: Definition, code: str, message: str, hint: str) -> None:
        self._report(Issue("error", code, message, hint, Spot(0, definition.at)), (definition,))

    def _report_all(self, issues: Iterable[Issue], parts: Sequence[Definition]) -> None:
        for issue in issues:
            self._report(issue, parts)

    def _report(self, issue: Issue, parts: Sequence[Definition]) -> None:
        place = self._places[parts[issue.spot.part]]
        offset = place.start + issue.spot.at
        source, line, column = self._lines.position(place.source, offset)
        self._diagnostics.append(
            (
                place.source,
                offset,
                Diagnostic(issue.severity, issue.code, issue.message, source, line, column, issue.hint),
            )
        )

    def _sorted(self) -> list[Diagnostic]:
        ordered = sorted(self._diagnostics, key=lambda item: item[:2])
        return list(dict.fromkeys(diagnostic for _, _, diagnostic in ordered))


def _is_wrong(draft: TableDraft) -> bool:
    return any(issue.severity == "error" for issue in draft.issues)


def _limited(diagnostics: list[Diagnostic]) -> list[Diagnostic]:
    """At most MAX_DIAGNOSTICS, errors before warnings when there is no room for all."""
    if len(diagnostics) <= MAX_DIAGNOSTICS:
        return diagnostics
    errors = [item for item in diagnostics if item.severity == "error"]
    kept = errors[:MAX_DIAGNOSTICS]
    last = kept[-1]
    rest = len(diagnostics) - len(kept)
    more = Diagnostic("error", "more-diagnostics", f"and {rest:,} more", last.source, last.line, last.column)
    return [*kept, more]


def _type_text(name: QName) -> str:
    return qualified(name) if name.name and name.schema else ""


def _intent(
    drafts: Sequence[tuple[Unit, TableDraft]],
    enums: Sequence[EnumDraft],
    dropped: Iterable[Ref],
    uids: Mapping[str, str],
) -> Intent:
    return Intent(
        {draft.name: draft.renamed_from for _, draft in drafts if draft.renamed_from is not None},
        {(draft.name, new): old for _, draft in drafts for new, old in draft.renamed_columns.items()},
        {draft.enum.name: draft.renamed_from for draft in enums if draft.renamed_from is not None},
        {(draft.enum.name, new): old for draft in enums for new, old in draft.renamed_labels.items()},
        frozenset(draft.name for _, draft in drafts if draft.dropped),
        frozenset((draft.name, column) for _, draft in drafts for column in draft.dropped_columns),
        frozenset(dropped),
        uids,
    )


def _annotations(drafts: Sequence[tuple[Unit, TableDraft]]) -> dict[str, tuple[Annotation, ...]]:
    result: dict[str, tuple[Annotation, ...]] = {}
    for _, draft in drafts:
        for key, found in draft.annotations.items():
            kind, _, name = key.partition(" ")
            if not kind:
                result[f"table {draft.name}"] = found
            elif kind == "field":
                result[f"field {draft.type_name}.{name}"] = found
            else:
                result[f"{kind} {draft.name}.{name}"] = found
    return result
