"""Rows of the ``.sql`` files → records. Pure: the rows are what the server answered, by the name of their query.

Objects refer to each other by oid and to columns by number; the modules of :mod:`wesley_tui.catalog.reading` give them
their names back: first what oids stand for (``names``), then tables with all their parts (``tables``, ``indexes``), the
kinds that are kept as SQL (``objects``), and at last what ties them together (``links``).
"""

from __future__ import annotations

from wesley_tui.catalog.model import Catalog, Enum, QName, UnmanagedObject
from wesley_tui.catalog.reading.links import link, read_schema_details
from wesley_tui.catalog.reading.names import Oid, Rows, read_names
from wesley_tui.catalog.reading.objects import read_objects
from wesley_tui.catalog.reading.resting import read_resting_columns
from wesley_tui.catalog.reading.tables import read_indexes, read_tables
from wesley_tui.catalog.snapshot import Snapshot, TableSize

__all__ = ["assemble"]


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
    )
