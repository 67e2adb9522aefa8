"""The kinds that are kept as SQL: rows of ``introspect_objects.sql`` → :class:`~wesley_tui.catalog.model.SqlObject`.

Comments, grants and dependencies are added by :mod:`wesley_tui.catalog.reading.links`, which needs all objects.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from wesley_tui.catalog import ddl_objects as ddl
from wesley_tui.catalog.ddl import storage_options
from wesley_tui.catalog.model import Index, ObjectKind, QName, Ref, SqlObject, UnmanagedObject
from wesley_tui.catalog.naming import multirange_name, qualified, quote_ident, quote_literal
from wesley_tui.catalog.reading.definitions import read_definitions
from wesley_tui.catalog.reading.names import COMPRESSION, STORAGE, SYNC_TRIGGER, Names, Oid, Rows, options_of

__all__ = ["FoundObject", "read_objects"]

_ROUTINES: Mapping[str, ObjectKind] = {"f": "function", "w": "function", "p": "procedure", "a": "aggregate"}
_ENABLED = {"D": "DISABLE", "R": "ENABLE REPLICA", "A": "ENABLE ALWAYS"}
_DEFAULT_PRIVILEGES = {
    "r": "tables",
    "S": "sequences",
    "f": "functions",
    "T": "types",
    "n": "schemas",
    "L": "large objects",
}
_MODIFY = {"r": "READ_ONLY", "s": "SHAREABLE", "w": "READ_WRITE"}
_PARALLEL = {"s": "SAFE", "r": "RESTRICTED", "u": "UNSAFE"}


class FoundObject(NamedTuple):
    """An object and where it is in the system catalogs."""

    catalog: str
    oid: Oid
    value: SqlObject


def read_objects(
    rows: Rows, names: Names, indexes: Mapping[Oid, tuple[Index, ...]], unmanaged: list[UnmanagedObject]
) -> list[FoundObject]:
    """All objects of all kinds. Triggers and rules of relations that have no record go to ``unmanaged``."""
    return [
        *_extensions(rows),
        *_sequences(rows, names),
        *_domains(rows, names),
        *_composite_types(rows, names),
        *_range_types(rows, names),
        *_routines(rows),
        *_views(rows, names, indexes),
        *_triggers(rows, unmanaged),
        *_rules(rows, unmanaged),
        *_statistics(rows),
        *_publications(rows),
        *_event_triggers(rows),
        *_default_privileges(rows),
        *(FoundObject(*found) for found in read_definitions(rows, names)),
    ]


def _extensions(rows: Rows) -> Iterator[FoundObject]:
    for oid, name, schema in rows["extensions"] or ():
        made = SqlObject("extension", QName("", name), (ddl.create_extension(name, schema),))
        yield FoundObject("pg_extension", oid, made)


def _sequences(rows: Rows, names: Names) -> Iterator[FoundObject]:
    tables = {row[0]: QName(row[1], row[2]) for row in rows["tables"] or ()}
    for row in rows["sequences"] or ():
        oid, schema, name, unlogged, kind, start, increment, maximum, minimum, cache, cycle, table, column = row
        options = ddl.SequenceOptions(kind, start, increment, maximum, minimum, cache, cycle, unlogged)
        owned_by = None
        if table in tables and column in names.columns[table]:
            owned_by = tables[table], names.columns[table][column]
        yield FoundObject(
            "pg_class",
            oid,
            SqlObject(
                "sequence",
                QName(schema, name),
                (ddl.create_sequence(QName(schema, name), options),),
                owned_by=owned_by,
            ),
        )


def _domains(rows: Rows, names: Names) -> Iterator[FoundObject]:
    for oid, schema, name, base, collation, default, not_null, checks in rows["domains"] or ():
        domain = QName(schema, name)
        valid = [(check, definition) for _, check, definition, validated in checks or () if validated]
        statements = [
            ddl.create_domain(
                domain,
                base,
                collation=names.collations[collation] if collation is not None else None,
                default=default,
                not_null=not_null,
                checks=valid,
            )
        ]
        statements += [
            f"ALTER DOMAIN {qualified(domain)} ADD CONSTRAINT {quote_ident(check)} {definition}"
            for _, check, definition, validated in checks or ()
            if not validated
        ]
        comments = [
            (check, text)
            for constraint, check, *_ in checks or ()
            if (text := names.comments.get(("pg_constraint", constraint, 0))) is not None
        ]
        made = SqlObject("domain", domain, tuple(statements), part_comments=tuple(sorted(comments)))
        yield FoundObject("pg_type", oid, made)


def _composite_types(rows: Rows, names: Names) -> Iterator[FoundObject]:
    for oid, schema, name, relation, attributes in rows["composite types"] or ():
        made = [
            ddl.Attribute(attribute, kind, names.collations[collation] if collation is not None else None)
            for _, attribute, kind, collation in attributes or ()
        ]
        yield FoundObject(
            "pg_type",
            oid,
            SqlObject(
                "composite type",
                QName(schema, name),
                (ddl.create_composite_type(QName(schema, name), made),),
                columns=tuple(item.name for item in made),
                part_comments=_column_comments(relation, names),
            ),
        )


def _range_types(rows: Rows, names: Names) -> Iterator[FoundObject]:
    for oid, schema, name, subtype, opclass, collation, canonical, difference, multirange in rows["range types"] or ():
        options = {}
        if opclass is not None:
            options["subtype_opclass"] = qualified(QName(*opclass))
        if collation is not None:
            options["collation"] = qualified(names.collations[collation])
        if canonical is not None:
            options["canonical"] = canonical
        if difference is not None:
            options["subtype_diff"] = difference
        if multirange is not None and tuple(multirange[1:]) != (schema, multirange_name(name)):
            options["multirange_type_name"] = qualified(QName(*multirange[1:]))
        text = ddl.create_range_type(QName(schema, name), subtype, options)
        yield FoundObject("pg_type", oid, SqlObject("range type", QName(schema, name), (text,)))


def _routines(rows: Rows) -> Iterator[FoundObject]:
    aggregates = {row[0]: row for row in rows["aggregates"] or ()}
    for oid, schema, name, kind, arguments, definition in rows["routines"] or ():
        routine = QName(schema, name)
        if kind == "a":
            text, arguments = _aggregate(routine, aggregates[oid])
        else:
            text = definition.rstrip("\n")
        yield FoundObject("pg_proc", oid, SqlObject(_ROUTINES[kind], routine, (text,), arguments=arguments))


def _aggregate(name: QName, row: Sequence[Any]) -> tuple[str, str]:
    """(CREATE AGGREGATE, its arguments as DROP AGGREGATE wants them)."""
    shown, kind, direct, types = row[1:5]
    sfunc, stype, sspace, finalfunc, final_extra, final_modify, combine, serial, deserial, initial = row[5:15]
    msfunc, minvfunc, mstype, msspace, mfinalfunc, mfinal_extra, mfinal_modify, minitial, sort, parallel = row[15:]
    usual = "r" if kind == "n" else "w"
    found: list[tuple[str, str | None]] = [
        ("SFUNC", sfunc),
        ("STYPE", stype),
        ("SSPACE", str(sspace) if sspace else None),
        ("FINALFUNC", finalfunc),
        ("FINALFUNC_EXTRA", "" if final_extra else None),
        ("FINALFUNC_MODIFY", _MODIFY[final_modify] if finalfunc and final_modify != usual else None),
        ("COMBINEFUNC", combine),
        ("SERIALFUNC", serial),
        ("DESERIALFUNC", deserial),
        ("INITCOND", quote_literal(initial) if initial is not None else None),
        ("MSFUNC", msfunc),
        ("MINVFUNC", minvfunc),
        ("MSTYPE", mstype),
        ("MSSPACE", str(msspace) if msspace else None),
        ("MFINALFUNC", mfinalfunc),
        ("MFINALFUNC_EXTRA", "" if mfinal_extra else None),
        ("MFINALFUNC_MODIFY", _MODIFY[mfinal_modify] if mfinalfunc and mfinal_modify != usual else None),
        ("MINITCOND", quote_literal(minitial) if minitial is not None else None),
        ("SORTOP", sort),
        ("PARALLEL", _PARALLEL[parallel] if parallel != "u" else None),
        ("HYPOTHETICAL", "" if kind == "h" else None),
    ]
    parameters = {key: value for key, value in found if value is not None}
    text = ddl.create_aggregate(name, ddl.Aggregate(shown, parameters))
    if kind == "n":
        return text, ", ".join(types) or "*"
    ordered = ", ".join(types[direct:])
    return text, f"{', '.join(types[:direct])} ORDER BY {ordered}".strip()


def _column_settings(rows: Rows) -> dict[Oid, list[str]]:
    """Of materialized views: what CREATE cannot say of their columns, after ``ALTER COLUMN``."""
    views = {row[0] for row in rows["views"] or () if row[3] == "m"}
    found: dict[Oid, list[str]] = defaultdict(list)
    for row in (rows["columns"] or ()) if views else ():
        if row[0] in views and row[11] is not None:
            storage, compression, statistics, options, *_ = row[11]
            name = quote_ident(row[2])
            if storage is not None:
                found[row[0]].append(f"{name} SET STORAGE {STORAGE[storage].upper()}")
            if compression is not None:
                found[row[0]].append(f"{name} SET COMPRESSION {COMPRESSION[compression]}")
            if statistics is not None:
                found[row[0]].append(f"{name} SET STATISTICS {statistics}")
            if options is not None:
                found[row[0]].append(f"{name} SET ({storage_options(sorted(options_of(options)))})")
    return found


def _views(rows: Rows, names: Names, indexes: Mapping[Oid, tuple[Index, ...]]) -> Iterator[FoundObject]:
    settings = _column_settings(rows)
    for row in rows["views"] or ():
        oid, schema, name, kind, options, definition, populated, tablespace, method, columns, defaults = row
        view = QName(schema, name)
        query = definition.strip().removesuffix(";")
        pairs = tuple(sorted(options_of(options)))
        statements = [
            ddl.create_view(view, query, pairs)
            if kind == "v"
            else ddl.create_materialized_view(
                view, query, pairs, populated=populated, tablespace=tablespace, access_method=method
            )
        ]
        statements += [
            f"ALTER VIEW {qualified(view)} ALTER COLUMN {quote_ident(column)} SET DEFAULT {default}"
            for column, default in defaults or ()
        ]
        statements += [f"ALTER MATERIALIZED VIEW {qualified(view)} ALTER COLUMN {text}" for text in settings[oid]]
        yield FoundObject(
            "pg_class",
            oid,
            SqlObject(
                "view" if kind == "v" else "materialized view",
                view,
                tuple(statements),
                indexes=indexes.get(oid, ()),
                columns=tuple(column for _, column in columns or ()),
                part_comments=_column_comments(oid, names),
            ),
        )


def _column_comments(relation: Oid, names: Names) -> tuple[tuple[str, str], ...]:
    found = names.part_comments.get(relation, {})
    return tuple(sorted((names.columns[relation][number], text) for number, text in found.items()))


def _triggers(rows: Rows, unmanaged: list[UnmanagedObject]) -> Iterator[FoundObject]:
    for oid, _, schema, relation, name, definition, enabled, known in rows["triggers"] or ():
        if name.startswith(SYNC_TRIGGER):
            continue  # ours, see catalog/reading/resting.py
        if not known:
            unmanaged.append(UnmanagedObject("trigger", QName(schema, f"{name} ON {schema}.{relation}")))
            continue
        table = QName(schema, relation)
        statements = [definition]
        if enabled in _ENABLED:
            statements.append(f"ALTER TABLE {qualified(table)} {_ENABLED[enabled]} TRIGGER {quote_ident(name)}")
        made = SqlObject("trigger", QName(schema, name), tuple(statements), relation=table)
        yield FoundObject("pg_trigger", oid, made)


def _rules(rows: Rows, unmanaged: list[UnmanagedObject]) -> Iterator[FoundObject]:
    for oid, _, schema, relation, name, definition, enabled, known in rows["rules"] or ():
        if definition is None:
            continue
        if not known:
            unmanaged.append(UnmanagedObject("rule", QName(schema, f"{name} ON {schema}.{relation}")))
            continue
        table = QName(schema, relation)
        statements = [definition.strip().removesuffix(";")]
        if enabled in _ENABLED:
            statements.append(f"ALTER TABLE {qualified(table)} {_ENABLED[enabled]} RULE {quote_ident(name)}")
        made = SqlObject("rule", QName(schema, name), tuple(statements), relation=table)
        yield FoundObject("pg_rewrite", oid, made)


def _statistics(rows: Rows) -> Iterator[FoundObject]:
    for oid, schema, name, definition, target in rows["statistics"] or ():
        statements = [definition]
        if target is not None and target >= 0:
            statements.append(f"ALTER STATISTICS {qualified(QName(schema, name))} SET STATISTICS {target}")
        made = SqlObject("statistics", QName(schema, name), tuple(statements))
        yield FoundObject("pg_statistic_ext", oid, made)


def _publications(rows: Rows) -> Iterator[FoundObject]:
    for row in rows["publications"] or ():
        oid, name, all_tables, insert, update, delete, truncate, via_root, generated, tables, schemas = row
        operations = {"insert": insert, "update": update, "delete": delete, "truncate": truncate}
        publication = ddl.Publication(
            all_tables,
            tuple(ddl.PublishedTable(QName(*table[:2]), tuple(table[2] or ()), *table[3:]) for table in tables or ()),
            tuple(schemas or ()),
            tuple(operation for operation, wanted in operations.items() if wanted),
            via_root,
            generated == "s",
        )
        made = SqlObject(
            "publication",
            QName("", name),
            (ddl.create_publication(name, publication),),
            depends_on=tuple(Ref("table", str(table.name)) for table in publication.tables),
        )
        yield FoundObject("pg_publication", oid, made)


def _event_triggers(rows: Rows) -> Iterator[FoundObject]:
    for oid, name, event, tags, schema, function, enabled in rows["event triggers"] or ():
        statements = [ddl.create_event_trigger(name, event, tags or (), QName(schema, function))]
        if enabled in _ENABLED:
            statements.append(f"ALTER EVENT TRIGGER {quote_ident(name)} {_ENABLED[enabled]}")
        made = SqlObject(
            "event trigger",
            QName("", name),
            tuple(statements),
            depends_on=(Ref("function", f"{QName(schema, function)}()"),),
        )
        yield FoundObject("pg_event_trigger", oid, made)


def _default_privileges(rows: Rows) -> Iterator[FoundObject]:
    """One object per role, schema and kind of object, named ``schema.tables of role``."""
    for role, schema, kind, granted, usual in rows["default privileges"] or ():
        objects = _DEFAULT_PRIVILEGES.get(kind, kind)
        now = {tuple(item) for item in granted or ()}
        before = {tuple(item) for item in usual or ()}
        statements = []
        for revoke, difference in ((True, before - now), (False, now - before)):
            grouped: dict[tuple[str, bool], list[str]] = defaultdict(list)
            for grantee, privilege, grantable in sorted(difference):
                grouped[grantee, grantable].append(privilege)
            statements += [
                ddl.default_privileges(
                    role, schema, objects.upper(), privileges, grantee, grantable=grantable, revoke=revoke
                )
                for (grantee, grantable), privileges in grouped.items()
            ]
        if statements:
            made = SqlObject("default privileges", QName(schema, f"{objects} of {role}"), tuple(statements))
            yield FoundObject("pg_default_acl", f"{role} {schema} {kind}", made)
