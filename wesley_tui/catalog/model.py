"""The records of a catalog: what a database holds, or ought to hold.

A :class:`Catalog` is made in two ways, by compiling SDL (:mod:`wesley_tui.sdl.compile`) and by reading a live
database (:mod:`wesley_tui.catalog.introspect`). Both sides write the same canonical spelling, so that equality of
records is equality of meaning wherever a spelling can be made canonical:

* a **type** is the text that ``format_type()`` prints with an empty ``search_path``
  (``character varying(20)``, ``public.mood``, ``bigint[]``), see :mod:`wesley_tui.catalog.types`;
* an **expression** (default, check, predicate, policy) is SQL text as ``pg_get_expr()`` prints it with an empty
  ``search_path``, or as the author wrote it; two texts are compared with
  :func:`wesley_tui.catalog.expression.same_expression`, never with ``==``;
* an absent text is ``None``, an absent list is ``()``.

Records are frozen; sequences are tuples in the order that matters to PostgreSQL (columns by position, keys by
position) or, where order has no meaning, sorted by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

__all__ = [
    "Catalog",
    "Check",
    "Column",
    "Constraint",
    "Enum",
    "Exclude",
    "ForeignKey",
    "Generated",
    "Identity",
    "Index",
    "IndexKey",
    "Policy",
    "PrimaryKey",
    "QName",
    "ReferentialAction",
    "Table",
    "Unique",
    "UnmanagedObject",
]


class QName(NamedTuple):
    """A schema-qualified name, unquoted, exactly as stored in ``pg_class``/``pg_type``."""

    schema: str
    name: str

    def __str__(self) -> str:
        """``schema.name`` for people and for the keys of JSON; not SQL (see ``naming.qualified``)."""
        return f"{self.schema}.{self.name}"


Identity = Literal["always", "by default"]
ReferentialAction = Literal["no action", "restrict", "cascade", "set null", "set default"]


@dataclass(frozen=True, slots=True)
class Generated:
    """``GENERATED ALWAYS AS (expression)``; ``virtual`` exists since PostgreSQL 18."""

    expression: str
    kind: Literal["stored", "virtual"] = "stored"


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: str
    not_null: bool = False
    default: str | None = None
    identity: Identity | None = None
    generated: Generated | None = None
    collation: QName | None = None
    """Only when it differs from the collation of the type."""
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class PrimaryKey:
    name: str
    columns: tuple[str, ...]
    include: tuple[str, ...] = ()
    deferrable: bool = False
    initially_deferred: bool = False
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class Unique:
    name: str
    columns: tuple[str, ...]
    include: tuple[str, ...] = ()
    nulls_not_distinct: bool = False
    """PostgreSQL 15 and later."""
    deferrable: bool = False
    initially_deferred: bool = False
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class ForeignKey:
    name: str
    columns: tuple[str, ...]
    references: QName
    referenced_columns: tuple[str, ...]
    on_update: ReferentialAction = "no action"
    on_delete: ReferentialAction = "no action"
    on_delete_columns: tuple[str, ...] = ()
    """The column list of ``ON DELETE SET NULL (a, b)``, PostgreSQL 15 and later."""
    match_full: bool = False
    deferrable: bool = False
    initially_deferred: bool = False
    validated: bool = True
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    expression: str
    """The condition alone, without ``CHECK (…)``."""
    no_inherit: bool = False
    validated: bool = True
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class Exclude:
    name: str
    method: str
    elements: tuple[tuple[IndexKey, str], ...]
    """Each key with its operator, ``(IndexKey("during"), "&&")``."""
    where: str | None = None
    deferrable: bool = False
    initially_deferred: bool = False
    comment: str | None = None


Constraint = PrimaryKey | Unique | ForeignKey | Check | Exclude


@dataclass(frozen=True, slots=True)
class IndexKey:
    """One key of an index: a column (``column``) or an expression (``expression``), never both."""

    column: str | None = None
    expression: str | None = None
    opclass: str | None = None
    """Only when it is not the default operator class of the type; schema-qualified unless in ``pg_catalog``."""
    collation: QName | None = None
    """Only when it differs from the collation of the column."""
    descending: bool = False
    nulls_first: bool | None = None
    """``None`` means the default: last when ascending, first when descending."""


@dataclass(frozen=True, slots=True)
class Index:
    """An index that no constraint owns; those of constraints are part of their constraint."""

    name: str
    keys: tuple[IndexKey, ...]
    method: str = "btree"
    unique: bool = False
    include: tuple[str, ...] = ()
    nulls_not_distinct: bool = False
    where: str | None = None
    options: tuple[tuple[str, str], ...] = ()
    """Storage parameters, sorted by name."""
    valid: bool = True
    """``indisvalid``: false after a CREATE INDEX CONCURRENTLY that did not finish."""
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    name: str
    command: Literal["all", "select", "insert", "update", "delete"] = "all"
    permissive: bool = True
    roles: tuple[str, ...] = ("public",)
    """Sorted; ``public`` alone means everybody."""
    using: str | None = None
    check: str | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    name: QName
    columns: tuple[Column, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    """Sorted by name."""
    indexes: tuple[Index, ...] = ()
    """Sorted by name."""
    policies: tuple[Policy, ...] = ()
    """Sorted by name."""
    rls_enabled: bool = False
    rls_forced: bool = False
    unlogged: bool = False
    tablespace: str | None = None
    options: tuple[tuple[str, str], ...] = ()
    """Storage parameters (``WITH (fillfactor=70)``), sorted by name."""
    comment: str | None = None

    def column(self, name: str) -> Column | None:
        return next((column for column in self.columns if column.name == name), None)

    def constraint(self, name: str) -> Constraint | None:
        return next((constraint for constraint in self.constraints if constraint.name == name), None)

    def index(self, name: str) -> Index | None:
        return next((index for index in self.indexes if index.name == name), None)

    @property
    def primary_key(self) -> PrimaryKey | None:
        return next((item for item in self.constraints if isinstance(item, PrimaryKey)), None)

    @property
    def foreign_keys(self) -> Iterator[ForeignKey]:
        return (item for item in self.constraints if isinstance(item, ForeignKey))


@dataclass(frozen=True, slots=True)
class Enum:
    name: QName
    labels: tuple[str, ...]
    """In sort order (``pg_enum.enumsortorder``)."""
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class UnmanagedObject:
    """Something that the catalog saw and has no record for: listed for people, left alone by plans."""

    kind: str
    """PostgreSQL's word: ``view``, ``function``, ``sequence``, ``partitioned table`` …"""
    name: QName


@dataclass(frozen=True, slots=True)
class Catalog:
    """A set of schema objects. Mappings are never mutated after construction."""

    schemas: frozenset[str] = frozenset()
    tables: Mapping[QName, Table] = field(default_factory=dict)
    enums: Mapping[QName, Enum] = field(default_factory=dict)
    unmanaged: tuple[UnmanagedObject, ...] = ()
