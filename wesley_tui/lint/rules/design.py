"""The design of tables: what is hard to change later. All of it is advice."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wesley_tui.lint.rules.reading import base_type, column_constraints, new_columns, nodes, type_modifiers
from wesley_tui.lint.rules.registry import rule
from wesley_tui.lint.subject import Subject
from wesley_tui.planner.effects.context import names_in
from wesley_tui.planner.effects.types import is_serial

_T = "Design"
_ON = "CreateStmt AlterTableStmt"
_GOOD = "CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text, at timestamptz);"


def _type_rule(
    id: str, title: str, why: str, fix: str, bad_type: str, *names: str, modified: bool | None = None
) -> None:
    def check(s: Subject) -> Iterator[str]:
        for table, column in new_columns(s):
            if base_type(column) in names and (modified is None or bool(type_modifiers(column)) == modified):
                yield f"{table}.{column.colname}"

    rule(
        id,
        _T,
        "info",
        title,
        why=why,
        fix=fix,
        on=_ON,
        bad=f"CREATE TABLE t (id bigint PRIMARY KEY, c {bad_type});",
        good=_GOOD,
    )(check)


_type_rule(
    "prefer-bigint-over-int",
    "integer",
    "2,147,483,647 comes sooner than expected, and widening rewrites the table.",
    "bigint; the four bytes mostly vanish in alignment.",
    "int",
    "int4",
)
_type_rule(
    "prefer-bigint-over-smallint",
    "smallint",
    "32,767 comes soon, and widening rewrites the table.",
    "bigint or integer.",
    "smallint",
    "int2",
)
_type_rule(
    "prefer-text-field",
    "varchar(n)",
    "A limit in the type can be raised but not lowered without a rewrite.",
    "text, with a CHECK on the length when there is a reason.",
    "varchar(50)",
    "varchar",
    modified=True,
)
_type_rule(
    "ban-char-field",
    "char(n)",
    "Values are padded with blanks, compared without them, and nothing is saved.",
    "text.",
    "char(10)",
    "bpchar",
)
_type_rule(
    "prefer-timestamptz",
    "timestamp without time zone",
    "It names no moment: what it means depends on who reads.",
    "timestamptz.",
    "timestamp",
    "timestamp",
)
_type_rule(
    "ban-timetz",
    "time with time zone",
    "An offset without a date cannot know about daylight saving.",
    "timestamptz, or time and the name of the zone.",
    "timetz",
    "timetz",
)
_type_rule(
    "ban-rounded-timestamp",
    "timestamptz(n)",
    "A precision rounds, also into the future.",
    "timestamptz, and date_trunc() when reading.",
    "timestamptz(0)",
    "timestamptz",
    modified=True,
)
_type_rule(
    "prefer-numeric-over-money",
    "money",
    "Its digits and its text depend on lc_monetary of the server.",
    "numeric, and a column for the currency.",
    "money",
    "money",
)
_type_rule(
    "prefer-jsonb",
    "json",
    "It has no equality, so DISTINCT and GROUP BY fail, and it is parsed on every read.",
    "jsonb.",
    "json",
    "json",
)
_type_rule("ban-oid-column", "oid", "Four bytes that belong to the system and wrap around.", "bigint.", "oid", "oid")
_type_rule("ban-xml-field", "xml", "No equality and no index.", "text, or jsonb.", "xml", "xml")
_type_rule(
    "float-column",
    "real",
    "Six digits: sums drift, and equality surprises.",
    "double precision or numeric.",
    "real",
    "float4",
)
_type_rule(
    "hstore-column", "hstore", "jsonb does the same and more, without an extension.", "jsonb.", "hstore", "hstore"
)
_type_rule(
    "name-column", "name", "A type of the system's catalogs, cut at 63 bytes without a word.", "text.", "name", "name"
)


@rule(
    "prefer-identity",
    _T,
    "info",
    "serial",
    on=_ON,
    why="Its sequence has an owner and rights of its own, and anybody can overwrite the number by accident.",
    fix="bigint GENERATED ALWAYS AS IDENTITY.",
    bad="CREATE TABLE t (id bigserial PRIMARY KEY);",
    good=_GOOD,
)
def _(s: Subject) -> Iterator[str]:
    for table, column in new_columns(s):
        if is_serial(column.typeName):
            yield f"{table}.{column.colname}"


@rule(
    "int-primary-key",
    _T,
    "info",
    "A primary key of 32 bits or less",
    on="CreateStmt",
    why="When it runs out every insert fails, and changing it rewrites the table and those that point to it.",
    fix="bigint GENERATED ALWAYS AS IDENTITY.",
    bad="CREATE TABLE t (id int PRIMARY KEY);",
    good=_GOOD,
)
def _(s: Subject) -> Iterator[str]:
    keys = {
        part.sval
        for element in s.node.tableElts or ()
        if element.contype == "CONSTR_PRIMARY" and len(element.get("keys") or ()) == 1
        for part in element.get("keys")
    }
    for table, column in new_columns(s):
        is_key = column.colname in keys or "PRIMARY" in column_constraints(column)
        if is_key and base_type(column) in ("int4", "int2", "serial", "smallserial", "serial4", "serial2"):
            small = "2" in base_type(column) or "small" in base_type(column)
            yield f"{table}.{column.colname} ends at {32767 if small else 2147483647}"


@rule(
    "mixed-case-name",
    _T,
    "info",
    "A name that has to be quoted",
    on=_ON,
    why="Everybody who forgets the quotes gets: relation does not exist.",
    fix="Lower case and underscores.",
    bad='CREATE TABLE "Users" (id bigint PRIMARY KEY);',
    good=_GOOD,
)
def _(s: Subject) -> Iterator[str]:
    names = [column.colname for _, column in new_columns(s)]
    if s.node.tag == "CreateStmt":
        names.append(s.node.relation.relname)
    for name in names:
        if name != name.lower() or " " in name or "-" in name:
            yield f'"{name}" has to be quoted everywhere'


@rule(
    "uuid-in-text",
    _T,
    "info",
    "A UUID in a text column",
    on=_ON,
    why="37 bytes instead of 16, and anything else fits in as well.",
    fix="uuid.",
    bad="CREATE TABLE t (id bigint PRIMARY KEY, user_uuid text);",
    good=_GOOD,
)
def _(s: Subject) -> Iterator[str]:
    for table, column in new_columns(s):
        if "uuid" in column.colname.lower() and base_type(column) in ("text", "varchar", "bpchar"):
            yield f"{table}.{column.colname}"


@rule(
    "identifier-too-long",
    _T,
    "warning",
    "A name of more than 63 bytes",
    why="PostgreSQL cuts it without an error: two names that differ only in their ends are one.",
    fix="A shorter name.",
    bad=f"CREATE TABLE {'a' * 64} (id bigint PRIMARY KEY);",
    good=_GOOD,
    on="CreateStmt IndexStmt ViewStmt AlterTableStmt RenameStmt CreateFunctionStmt CreateTrigStmt CreateSeqStmt",
)
def _(s: Subject) -> Iterator[str]:
    for found in _LONG.finditer(s.sql):
        # The parser cuts names like the server does; what was written stands in the text alone.
        written = found.group(1) or found.group(2)
        cut = written.encode()[:63].decode(errors="ignore")
        if len(written.encode()) > 63 and cut.lower() in {name.lower() for name in _names_made(s)}:
            yield f"{written} becomes {cut}"


_LONG = re.compile(r'"([^"]{32,})"|(?<![\w$])([^\W\d][\w$]{31,})')


def _names_made(s: Subject) -> Iterator[str]:
    node = s.node
    for field in ("idxname", "newname", "trigname"):
        if node.get(field):
            yield str(node.get(field))
    for relation in (node.relation if node.tag == "CreateStmt" else None, node.view, node.sequence):
        if relation is not None:
            yield str(relation.relname)
    if node.funcname:
        yield names_in(node.funcname)[-1]
    for _, column in new_columns(s):
        yield str(column.colname)
    for item in nodes(s):
        if item.tag == "Constraint" and item.conname:
            yield str(item.conname)
