"""Rows of the ``.sql`` files → records. Pure: the rows are what the server answered, by the name of their query.

Objects refer to each other by oid and to columns by number; the modules of :mod:`wesley_tui.catalog.reading` give them
their names back: first what oids stand for (``names``), then tables with all their parts (``tables``, ``indexes``), the
kinds that are kept as SQL (``objects``), and at last what ties them together (``links``).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from wesley_tui.catalog.model import Catalog, Enum, QName, SqlObject, Table, UnmanagedObject
from wesley_tui.catalog.reading.links import link, read_schema_details
from wesley_tui.catalog.reading.names import Oid, Rows, read_names
from wesley_tui.catalog.reading.objects import read_objects
from wesley_tui.catalog.reading.resting import read_resting_columns
from wesley_tui.catalog.reading.tables import read_indexes, read_tables
from wesley_tui.catalog.snapshot import Snapshot, TableSize

__all__ = ["RETIRED_SCHEMA", "assemble"]

RETIRED_SCHEMA = "wesley_retired"
"""Where retired tables, types and routines wait until somebody purges them or brings them back."""


def assemble(rows: Rows) -> Snapshot:
    """The snapshot that the answers of all queries make; ``rows`` maps the name of a query to its JSON value."""
    version_num, database, role, in_recovery, timezone, system_identifier, extensions = rows["facts"]
    names = read_names(rows)
    unmanaged = [UnmanagedObject(kind, QName(schema, name)) for kind, schema, name in rows["unmanaged"] or ()]
    enums: dict[Oid, Enum] = {
        oid: Enum(
            QName(schema, name),
            tuple(labels or ()),
            names.comments.get(("pg_type", oid, 0)),
            names.grants("pg_type", oid),
        )
        for oid, schema, name, labels in rows["enums"] or ()
    }
    indexes = read_indexes(rows, names)
    tables = read_tables(rows, names, indexes, unmanaged)
    objects = read_objects(rows, names, indexes, unmanaged)
    linked = link(rows, names, tables, enums, objects)
    sizes = {
        QName(row[1], row[2]): TableSize(
            relpages=row[9],
            reltuples=float(row[10]),
            main_bytes=row[9] * 8192 if row[11] is None else row[11],
            index_bytes=(row[15] or 0) * 8192,
        )
        for row in rows["tables"] or ()
    }
    catalog = Catalog(
        schemas=frozenset(name for _, name in rows["schemas"] or ()),
        tables=linked.tables,
        enums=linked.enums,
        unmanaged=tuple(sorted(unmanaged, key=lambda item: (item.kind, item.name))),
        objects=linked.objects,
        schema_details=read_schema_details(rows, names),
    )
    catalog, retired = _apart(catalog)
    return Snapshot(
        catalog=catalog,
        server_version_num=version_num,
        database=database,
        system_identifier=system_identifier,
        role=role,
        in_recovery=in_recovery,
        timezone=timezone,
        sizes=sizes,
        extensions=frozenset(extensions or ()),
        declared={path: (declared, live) for path, declared, live in rows["declarations"] or ()},
        resting_columns=tuple(read_resting_columns(rows, names)),
        retired=retired,
    )


def _apart(catalog: Catalog) -> tuple[Catalog, Catalog]:
    """(what everybody sees, what rests in schema ``wesley_retired``). Nothing that is seen leans on what rests."""
    if RETIRED_SCHEMA not in catalog.schemas:
        return catalog, Catalog()

    def parts(resting: bool) -> Catalog:
        return Catalog(
            schemas=frozenset(name for name in catalog.schemas if (name == RETIRED_SCHEMA) is resting),
            tables={
                name: _standing_alone(table)
                for name, table in catalog.tables.items()
                if (name.schema == RETIRED_SCHEMA) is resting
            },
            enums={name: item for name, item in catalog.enums.items() if (name.schema == RETIRED_SCHEMA) is resting},
            unmanaged=tuple(item for item in catalog.unmanaged if (item.name.schema == RETIRED_SCHEMA) is resting),
            objects={
                ref: _standing_alone(item)
                for ref, item in catalog.objects.items()
                if (item.name.schema == RETIRED_SCHEMA) is resting
            },
            schema_details={
                name: item for name, item in catalog.schema_details.items() if (name == RETIRED_SCHEMA) is resting
            },
        )

    return parts(False), parts(True)


_Dependent = TypeVar("_Dependent", Table, SqlObject)


def _standing_alone(item: _Dependent) -> _Dependent:
    needs = tuple(ref for ref in item.depends_on if not ref.name.startswith(f"{RETIRED_SCHEMA}."))
    return item if len(needs) == len(item.depends_on) else replace(item, depends_on=needs)
