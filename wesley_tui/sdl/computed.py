"""Columns that follow from rows of another table: ``@computed``.

A stored column, kept by triggers on both sides. Never by adding and subtracting: the value is always computed again
from all rows that count, so that no lost or doubled step can ever make it drift.

* On the table itself, BEFORE INSERT OR UPDATE OF the column (or of the key): whatever is written, the computed value is
  what is stored.
* On the table whose rows count, AFTER each INSERT, UPDATE, DELETE and TRUNCATE statement: the rows that are pointed to,
  before and after, are locked in the order of their key and then updated, which fires the trigger above.

Two transactions that change rows of one owner meet at its lock. The second waits, and computes with a snapshot taken
after the first has committed: in READ COMMITTED every statement of a trigger function takes a new one. In REPEATABLE
READ the second fails with a serialization error, because the first has updated the row in any case, changed or not.

The functions run with the rights of their owner and ``row_security`` off: whoever may see only some of the rows would
else store a sum of these. Where that is impossible (FORCE, and an owner without BYPASSRLS) PostgreSQL raises an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from wesley_tui.catalog.model import ForeignKey, QName, Table
from wesley_tui.catalog.naming import default_name, qualified, quote_ident, quote_literal
from wesley_tui.sdl.drafts import TableDraft
from wesley_tui.sdl.expressions import checked
from wesley_tui.sdl.issues import Issues
from wesley_tui.sdl.names import nearest
from wesley_tui.sdl.sqltext import parse_expression
from wesley_tui.sdl.usage import Use

__all__ = ["computed_statements", "computed_values"]


def computed_statements(
    draft: TableDraft, tables: Mapping[QName, Table], by_type: Mapping[str, TableDraft], issues: Issues
) -> Iterator[tuple[str, Use, str]]:
    """(directive, use, CREATE statement) of every function and trigger that the computed columns of a table need."""
    owner = tables.get(draft.name)
    if owner is None:
        return
    for column, use in draft.computed:
        found = _source(owner, use, tables, by_type, issues)
        if found is None:
            continue
        source, key = found
        text = _expression(use, "expr", source, issues)
        where = _expression(use, "where", source, issues) if "where" in use.arguments else None
        if text is None or ("where" in use.arguments and where is None):
            continue
        for table in (owner, source):
            if table.rls_forced:
                issues.warn(
                    "computed-under-force",
                    f"{table.name} forces row-level security on its owner, and {column!r} is computed from all rows: "
                    "whoever owns the functions needs BYPASSRLS, or writes fail",
                    use.spot,
                    "let a role with BYPASSRLS apply the schema, or write @rls(force: false)",
                )
        if source.name == owner.name:
            issues.warn(
                "computed-from-itself",
                f"{column!r} is computed from the same table: every change updates the rows above it as well",
                use.spot,
            )
        yield from ((kind, use, statement) for kind, statement in _statements(owner, column, source, key, text, where))


def computed_values(
    draft: TableDraft, tables: Mapping[QName, Table], by_type: Mapping[str, TableDraft]
) -> Iterator[tuple[str, str]]:
    """(column, SQL of its value for a row ``t`` of the table) of every computed column that is right: what existing
    rows are filled with."""
    owner = tables.get(draft.name)
    if owner is None:
        return
    for column, use in draft.computed:
        ignored = Issues()
        found = _source(owner, use, tables, by_type, ignored)
        if found is None:
            continue
        source, key = found
        text = _expression(use, "expr", source, ignored)
        where = _expression(use, "where", source, ignored) if "where" in use.arguments else None
        if text is not None and ("where" not in use.arguments or where is not None):
            # The row gets a name that no table has: "t" may be the table whose rows count.
            named = ", ".join(f"t.{quote_ident(name)}" for name in key.referenced_columns)
            value = _value(source, key, text, where, "wesley_row")
            yield column, f"(SELECT {value} FROM (SELECT {named}) AS wesley_row)"


def _value(source: Table, key: ForeignKey, text: str, where: str | None, row: str) -> str:
    child = f"{qualified(source.name)} AS {quote_ident(source.name.name)}"
    points_here = " AND ".join(
        f"{quote_ident(source.name.name)}.{quote_ident(mine)} = {row}.{quote_ident(theirs)}"
        for mine, theirs in zip(key.columns, key.referenced_columns, strict=True)
    )
    condition = f"{points_here} AND ({where})" if where is not None else points_here
    return f"(SELECT {text} FROM {child} WHERE {condition})"


def _source(
    owner: Table, use: Use, tables: Mapping[QName, Table], by_type: Mapping[str, TableDraft], issues: Issues
) -> tuple[Table, ForeignKey] | None:
    type_name, _, field = use.get("from").partition(".")
    draft = by_type.get(type_name)
    table = tables.get(draft.name) if draft is not None else None
    if draft is None or table is None:
        near = nearest(type_name, by_type)
        issues.error(
            "unknown-type",
            f"@computed(from:) names {type_name!r}, which is no table of this schema",
            use.spot_of("from"),
            f"did you mean {near}?" if near else 'from: "Type.field", the field that points here',
        )
        return None
    keys = [key for key in table.foreign_keys if key.references == owner.name]
    if field:
        column = draft.fields.get(field, field)
        if table.column(column) is None:
            near = nearest(field, [*draft.fields, *draft.fields.values()])
            issues.error(
                "unknown-column",
                f"{type_name} has no column for {field!r}",
                use.spot_of("from"),
                f"did you mean {type_name}.{near}?" if near else "",
            )
            return None
        keys = [key for key in keys if column in key.columns]
    if len(keys) != 1:
        what = "no foreign key" if not keys else f"{len(keys)} foreign keys"
        issues.error(
            "wrong-reference",
            f"{type_name} has {what} to {owner.name}{f' on {field!r}' if field else ''}: which of its rows count?",
            use.spot_of("from"),
            f'from: "{type_name}.field", the field with the @fk that points here',
        )
        return None
    return table, keys[0]


def _expression(use: Use, argument: str, source: Table, issues: Issues) -> str | None:
    text = checked(use, argument, issues)
    if text is None:
        return None
    names = [column.name for column in source.columns]
    for column in parse_expression(text).columns:
        if column not in names and column != source.name.name:
            near = nearest(column, names)
            issues.error(
                "unknown-column",
                f"@computed({argument}:) speaks of {column!r}, which is no column of {source.name}",
                use.spot_of(argument),
                f"did you mean {near}?" if near else "SQL needs the names of columns, not of fields",
            )
            return None
    return text


def _statements(
    owner: Table, column: str, source: Table, key: ForeignKey, text: str, where: str | None
) -> Iterator[tuple[str, str]]:
    name = owner.name.name
    compute = QName(owner.name.schema, default_name(name, (column,), "compute"))
    spread = QName(owner.name.schema, default_name(name, (column,), "spread"))
    settings = (
        f"SECURITY DEFINER SET search_path TO 'pg_catalog', {quote_literal(owner.name.schema)}, 'pg_temp'"
        " SET row_security TO 'off'"
    )
    yield (
        "function",
        f"CREATE FUNCTION {qualified(compute)}() RETURNS trigger LANGUAGE plpgsql {settings}\n"
        f"AS $wesley$\n"
        f"#variable_conflict use_column\n"
        f"BEGIN\n"
        f"  NEW.{quote_ident(column)} := {_value(source, key, text, where, 'NEW')};\n"
        f"  RETURN NEW;\n"
        f"END\n"
        f"$wesley$",
    )
    yield "function", _spread(owner, column, key, spread, settings)
    watched = ", ".join(quote_ident(item) for item in (column, *key.referenced_columns))
    yield (
        "trigger",
        f"CREATE TRIGGER {quote_ident(compute.name)} BEFORE INSERT OR UPDATE OF {watched} ON {qualified(owner.name)} "
        f"FOR EACH ROW EXECUTE FUNCTION {qualified(compute)}()",
    )
    for event, rows in (
        ("insert", "REFERENCING NEW TABLE AS new_rows "),
        ("update", "REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows "),
        ("delete", "REFERENCING OLD TABLE AS old_rows "),
        ("truncate", ""),
    ):
        trigger = default_name(name, (column,), event)
        yield (
            "trigger",
            f"CREATE TRIGGER {quote_ident(trigger)} AFTER {event.upper()} ON {qualified(source.name)} {rows}"
            f"FOR EACH STATEMENT EXECUTE FUNCTION {qualified(spread)}()",
        )


def _spread(owner: Table, column: str, key: ForeignKey, name: QName, settings: str) -> str:
    mine = ", ".join(f"c.{quote_ident(item)}" for item in key.columns)
    theirs = ", ".join(f"o.{quote_ident(item)}" for item in key.referenced_columns)
    row = f"({theirs})" if len(key.columns) > 1 else theirs
    set_again = f"UPDATE {qualified(owner.name)} AS o SET {quote_ident(column)} = o.{quote_ident(column)}"
    cases = "".join(_case(event, rows, owner, mine, theirs, row, set_again) for event, rows in _EVENTS)
    return (
        f"CREATE FUNCTION {qualified(name)}() RETURNS trigger LANGUAGE plpgsql {settings}\n"
        f"AS $wesley$\n"
        f"BEGIN\n"
        f"  -- Locked in one order everywhere: two transactions that touch the same rows wait, and never deadlock.\n"
        f"{cases}"
        f"  ELSE\n"
        f"    {set_again};\n"
        f"  END IF;\n"
        f"  RETURN NULL;\n"
        f"END\n"
        f"$wesley$"
    )


_EVENTS: Sequence[tuple[str, Sequence[str]]] = (
    ("INSERT", ("new_rows",)),
    ("UPDATE", ("old_rows", "new_rows")),
    ("DELETE", ("old_rows",)),
)


def _case(event: str, rows: Sequence[str], owner: Table, mine: str, theirs: str, row: str, set_again: str) -> str:
    keys = " UNION ".join(f"SELECT {mine} FROM {name} AS c" for name in rows)
    word = "IF" if event == "INSERT" else "ELSIF"
    return (
        f"  {word} TG_OP = '{event}' THEN\n"
        f"    PERFORM FROM {qualified(owner.name)} AS o WHERE {row} IN ({keys})\n"
        f"      ORDER BY {theirs} FOR NO KEY UPDATE;\n"
        f"    {set_again}\n"
        f"      WHERE {row} IN ({keys});\n"
    )
