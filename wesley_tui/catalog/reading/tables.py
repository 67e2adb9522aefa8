"""Tables, partitioned tables, partitions, and all that belongs to them.

What a table has from its parents is left out of its record, as :class:`~wesley_tui.catalog.model.Table` says.
"""

from __future__ import annotations

import dataclasses
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, cast

from wesley_tui.catalog.identity import identity_options
from wesley_tui.catalog.model import (
    Check,
    Column,
    Constraint,
    Exclude,
    ForeignKey,
    Generated,
    Identity,
    Index,
    Policy,
    PrimaryKey,
    QName,
    ReferentialAction,
    Table,
    Unique,
    UnmanagedObject,
)
from wesley_tui.catalog.naming import default_name, quote_ident
from wesley_tui.catalog.reading.indexes import included_columns, index_keys, read_index, speaks_of_retired
from wesley_tui.catalog.reading.names import COMPRESSION, SHADOW_PREFIX, STORAGE, Names, Oid, Rows, options_of

__all__ = ["read_column", "read_indexes", "read_tables"]

_ACTIONS: Mapping[str, ReferentialAction] = {
    "a": "no action",
    "r": "restrict",
    "c": "cascade",
    "n": "set null",
    "d": "set default",
}
_IDENTITIES: Mapping[str, Identity] = {"a": "always", "d": "by default"}
_COMMANDS: Mapping[str, Literal["all", "select", "insert", "update", "delete"]] = {
    "*": "all",
    "r": "select",
    "a": "insert",
    "w": "update",
    "d": "delete",
}


class _Parents(NamedTuple):
    """Where a table comes from."""

    oids: tuple[Oid, ...]
    names: tuple[QName, ...]
    bound: str | None
    """Of a partition; None for a child by inheritance."""
    attached: tuple[tuple[str, str, str], ...] = ()


def read_indexes(rows: Rows, names: Names) -> dict[Oid, tuple[Index, ...]]:
    """Indexes that no constraint owns, by the oid of the table or materialized view, sorted by name."""
    owned = {row[9] for row in rows["constraints"] or () if row[3] in "pux"}
    indexes: dict[Oid, list[Index]] = defaultdict(list)
    for row in rows["indexes"] or ():
        if row[1] not in owned and not speaks_of_retired(row, names):
            indexes[row[0]].append(read_index(row, names))
    return {oid: tuple(sorted(found, key=lambda item: item.name)) for oid, found in indexes.items()}


def read_tables(
    rows: Rows, names: Names, indexes: Mapping[Oid, tuple[Index, ...]], unmanaged: list[UnmanagedObject]
) -> dict[Oid, Table]:
    """Tables by their oid. What a table has and no record can hold is added to ``unmanaged``."""
    columns: dict[Oid, dict[str, Column]] = defaultdict(dict)
    inherited: dict[Oid, set[str]] = defaultdict(set)
    not_nulls = _not_nulls(rows, unmanaged)
    identities = _identities(rows)
    for row in rows["columns"] or ():
        if row[1] in names.retired[row[0]]:
            continue
        column = read_column(row, names)
        if not_nulls and (named := not_nulls.get((row[0], row[1]))) is not None:
            column = dataclasses.replace(column, not_null_name=named[0], not_null_comment=named[1])
        if column.identity is not None and (found := identities.get((row[0], row[1]))) is not None:
            column = dataclasses.replace(column, identity_options=found[0], identity_sequence=found[1])
        columns[row[0]][column.name] = column
        if row[11] is not None and row[11][4] and not row[11][5]:
            inherited[row[0]].add(column.name)

    constraints = _constraints(rows, names)
    clustered = {row[0]: row[2] for row in rows["indexes"] or () if row[17]}
    policies: dict[Oid, list[Policy]] = defaultdict(list)
    for row in rows["policies"] or ():
        policies[row[0]].append(_policy(row, names))

    parents = _read_parents(rows, unmanaged)
    tables = {}
    for row in rows["tables"] or ():
        oid, schema, name, unlogged, rls_enabled, rls_forced, tablespace, options, toast_options = row[:9]
        partition_by, replica_identity, access_method = row[12:15]
        table_name = QName(schema, name)
        parent = parents.get(oid)
        own_columns = tuple(columns.get(oid, {}).values())
        if parent is not None:
            known = [columns[other] for other in parent.oids if other in columns]
            if parent.bound is not None:
                unmanaged += _overrides(table_name, own_columns, known)
                own_columns = ()
            elif inherited[oid]:
                own_columns = tuple(
                    column for column in own_columns if column.name not in inherited[oid] or _differs(column, known)
                )
        tables[oid] = Table(
            name=table_name,
            columns=own_columns,
            constraints=tuple(sorted(constraints.get(oid, ()), key=lambda item: item.name)),
            indexes=indexes.get(oid, ()),
            policies=tuple(sorted(policies.get(oid, ()), key=lambda item: item.name)),
            rls_enabled=rls_enabled,
            rls_forced=rls_forced,
            unlogged=unlogged,
            tablespace=tablespace,
            options=tuple(sorted([*options_of(options), *options_of(toast_options, "toast.")])),
            comment=names.comments.get(("pg_class", oid, 0)),
            partition_by=partition_by,
            partition_of=parent.names[0] if parent is not None and parent.bound is not None else None,
            partition_bound=None if parent is None else parent.bound,
            inherits=parent.names if parent is not None and parent.bound is None else (),
            replica_identity=replica_identity,
            access_method=access_method,
            clustered_on=clustered.get(oid),
            grants=names.grants("pg_class", oid),
            attached=parent.attached if parent is not None else (),
        )
    return tables


def _read_parents(rows: Rows, unmanaged: list[UnmanagedObject]) -> dict[Oid, _Parents]:
    children = {row[0]: QName(row[1], row[2]) for row in rows["tables"] or ()}
    parents: dict[Oid, _Parents] = {}
    for child, parent, schema, name, _, bound, detach_pending, *attached_to in rows["parents"] or ():
        before = parents.get(child, _Parents((), (), None))
        attached = sorted((kind, own, above) for found in attached_to for kind, own, above in found or ())
        parents[child] = _Parents((*before.oids, parent), (*before.names, QName(schema, name)), bound, (*attached,))
        if detach_pending and child in children:
            unmanaged.append(UnmanagedObject("unfinished DETACH of partition", children[child]))
    return parents


_NOT_INHERITED: dict[str, Any] = {
    "identity": None,
    "not_null_name": None,
    "not_null_comment": None,
    "identity_options": (),
    "identity_sequence": None,
}


def _differs(column: Column, parents: Sequence[Mapping[str, Column]]) -> bool:
    """Whether an inherited column is more than what its parents say; identity and names of NOT NULL do not come with
    inheritance."""
    plain = dataclasses.replace(column, **_NOT_INHERITED)
    return column.comment is not None or not any(
        dataclasses.replace(other, **_NOT_INHERITED, comment=None) == plain
        for parent in parents
        if (other := parent.get(column.name)) is not None
    )


def _overrides(
    table: QName, columns: Sequence[Column], parents: Sequence[Mapping[str, Column]]
) -> list[UnmanagedObject]:
    """Columns of a partition with a default, NOT NULL or comment of their own."""
    return [
        UnmanagedObject("column of its own kind in partition", QName(table.schema, f"{table.name}.{column.name}"))
        for column in columns
        if column.comment is not None
        or any(
            (column.default, column.not_null) != (other.default, other.not_null)
            for parent in parents
            if (other := parent.get(column.name)) is not None
        )
    ]


def _identities(rows: Rows) -> dict[tuple[Oid, int], tuple[tuple[tuple[str, str], ...], QName | None]]:
    """Options and name of the sequences behind identity columns, where they are not what the server makes unasked."""
    columns = {(row[0], row[1]): row[2] for row in rows["columns"] or ()} if rows["identity sequences"] else {}
    found = {}
    for row in rows["identity sequences"] or ():
        table, number, schema, name, kind, start, increment, minimum, maximum, cache, cycle, table_name = row
        usual = default_name(table_name, (columns[table, number],), "seq")
        options = identity_options(kind, start, increment, minimum, maximum, cache, cycle)
        found[table, number] = options, None if name == usual else QName(schema, name)
    return found


def _not_nulls(rows: Rows, unmanaged: list[UnmanagedObject]) -> dict[tuple[Oid, int], tuple[str | None, str | None]]:
    """Names of NOT NULL constraints that are not those that the server chooses (it adds a number to one that is
    taken), and their comments. One that is NOT VALID does not make its column NOT NULL, and is none of these."""
    found = {}
    for table, number, name, schema, table_name, column, validated, comment in rows["names of not null"] or ():
        if not validated:
            unmanaged.append(
                UnmanagedObject("NOT NULL constraint that is not valid", QName(schema, f"{table_name}.{name}"))
            )
            continue
        number_of_name = re.search(r"_not_null(\d*)$", name)
        suffix = f"not_null{number_of_name[1]}" if number_of_name else "not_null"
        own = name if name != default_name(table_name, (column,), suffix) else None
        if own is not None or comment is not None:
            found[table, number] = own, comment
    return found


def read_column(row: Sequence[Any], names: Names) -> Column:
    table, number, name, type_name, not_null, identity, generated, expression, collation, own, _, extra = row
    column = Column(
        name,
        type_name,
        not_null,
        None if generated else expression,
        _IDENTITIES[identity] if identity else None,
        Generated(expression, "stored" if generated == "s" else "virtual") if generated else None,
        names.collations[collation] if own else None,
        names.comments.get(("pg_class", table, number)),
    )
    if extra is None:
        return column
    storage, compression, statistics, options, *_ = extra
    if storage is compression is statistics is options is None:
        return column
    return dataclasses.replace(
        column,
        storage=STORAGE.get(storage),
        compression=COMPRESSION.get(compression),
        statistics=statistics,
        options=tuple(sorted(options_of(options))),
    )


def _constraints(rows: Rows, names: Names) -> dict[Oid, list[Constraint]]:
    index_rows = {row[1]: row for row in rows["indexes"] or ()}
    found: dict[Oid, list[Constraint]] = defaultdict(list)
    for row in rows["constraints"] or ():
        if names.retired[row[0]].isdisjoint(row[4] or ()) and not row[2].startswith(SHADOW_PREFIX):
            found[row[0]].append(_constraint(row, index_rows.get(row[9]), names))
    return found


def _constraint(row: Sequence[Any], index: Sequence[Any] | None, names: Names) -> Constraint:
    table, oid, name, kind, key, deferrable, deferred, validated, no_inherit = row[:9]
    expression, ref_schema, ref_name, ref_columns = row[10:14]
    on_update, on_delete, match, delete_columns, operators, enforced, period = row[14:21]
    column_names = names.columns[table]
    columns = tuple(column_names[number] for number in key or () if number in column_names)
    comment = names.comments.get(("pg_constraint", oid, 0))
    if kind == "c":
        return Check(name, expression, no_inherit, validated or not enforced, comment, enforced)
    if kind == "f":
        return ForeignKey(
            name,
            columns,
            QName(ref_schema, ref_name),
            tuple(ref_columns),
            on_update=_ACTIONS[on_update],
            on_delete=_ACTIONS[on_delete],
            on_delete_columns=tuple(column_names[number] for number in delete_columns or ()),
            match_full=match == "f",
            deferrable=deferrable,
            initially_deferred=deferred,
            validated=validated or not enforced,
            comment=comment,
            enforced=enforced,
            period=period,
        )
    if index is None:
        raise ValueError(f"constraint {name} has no index in the same snapshot")
    include = included_columns(index, names)
    options = tuple(sorted(options_of(index[14])))
    if kind == "p":
        return PrimaryKey(name, columns, include, deferrable, deferred, comment, period, options, index[16])
    if kind == "u":
        return Unique(name, columns, include, index[6], deferrable, deferred, comment, period, options, index[16])
    return Exclude(
        name,
        index[3],
        tuple(
            (index_key, operator if schema == "pg_catalog" else f"OPERATOR({quote_ident(schema)}.{operator})")
            for index_key, (schema, operator) in zip(index_keys(index, names), operators, strict=True)
        ),
        where=index[13],
        deferrable=deferrable,
        initially_deferred=deferred,
        comment=comment,
        options=options,
        tablespace=index[16],
    )


def _policy(row: Sequence[Any], names: Names) -> Policy:
    _, oid, name, command, permissive, roles, using, check = row
    return Policy(
        name,
        _COMMANDS[command],
        permissive,
        tuple(sorted(cast("list[str]", roles))),
        using,
        check,
        names.comments.get(("pg_policy", oid, 0)),
    )
