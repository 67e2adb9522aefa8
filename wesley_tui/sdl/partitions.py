"""Partitioned tables, partitions, plain inheritance: keys and bounds, and whether parents and children fit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from wesley_tui.catalog.model import PrimaryKey, QName, Table, Unique
from wesley_tui.catalog.naming import quote_ident, quote_literal
from wesley_tui.sdl.drafts import TableDraft
from wesley_tui.sdl.environment import Environment
from wesley_tui.sdl.expressions import sql_spot
from wesley_tui.sdl.issues import Issue, Issues, Spot
from wesley_tui.sdl.key_names import open_column
from wesley_tui.sdl.names import nearest, split_name
from wesley_tui.sdl.sqltext import SqlError, parse_one
from wesley_tui.sdl.syntax import Definition, Value
from wesley_tui.sdl.units import Unit
from wesley_tui.sdl.usage import Use

__all__ = ["Placement", "hierarchy_issues", "placement", "split_list"]

_WORDS = ("MINVALUE", "MAXVALUE")
_TOKEN = re.compile(r"""[eE]?'(?:[^'\\]|\\.|'')*'|"(?:[^"]|"")*"|.""", re.DOTALL)


def split_list(text: str) -> list[str]:
    """``a, f(b, c), 'x,y'`` → its parts: split at commas outside of parentheses and quotes."""
    parts, depth = [""], 0
    for token in _TOKEN.findall(text):
        if token == "," and depth == 0:
            parts.append("")
            continue
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(token, 0)
        parts[-1] += token
    return [part.strip() for part in parts]


def partition_key(
    use: Use, fields: Mapping[str, str], columns: Mapping[str, object], issues: Issues, *, open_columns: bool
) -> str | None:
    """``RANGE (created_at)``, as ``pg_get_partkeydef()`` prints it; None, with errors, when it cannot be."""
    strategy = use.get("strategy", "RANGE")
    keys = []
    for number, name in enumerate(use.get("by")):
        column = fields.get(name, name)
        if column in columns:
            keys.append(quote_ident(column))
            continue
        if open_columns and re.fullmatch(r'\w+|"(?:[^"]|"")+"', name):
            keys.append(quote_ident(open_column(name)))
            continue
        try:
            tree = parse_one("CREATE TABLE t () PARTITION BY RANGE (", name, ")")
        except SqlError as error:
            issues.error("wrong-sql", f"@partition(by:): {error}", sql_spot(use, "by", error.offset, number))
            return None
        elements = tree["stmts"][0]["stmt"]["CreateStmt"]["partspec"]["partParams"]
        unknown = [
            element["PartitionElem"]["name"]
            for element in elements
            if not open_columns
            and "name" in element["PartitionElem"]
            and element["PartitionElem"]["name"] not in columns
        ]
        if unknown:
            near = nearest(unknown[0], [*fields, *columns])
            issues.error(
                "unknown-column",
                f"the partition key names {unknown[0]!r}, which is no column of the table",
                sql_spot(use, "by", 0, number),
                f"did you mean {near}?" if near else "",
            )
            return None
        keys.append(name.strip())
    if not keys:
        issues.error("missing-argument", "@partition needs at least one key", use.spot_of("by"))
        return None
    if strategy == "LIST" and len(keys) > 1:
        issues.error("wrong-argument", "a list partition has one key in PostgreSQL", use.spot_of("by"))
    return f"{strategy} ({', '.join(keys)})"


class Placement(NamedTuple):
    """Where a table stands among others: how it is partitioned, and whose child it is."""

    partition_by: str | None = None
    partition_of: QName | None = None
    partition_bound: str | None = None
    inherits: tuple[QName, ...] = ()


def placement(
    uses: Mapping[str, list[Use]],
    columns: Mapping[str, object],
    fields: Mapping[str, str],
    environment: Environment,
    issues: Issues,
) -> Placement:
    """``@partition``, ``@partitionOf`` and ``@inherits`` of a type, understood."""
    result = Placement()
    child = "partitionOf" in uses
    if "partition" in uses:
        key = partition_key(uses["partition"][0], fields, columns, issues, open_columns=child or "inherits" in uses)
        result = result._replace(partition_by=key)
    if child:
        use = uses["partitionOf"][0]
        parent = _parent(use, "parent", use.get("parent"), environment, issues)
        result = result._replace(partition_of=parent, partition_bound=partition_bound(use, issues))
        if "inherits" in uses:
            issues.error(
                "wrong-parent", "a partition inherits from its parent alone", uses["inherits"][0].spot, "keep one"
            )
    elif "inherits" in uses:
        use = uses["inherits"][0]
        found = [_parent(use, "from", text, environment, issues) for text in use.get("from")]
        result = result._replace(inherits=tuple(name for name in found if name is not None))
    return result


def _parent(use: Use, argument: str, text: str, environment: Environment, issues: Issues) -> QName | None:
    name = parent_name(text, environment)
    if name is None:
        issues.error(
            "wrong-reference", f"{text!r} names no table", use.spot_of(argument), '"Type", "table" or "schema.table"'
        )
    elif text[:1].isupper() and name.name == text and environment.type(text) is None:
        near = environment.nearest_type(text)
        issues.error(
            "unknown-type",
            f"the parent {text!r} is no type of this schema",
            use.spot_of(argument),
            f"did you mean {near}?" if near else 'for an undeclared table write "schema.table"',
        )
        return None
    return name


def parent_name(text: str, environment: Environment) -> QName | None:
    """The table that a type's name or an SQL name means; None when it is no name."""
    info = environment.type(text)
    if info is not None and info.kind in ("table", "dropped") and info.name is not None:
        return info.name
    try:
        parts, listed = split_name(text)
    except ValueError:
        return None
    if listed is not None or not 1 <= len(parts) <= 2:
        return None
    return QName(parts[0], parts[1]) if len(parts) == 2 else QName("public", parts[0])


def partition_bound(use: Use, issues: Issues) -> str | None:
    """``FOR VALUES FROM (…) TO (…)`` or ``DEFAULT``; None, with an error, when the arguments say none or several."""
    said = [
        name
        for name, arguments in {
            "from and to": ("from", "to"),
            "in": ("in",),
            "modulus and remainder": ("modulus", "remainder"),
            "default": ("default",),
            "bound": ("bound",),
        }.items()
        if any(argument in use.values for argument in arguments)
    ]
    if len(said) != 1:
        issues.error(
            "wrong-bound",
            f"@partitionOf needs one bound, and has {' and '.join(said) if said else 'none'}",
            use.spot,
            "from and to (range), in (list), modulus and remainder (hash), or default: true",
        )
        return None
    if said[0] == "default":
        if not use.get("default"):
            issues.error("wrong-bound", "default: false is no bound", use.spot_of("default"))
            return None
        return "DEFAULT"
    if said[0] == "bound":
        text: str = use.get("bound")
        try:
            parse_one("CREATE TABLE t PARTITION OF p ", text, "")
        except SqlError as error:
            issues.error("wrong-sql", f"@partitionOf(bound:): {error}", sql_spot(use, "bound", error.offset))
            return None
        return text.strip()
    if said[0] == "in":
        return _texts(use, "in", "FOR VALUES IN ({})", issues)
    if said[0] == "modulus and remainder":
        modulus, remainder = use.get("modulus"), use.get("remainder")
        if modulus is None or remainder is None or not 0 <= remainder < modulus:
            issues.error(
                "wrong-bound", "a hash partition has a modulus, and a remainder from 0 to less than it", use.spot
            )
            return None
        return f"FOR VALUES WITH (modulus {modulus}, remainder {remainder})"
    if "from" not in use.values or "to" not in use.values:
        issues.error(
            "wrong-bound", "a range partition has both from and to", use.spot, "MINVALUE and MAXVALUE are open"
        )
        return None
    lower, upper = _texts(use, "from", "({})", issues), _texts(use, "to", "({})", issues)
    return None if lower is None or upper is None else f"FOR VALUES FROM {lower} TO {upper}"


def _texts(use: Use, argument: str, form: str, issues: Issues) -> str | None:
    value = use.values[argument]
    items: Sequence[Value] = value.value if value.kind == "list" else (value,)
    texts = []
    for item in items:
        text = _literal(item)
        if text is None:
            issues.error(
                "wrong-bound",
                f"{'an object' if item.kind == 'object' else item.value} is no bound of a partition",
                use.spot_of(argument)._replace(at=item.at),
                'a number, a text in quotes, true, false, null, MINVALUE or MAXVALUE; anything else: bound: "FOR …"',
            )
            return None
        texts.append(text)
    return form.format(", ".join(texts)) if texts else None


def _literal(value: Value) -> str | None:
    """As ``get_range_partbound_string()`` prints constants: numbers bare, unless they are negative."""
    if value.kind == "string":
        return quote_literal(value.value)
    if value.kind in ("int", "float"):
        return f"'{value.value}'" if value.value.startswith("-") else str(value.value)
    if value.kind == "boolean":
        return "true" if value.value else "false"
    if value.kind == "null":
        return "NULL"
    if value.kind == "enum" and value.value in _WORDS:
        return str(value.value)
    return None


# -- parents and children -------------------------------------------------------------------------------------------

_FORMS: Mapping[str, str] = {"RANGE": "FOR VALUES FROM", "LIST": "FOR VALUES IN", "HASH": "FOR VALUES WITH"}


def hierarchy_issues(drafts: Sequence[tuple[Unit, TableDraft]]) -> Iterator[tuple[tuple[Definition, ...], Issue]]:
    """What does not fit between parents and children: unknown parents, circles, bounds of another strategy."""
    children = [(unit, draft) for unit, draft in drafts if draft.table.partition_of or draft.table.inherits]
    partitioned = [(unit, draft) for unit, draft in drafts if draft.table.partition_by]
    tables = {draft.name: draft.table for _, draft in drafts if not draft.dropped} if children or partitioned else {}
    for unit, draft in partitioned:
        issues = Issues()
        _check_keys(draft, tables, issues)
        for issue in issues:
            yield unit.parts, issue
    for unit, draft in children:
        issues = Issues()
        _check_parents(draft, tables, issues)
        for issue in issues:
            yield unit.parts, issue


def _check_keys(draft: TableDraft, tables: Mapping[QName, Table], issues: Issues) -> None:
    """PostgreSQL makes a key unique in each partition only, so that it has to contain what tells them apart."""
    key = split_list((draft.table.partition_by or "").partition(" ")[2].strip()[1:-1])
    owner: Table | None = draft.table
    seen: set[QName] = set()
    while owner is not None and owner.name not in seen:
        seen.add(owner.name)
        keys = [(item.name, item.columns) for item in owner.constraints if isinstance(item, PrimaryKey | Unique)]
        keys += [
            (index.name, tuple(item.column or "" for item in index.keys)) for index in owner.indexes if index.unique
        ]
        for name, columns in keys:
            missing = [part for part in key if part not in [quote_ident(column) for column in columns if column]]
            if missing:
                issues.error(
                    "partition-key",
                    f"{name!r} of {owner.name} is unique, and does not contain {', '.join(missing)}, by which "
                    f"{draft.name} is partitioned: PostgreSQL refuses that",
                    draft.spots.get("partition", draft.spots[""]),
                    "add it to the key; with an expression in the partition key nothing can be unique",
                )
        owner = tables.get(owner.partition_of) if owner.partition_of is not None else None


def _check_parents(draft: TableDraft, tables: Mapping[QName, Table], issues: Issues) -> None:
    table, spot = draft.table, draft.spots.get("parent", draft.spots[""])
    parents = (table.partition_of,) if table.partition_of is not None else table.inherits
    for name in parents:
        parent = tables.get(name)
        if parent is None:
            near = nearest(name.name, [other.name for other in tables])
            issues.warn(
                "undeclared-reference",
                f"{name} is not declared here: the parent is taken as written, and the table must exist",
                spot,
                f"did you mean {near}?" if near else "",
            )
        elif table.partition_of is None:
            if parent.partition_by is not None or parent.partition_of is not None:
                issues.error(
                    "wrong-parent",
                    f"{name} is partitioned, or a partition: PostgreSQL lets no table inherit from it",
                    spot,
                    "write @partitionOf",
                )
        elif parent.partition_by is None:
            issues.error(
                "wrong-parent",
                f"{name} is not partitioned, so {table.name} cannot be a partition of it",
                spot,
                "give the parent @partition(by: …)",
            )
        else:
            _check_bound(table, parent, spot, issues)
            columns = {column.name for column in parent.columns}
            for field, column in draft.fields.items():
                if columns and column not in columns:
                    issues.error(
                        "unknown-column",
                        f"{table.name} is a partition and has the columns of {name}: {field!r} is none of them",
                        draft.spots.get(f"column {column}", spot),
                        "a partition needs no fields; declare the column on its parent",
                    )
    seen, above = {table.name}, list(parents)
    while above:
        name = above.pop()
        if name in seen and name == table.name:
            issues.error("circular-parent", f"{table.name} would be its own parent", spot, "take one of them away")
            return
        if name not in seen and name in tables:
            seen.add(name)
            other = tables[name]
            above += [other.partition_of] if other.partition_of is not None else other.inherits


def _check_bound(table: Table, parent: Table, spot: Spot, issues: Issues) -> None:
    strategy, _, rest = (parent.partition_by or "").partition(" ")
    bound = table.partition_bound
    if bound is None:
        return
    if bound == "DEFAULT":
        if strategy == "HASH":
            issues.error("wrong-bound", "a hash partitioned table has no default partition", spot)
        return
    form = _FORMS.get(strategy.upper(), "")
    if not bound.upper().startswith(form):
        wanted = {"RANGE": "from and to", "LIST": "in", "HASH": "modulus and remainder"}.get(strategy.upper(), "")
        issues.error(
            "wrong-bound",
            f"{parent.name} is partitioned by {strategy.lower()}, and {table.name} says {bound}",
            spot,
            f"@partitionOf(parent: …, {wanted}: …)",
        )
    elif strategy.upper() == "RANGE":
        count = len(split_list(rest.strip()[1:-1]))
        lower = bound[len("FOR VALUES FROM ") :].partition(" TO ")[0]
        given = len(split_list(lower.strip()[1:-1]))
        if count != given:
            issues.error(
                "wrong-bound", f"the key of {parent.name} has {count} column(s), and the bound speaks of {given}", spot
            )
