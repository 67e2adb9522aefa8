"""Rows of ``introspect.sql`` → records. Pure: the rows are what the server answered, by the name of their query.

Objects refer to each other by oid and to columns by number; here they get their names back.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, cast

from wesley_tui.catalog.model import (
    Catalog,
    Check,
    Column,
    Constraint,
    Enum,
    Exclude,
    ForeignKey,
    Generated,
    Identity,
    Index,
    IndexKey,
    Policy,
    PrimaryKey,
    QName,
    ReferentialAction,
    Table,
    Unique,
    UnmanagedObject,
)
from wesley_tui.catalog.naming import qualified, quote_ident, quote_literal
from wesley_tui.catalog.snapshot import Snapshot, TableSize

__all__ = ["RETIRED_PREFIX", "assemble"]

RETIRED_PREFIX = "wesley_retired_"
"""A column that was retired instead of dropped carries this prefix and is no part of its table any more."""

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
_DESCENDING, _NULLS_FIRST = 1, 2
"""Bits of ``pg_index.indoption``."""

_Oid = str
"""As JSON shows it."""
_Rows = Mapping[str, Any]


class _OperatorClass(NamedTuple):
    schema: str
    name: str
    method: str
    input_type: _Oid
    default: bool


class _Names(NamedTuple):
    """What an oid or a number stands for."""

    columns: dict[_Oid, dict[int, str]]
    """Table oid → column number → name; retired columns are there too."""
    column_types: dict[_Oid, dict[int, _Oid]]
    """Table oid → column number → oid of its type, of the base type for a domain."""
    column_collations: dict[_Oid, dict[int, _Oid]]
    """Table oid → column number → oid of its collation, "0" for a type that has none."""
    retired: dict[_Oid, frozenset[int]]
    collations: dict[_Oid, QName]
    opclasses: dict[_Oid, _OperatorClass]
    default_inputs: frozenset[tuple[str, _Oid]]
    """(access method, type) for which there is a default operator class."""
    index_attributes: dict[tuple[_Oid, int], tuple[_Oid, list[str] | None]]
    comments: dict[tuple[str, _Oid, int], str]


def assemble(rows: _Rows) -> Snapshot:
    """The snapshot that the answers of all queries make; ``rows`` maps the name of a query to its JSON value."""
    version_num, database, role, in_recovery, timezone, system_identifier, extensions = rows["facts"]
    names = _read_names(rows)
    unmanaged = [UnmanagedObject(kind, QName(schema, name)) for kind, schema, name in rows["unmanaged"] or ()]
    tables = _tables(rows, names, unmanaged)
    sizes = {
        QName(row[1], row[2]): TableSize(
            relpages=row[9], reltuples=float(row[10]), main_bytes=row[9] * 8192 if row[11] is None else row[11]
        )
        for row in rows["tables"] or ()
    }
    catalog = Catalog(
        schemas=frozenset(rows["schemas"] or ()),
        tables=tables,
        enums={
            QName(schema, name): Enum(
                QName(schema, name), tuple(labels or ()), comment=names.comments.get(("pg_type", oid, 0))
            )
            for oid, schema, name, labels in rows["enums"] or ()
        },
        unmanaged=tuple(sorted(unmanaged, key=lambda item: (item.kind, item.name))),
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
    )


def _read_names(rows: _Rows) -> _Names:
    columns: dict[_Oid, dict[int, str]] = defaultdict(dict)
    types: dict[_Oid, dict[int, _Oid]] = defaultdict(dict)
    collations: dict[_Oid, dict[int, _Oid]] = defaultdict(dict)
    for row in rows["columns"] or ():
        columns[row[0]][row[1]] = row[2]
        collations[row[0]][row[1]] = row[8]
        types[row[0]][row[1]] = row[10]
    opclasses = {row[0]: _OperatorClass(*row[1:]) for row in rows["opclasses"] or ()}
    return _Names(
        columns=columns,
        column_types=types,
        column_collations=collations,
        retired={
            table: frozenset(number for number, name in named.items() if name.startswith(RETIRED_PREFIX))
            for table, named in columns.items()
        },
        collations={oid: QName(schema, name) for oid, schema, name in rows["collations"] or ()},
        opclasses=opclasses,
        default_inputs=frozenset((item.method, item.input_type) for item in opclasses.values() if item.default),
        index_attributes={
            (index, number): (type_oid, options) for index, number, type_oid, options in rows["index attributes"] or ()
        },
        comments={(catalog, oid, part): text for catalog, oid, part, text in rows["comments"] or ()},
    )


def _tables(rows: _Rows, names: _Names, unmanaged: list[UnmanagedObject]) -> dict[QName, Table]:
    columns: dict[_Oid, list[Column]] = defaultdict(list)
    for row in rows["columns"] or ():
        if row[1] not in names.retired[row[0]]:
            columns[row[0]].append(_column(row, names))

    index_rows = {row[1]: row for row in rows["indexes"] or ()}
    constraints: dict[_Oid, list[Constraint]] = defaultdict(list)
    owned_indexes: set[_Oid] = set()
    table_names = {row[0]: QName(row[1], row[2]) for row in rows["tables"] or ()}
    for row in rows["constraints"] or ():
        if row[3] in "pux":
            owned_indexes.add(row[9])
        table = table_names.get(row[0])
        if table is None or not names.retired[row[0]].isdisjoint(row[4] or ()):
            continue
        enforced, period = row[19:]
        if not enforced or period:
            kind = "temporal constraint" if period else "constraint that is not enforced"
            unmanaged.append(UnmanagedObject(kind, QName(table.schema, f"{table.name}.{row[2]}")))
            continue
        constraints[row[0]].append(_constraint(row, index_rows.get(row[9]), names))

    indexes: dict[_Oid, list[Index]] = defaultdict(list)
    for oid, row in index_rows.items():
        if oid not in owned_indexes and not _speaks_of_retired(row, names):
            indexes[row[0]].append(_index(row, names))

    policies: dict[_Oid, list[Policy]] = defaultdict(list)
    for row in rows["policies"] or ():
        policies[row[0]].append(_policy(row, names))

    tables = {}
    for row in rows["tables"] or ():
        oid, schema, name, unlogged, rls_enabled, rls_forced, tablespace, options, toast_options, *_ = row
        tables[QName(schema, name)] = Table(
            name=QName(schema, name),
            columns=tuple(columns.get(oid, ())),
            constraints=tuple(sorted(constraints.get(oid, ()), key=lambda item: item.name)),
            indexes=tuple(sorted(indexes.get(oid, ()), key=lambda item: item.name)),
            policies=tuple(sorted(policies.get(oid, ()), key=lambda item: item.name)),
            rls_enabled=rls_enabled,
            rls_forced=rls_forced,
            unlogged=unlogged,
            tablespace=tablespace,
            options=tuple(sorted([*_options(options), *_options(toast_options, "toast.")])),
            comment=names.comments.get(("pg_class", oid, 0)),
        )
    return dict(sorted(tables.items()))


def _column(row: Sequence[Any], names: _Names) -> Column:
    table, number, name, type_name, not_null, identity, generated, expression, collation, own, _ = row
    return Column(
        name,
        type_name,
        not_null,
        None if generated else expression,
        _IDENTITIES[identity] if identity else None,
        Generated(expression, "stored" if generated == "s" else "virtual") if generated else None,
        names.collations[collation] if own else None,
        names.comments.get(("pg_class", table, number)),
    )


def _constraint(row: Sequence[Any], index: Sequence[Any] | None, names: _Names) -> Constraint:
    table, oid, name, kind, key, deferrable, deferred, validated, no_inherit = row[:9]
    expression, ref_schema, ref_name, ref_columns = row[10:14]
    on_update, on_delete, match, delete_columns, operators = row[14:19]
    column_names = names.columns[table]
    columns = tuple(column_names[number] for number in key or () if number in column_names)
    comment = names.comments.get(("pg_constraint", oid, 0))
    if kind == "c":
        return Check(name, expression, no_inherit=no_inherit, validated=validated, comment=comment)
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
            validated=validated,
            comment=comment,
        )
    if index is None:
        raise ValueError(f"constraint {name} has no index in the same snapshot")
    include = _included(index, names)
    if kind == "p":
        return PrimaryKey(name, columns, include, deferrable, deferred, comment)
    if kind == "u":
        return Unique(name, columns, include, index[6], deferrable, deferred, comment)
    return Exclude(
        name,
        index[3],
        tuple(
            (index_key, operator if schema == "pg_catalog" else f"OPERATOR({quote_ident(schema)}.{operator})")
            for index_key, (schema, operator) in zip(_index_keys(index, names), operators, strict=True)
        ),
        where=index[13],
        deferrable=deferrable,
        initially_deferred=deferred,
        comment=comment,
    )


def _index(row: Sequence[Any], names: _Names) -> Index:
    _, oid, name, method, unique, valid, nulls_not_distinct = row[:7]
    return Index(
        name,
        tuple(_index_keys(row, names)),
        method,
        unique,
        _included(row, names),
        nulls_not_distinct,
        where=row[13],
        options=tuple(sorted(_options(row[14]))),
        valid=valid,
        comment=names.comments.get(("pg_class", oid, 0)),
    )


def _included(row: Sequence[Any], names: _Names) -> tuple[str, ...]:
    column_names = names.columns[row[0]]
    return tuple(column_names[number] for number in row[8][row[7] :])


def _index_keys(row: Sequence[Any], names: _Names) -> Iterator[IndexKey]:
    table, oid, _, method = row[:4]
    key_count, columns, opclasses, collations, options = row[7:12]
    expressions = iter(row[12] or ())
    definition = row[15]
    for position in range(key_count):
        number, bits = columns[position], options[position]
        descending = bool(bits & _DESCENDING)
        nulls_first = bool(bits & _NULLS_FIRST)
        key_type, parameters = names.index_attributes.get((oid, position + 1), ("0", None))
        expression = None
        if number:
            key_type = names.column_types[table][number]
            same = collations[position] == names.column_collations[table][number]
            collation = None if same or collations[position] == "0" else names.collations[collations[position]]
        else:
            expression = next(expressions)
            collation = _expression_key_collation(definition, position)
        yield IndexKey(
            names.columns[table][number] if number else None,
            expression,
            _operator_class(names.opclasses[opclasses[position]], method, key_type, parameters, names),
            collation,
            descending,
            None if nulls_first == descending else nulls_first,
        )


def _expression_key_collation(definition: str | None, position: int) -> QName | None:
    """The COLLATE that ``pg_get_indexdef()`` prints after an expression: only the server knows what the expression
    yields by itself."""
    if definition is None:
        return None
    from pglast.parser import parse_sql_json

    statement = json.loads(parse_sql_json(definition))["stmts"][0]["stmt"]["IndexStmt"]
    collation = statement["indexParams"][position]["IndexElem"].get("collation")
    if not collation:
        return None
    parts = [part["String"]["sval"] for part in collation]
    return QName(parts[0], parts[1]) if len(parts) > 1 else QName("pg_catalog", parts[0])


def _operator_class(
    opclass: _OperatorClass, method: str, key_type: _Oid, parameters: Sequence[str] | None, names: _Names
) -> str | None:
    """The operator class as SQL, ``None`` when leaving it out gives the same one.

    A class that is the default for its input type is what the server picks for a key of that type, and for keys of a
    type without a default of its own (``varchar`` uses ``text_ops``, an enum ``enum_ops``).
    """
    is_default = opclass.default and (opclass.input_type == key_type or (method, key_type) not in names.default_inputs)
    if is_default and not parameters:
        return None
    name = (
        quote_ident(opclass.name) if opclass.schema == "pg_catalog" else qualified(QName(opclass.schema, opclass.name))
    )
    if not parameters:
        return name
    pairs = (parameter.partition("=") for parameter in parameters)
    return f"{name} ({', '.join(f'{quote_ident(key)}={quote_literal(value)}' for key, _, value in pairs)})"


def _speaks_of_retired(row: Sequence[Any], names: _Names) -> bool:
    """True for an index over a retired column: it goes, and comes back, with that column."""
    retired = names.retired[row[0]]
    if not retired:
        return False
    texts = [*(row[12] or ()), row[13] or ""]
    return not retired.isdisjoint(row[8]) or any(RETIRED_PREFIX in text for text in texts)


def _policy(row: Sequence[Any], names: _Names) -> Policy:
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


def _options(options: Sequence[str] | None, prefix: str = "") -> Iterator[tuple[str, str]]:
    for option in options or ():
        name, _, value = option.partition("=")
        yield prefix + name, value
