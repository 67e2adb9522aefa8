"""SDL to Catalog: the desired state of a database, and what its author says about renames and drops.

In order: every source is checked for what no SDL may contain and read into definitions (:mod:`~wesley_tui.sdl.reader`);
definitions of one name become a unit (:mod:`~wesley_tui.sdl.units`); definitions of the schema become objects
(:mod:`~wesley_tui.sdl.schema_objects`); enums and scalars give the types (:mod:`~wesley_tui.sdl.type_table`); tables
and views become drafts (:mod:`~wesley_tui.sdl.tables`, :mod:`~wesley_tui.sdl.views`), each on its own; foreign keys are
linked (:mod:`~wesley_tui.sdl.links`), presets and computed columns give policies, functions and triggers
(:mod:`~wesley_tui.sdl.presets`, :mod:`~wesley_tui.sdl.computed`); and all of it is put together
(:mod:`~wesley_tui.sdl.assembly`).

All errors are found, not only the first, and nothing is ever dropped in silence: what cannot be planned is an error.

A :class:`Compiler` remembers. A type whose text did not change, and which would get the same answers from the rest of
the schema, keeps its draft: after a keystroke one type out of a thousand is compiled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from wesley_tui.catalog.intent import Intent
from wesley_tui.catalog.model import Catalog, QName, Ref, Table
from wesley_tui.sdl.assembly import Assembly
from wesley_tui.sdl.collisions import collisions, default_name_clashes
from wesley_tui.sdl.computed import computed_statements, computed_values
from wesley_tui.sdl.diagnostics import Diagnostic, SchemaError, Source
from wesley_tui.sdl.drafts import Annotation, EnumDraft, TableDraft
from wesley_tui.sdl.environment import Environment, TypeInfo
from wesley_tui.sdl.intentions import annotations_of, intent_of, uids_of
from wesley_tui.sdl.inventory import object_types
from wesley_tui.sdl.issues import Issue, Issues, Spot
from wesley_tui.sdl.links import Linker
from wesley_tui.sdl.memory import Memory
from wesley_tui.sdl.partitions import hierarchy_issues
from wesley_tui.sdl.places import Place
from wesley_tui.sdl.presets import Secured, preset_issues, secure
from wesley_tui.sdl.reader import Reader
from wesley_tui.sdl.reports import Reports
from wesley_tui.sdl.schema_objects import ObjectDraft, SchemaDraft, object_of, schema_draft, statement_of
from wesley_tui.sdl.source import forbidden
from wesley_tui.sdl.syntax import Definition
from wesley_tui.sdl.tables import table_draft
from wesley_tui.sdl.type_table import check_others, types_of
from wesley_tui.sdl.units import Unit, units_of
from wesley_tui.sdl.usage import Use
from wesley_tui.sdl.views import ViewDraft, view_draft

__all__ = ["CompiledSchema", "Compiler", "compile_schema"]

MAX_DIAGNOSTICS = 200


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
        self._memory = Memory()

    def compile(self, sources: Sequence[Source]) -> CompiledSchema:
        """As :func:`compile_schema`; a source is recognised by its name."""
        return _Compilation(self._memory, sources).run()


class _Compilation:
    """One run over all sources."""

    def __init__(self, memory: Memory, sources: Sequence[Source]) -> None:
        self._memory = memory
        self._sources = sources
        self._reports = Reports(sources)

    def run(self) -> CompiledSchema:
        definitions = self._read()
        units = units_of(definitions, self._reports)
        declared = frozenset(unit.name for unit in units if unit.keyword == "directive")
        schemas = self._schemas(units, declared)
        own_types = object_types(draft for _, schema in schemas for draft in schema.objects)
        types, user_types, enums = types_of(units, own_types, declared, self._memory, self._reports)
        check_others(units, types, declared, self._reports)
        views = self._views(units, types, user_types, declared)
        drafts = self._tables(units, types, user_types, declared)
        tables = self._link(drafts)
        made = self._secure(drafts, tables)
        enum_units = [unit for unit in units if unit.keyword == "enum"]
        for parts, issue in collisions(drafts, list(zip(enum_units, enums, strict=True))):
            self._reports.report(issue, parts)
        for parts, issue in hierarchy_issues(drafts):
            self._reports.report(issue, parts)
        assembly = self._assemble(tables, enums, schemas, views, drafts, made, user_types)
        annotations = annotations_of(drafts)
        uids = uids_of(annotations, drafts, self._reports)
        diagnostics = self._reports.diagnostics()
        if any(item.severity == "error" for item in diagnostics):
            raise SchemaError(Reports.limited(diagnostics))
        return CompiledSchema(
            assembly.catalog(),
            replace(intent_of(drafts, enums, assembly.dropped, uids), computed=_values(drafts, tables)),
            tuple(diagnostics),
            annotations,
            self._reports.lines.locations(self._spots(units, drafts, enums, assembly)),
        )

    # -- reading ----------------------------------------------------------------------------------------------------

    def _read(self) -> list[Definition]:
        definitions: list[Definition] = []
        seen: dict[str, int] = {}
        for number, source in enumerate(self._sources):
            problems = forbidden(source)
            if problems:
                for place, problem in problems:
                    self._reports.add(number, place, problem)
                continue
            seen[source.name] = seen.get(source.name, 0) + 1
            reader = self._memory.readers.setdefault(f"{source.name}#{seen[source.name]}", Reader())
            for definition, start, _ in reader.read(source.text):
                self._reports.place(definition, Place(number, start))
                if definition.issue is not None:
                    issue = definition.issue
                    self._reports.report(
                        Issue("error", issue.code, issue.message, issue.hint, Spot(0, issue.at)), (definition,)
                    )
                else:
                    definitions.append(definition)
        return definitions

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
                self._reports.report_all(cached[0].issues, unit.parts)
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
                self._reports.report_all(cached[0].issues, unit.parts)
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
        assembly = Assembly(tables, by_name, [*objects, *made], user_types, self._memory.assembly)
        by_type = {draft.type_name: draft.name for _, draft in drafts}
        for unit, schema in schemas:
            assembly.apply(unit.parts, schema, by_type)
        assembly.dropped |= {view.dropped for _, view in views if view.dropped is not None}
        for parts, issue in assembly.found:
            self._reports.report(issue, parts)
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
            self._reports.report_all(draft.issues, unit.parts)
            table, issues = linker.complete(draft)
            self._reports.report_all(issues, unit.parts)
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
                self._reports.report(issue, unit.parts)
            for function in secured.functions:
                made.setdefault(function.ref, (unit.parts, ObjectDraft(function, statement_of(function), spot)))
        self._memory.secured = fresh
        found = [*made.values(), *self._computed(drafts, tables)]
        # The same objects as the last time are the same drafts, which is what assembly goes by.
        before = self._memory.made
        keyed = {(draft.object.ref, draft.object.statements, draft.spot): (parts, draft) for parts, draft in found}
        kept = [(key, parts, before.get(key, draft)) for key, (parts, draft) in keyed.items()]
        self._memory.made = {key: draft for key, _, draft in kept}
        return [(parts, draft) for _, parts, draft in kept]

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
            self._reports.report_all(issues, unit.parts)

    # -- places and reports -----------------------------------------------------------------------------------------

    def _spots(
        self,
        units: Sequence[Unit],
        drafts: Sequence[tuple[Unit, TableDraft]],
        enums: Sequence[EnumDraft],
        assembly: Assembly,
    ) -> Iterator[tuple[str, str, Mapping[str, Spot], Sequence[Place]]]:
        for unit, draft in drafts:
            yield "table", str(draft.name), draft.spots, [self._reports.places[part] for part in unit.parts]
        by_name = {unit.name: unit for unit in units if unit.keyword == "enum"}
        for enum in enums:
            parts = [self._reports.places[part] for part in by_name[enum.type_name].parts]
            yield "enum", str(enum.enum.name), enum.spots, parts
        for ref, (definitions, spot) in assembly.places.items():
            yield ref.kind, ref.name, {"": spot}, [self._reports.places[part] for part in definitions]


def _values(drafts: Sequence[tuple[Unit, TableDraft]], tables: Mapping[QName, Table]) -> dict[tuple[QName, str], str]:
    by_type = {draft.type_name: draft for _, draft in drafts}
    return {
        (draft.name, column): value
        for _, draft in drafts
        if draft.computed
        for column, value in computed_values(draft, tables, by_type)
    }


def _is_wrong(draft: TableDraft) -> bool:
    return any(issue.severity == "error" for issue in draft.issues)
