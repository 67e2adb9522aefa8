"""What the dialect has words for: the scalar of a PostgreSQL type, and whether an object can be said at all."""

from __future__ import annotations

import re

from wesley_tui.catalog.model import Check, Enum, Exclude, ForeignKey, Table
from wesley_tui.sdl.directives import SCALARS
from wesley_tui.sdl.names import SYSTEM_COLUMNS
from wesley_tui.sdl.sqltext import SqlError, parse_expression

__all__ = ["inexpressible", "scalar_of"]

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_BY_TYPE = {sql: name for name, sql in SCALARS.items() if name != "ID"}
_FAMILIES = (
    (re.compile(r"numeric|money"), "Decimal"),
    (re.compile(r"smallint"), "Int"),
    (re.compile(r"real"), "Float"),
    (re.compile(r"timestamp"), "DateTime"),
    (re.compile(r"time"), "Time"),
    (re.compile(r"json"), "JSON"),
    (re.compile(r"macaddr8"), "MacAddr"),
)


def scalar_of(sql_type: str, *, is_key: bool = False) -> tuple[str, bool]:
    """(scalar, whether it says the whole type); what is not exact also needs ``@type(name:)``."""
    exact = _BY_TYPE.get(sql_type)
    if exact is not None:
        return ("ID" if exact == "UUID" and is_key else exact), True
    for pattern, scalar in _FAMILIES:
        if pattern.match(sql_type):
            return scalar, False
    return "String", False


def inexpressible(item: Table | Enum) -> str | None:
    """Why the dialect has no way to write this object; None when it has."""
    if isinstance(item, Enum):
        names = [*item.name, *item.labels]
        if not item.labels:
            return "an enum without labels"
    else:
        names = _names(item)
        if not item.columns and item.partition_of is None and not item.inherits:
            return "a table without columns"
        for text in _expressions(item):
            try:
                parse_expression(text)
            except SqlError as error:
                return f"an expression that PostgreSQL's grammar does not read: {error}"
    if any(_CONTROL.search(name) for name in names):
        return "a name with control characters"
    return None


def _names(table: Table) -> list[str]:
    names = [*table.name, *(column.name for column in table.columns if column.name not in SYSTEM_COLUMNS)]
    for constraint in table.constraints:
        names.append(constraint.name)
        if isinstance(constraint, ForeignKey):
            names += [*constraint.references, *constraint.referenced_columns]
    names += [index.name for index in table.indexes]
    for policy in table.policies:
        names += [policy.name, *policy.roles]
    return names


def _expressions(table: Table) -> list[str]:
    texts: list[str | None] = []
    for column in table.columns:
        texts += [column.default, column.generated.expression if column.generated else None]
    for constraint in table.constraints:
        if isinstance(constraint, Check):
            texts.append(constraint.expression)
        if isinstance(constraint, Exclude):
            texts += [constraint.where, *(key.expression for key, _ in constraint.elements)]
    for index in table.indexes:
        texts += [index.where, *(key.expression for key in index.keys)]
    for policy in table.policies:
        texts += [policy.using, policy.check]
    return [text for text in texts if text is not None]
