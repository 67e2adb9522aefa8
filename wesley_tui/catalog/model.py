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
    "Grant",
    "Identity",
    "Index",
    "IndexKey",
    "ObjectKind",
    "Policy",
    "PrimaryKey",
    "QName",
    "Ref",
    "ReferentialAction",
    "SchemaDetails",
    "SqlObject",
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
    storage: str | None = None
    """``plain``, ``external`` … only when it differs from the type's."""
    compression: str | None = None
    """``pglz`` or ``lz4``; None follows ``default_toast_compression``."""
    statistics: int | None = None
    """``SET STATISTICS``; None is the default target."""
    options: tuple[tuple[str, str], ...] = ()
    """``n_distinct`` …, sorted by name."""
    not_null_name: str | None = None
    """PostgreSQL 18: only when NOT NULL has a name that the server would not have chosen."""
    not_null_comment: str | None = None
    """PostgreSQL 18: of the NOT NULL constraint."""
    identity_options: tuple[tuple[str, str], ...] = ()
    """``start``, ``increment`` … of an identity column, see :mod:`wesley_tui.catalog.identity`."""
    identity_sequence: QName | None = None
    """Only when the sequence of an identity column has a name that the server would not have chosen."""


@dataclass(frozen=True, slots=True)
class PrimaryKey:
    name: str
    columns: tuple[str, ...]
    include: tuple[str, ...] = ()
    deferrable: bool = False
    initially_deferred: bool = False
    comment: str | None = None
    without_overlaps: bool = False
    """PostgreSQL 18: of the last column."""
    options: tuple[tuple[str, str], ...] = ()
    """Storage parameters of its index, sorted by name."""
    tablespace: str | None = None


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
    without_overlaps: bool = False
    """PostgreSQL 18: of the last column."""
    options: tuple[tuple[str, str], ...] = ()
    """Storage parameters of its index, sorted by name."""
    tablespace: str | None = None


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
    enforced: bool = True
    """PostgreSQL 18: false is NOT ENFORCED; ``validated`` says nothing then, and is true."""
    period: bool = False
    """PostgreSQL 18: the last column is ``PERIOD``."""


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    expression: str
    """The condition alone, without ``CHECK (…)``."""
    no_inherit: bool = False
    validated: bool = True
    comment: str | None = None
    enforced: bool = True
    """PostgreSQL 18: false is NOT ENFORCED."""


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
    options: tuple[tuple[str, str], ...] = ()
    """Storage parameters of its index, sorted by name."""
    tablespace: str | None = None


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
    statistics: int | None = None
    """Of an expression: ``SET STATISTICS``; None is the default target."""


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
    tablespace: str | None = None


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
    depends_on: tuple[Ref, ...] = field(default=(), compare=False)
    """What its conditions need beside its own table, sorted; not compared."""


@dataclass(frozen=True, slots=True)
class Grant:
    """One privilege of one role on one object: a line of ``aclexplode()``."""

    grantee: str
    """A role, or ``public``."""
    privilege: str
    """``SELECT``, ``USAGE``, ``EXECUTE`` … in capitals."""
    grantable: bool = False
    column: str | None = None
    """For a privilege on one column of a table or view."""
    revoked: bool = False
    """The opposite: a privilege that PUBLIC has unless told otherwise (EXECUTE on functions, USAGE on types), and was
    taken away."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table, a partitioned table or a partition.

    What a table has from its parents is left out of its record, so that the parents' declaration governs. A *partition*
    has no columns of its own at all, and only those constraints, indexes and policies that were made on it alone (an
    attached index belongs to its parent). A child of plain *inheritance* has the columns that it declares itself or
    that differ from the inherited ones, and the constraints that it declares itself.
    """

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
    partition_by: str | None = None
    """Of a partitioned table: ``RANGE (created_at)``, as ``pg_get_partkeydef()`` prints it."""
    partition_of: QName | None = None
    partition_bound: str | None = None
    """Of a partition: ``FOR VALUES FROM (…) TO (…)``, ``DEFAULT``, as ``pg_get_expr(relpartbound)`` prints it."""
    inherits: tuple[QName, ...] = ()
    """Parents of plain inheritance, in order."""
    replica_identity: str | None = None
    """``full``, ``nothing`` or the name of an index; None is the default, the primary key."""
    access_method: str | None = None
    """Only when it is not ``heap``."""
    clustered_on: str | None = None
    """``CLUSTER ON``: the index that CLUSTER without one follows."""
    grants: tuple[Grant, ...] = ()
    """Sorted; only what differs from the owner's own privileges."""
    attached: tuple[tuple[str, str, str], ...] = field(default=(), compare=False)
    """What it has from its parent under a name of its own, sorted: ``index`` (those of constraints too), ``foreign
    key`` or ``not null``, its own name, the parent's (for ``not null`` the column). Not compared."""
    depends_on: tuple[Ref, ...] = field(default=(), compare=False)
    """What its columns, constraints and indexes need beside the tables that it references: types, functions, sequences,
    extensions. Sorted; not compared."""

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
    grants: tuple[Grant, ...] = ()


ObjectKind = Literal[
    "extension",
    "sequence",
    "domain",
    "composite type",
    "range type",
    "function",
    "procedure",
    "aggregate",
    "view",
    "materialized view",
    "trigger",
    "rule",
    "statistics",
    "publication",
    "event trigger",
    "default privileges",
    "collation",
    "text search dictionary",
    "text search configuration",
    "operator",
    "operator family",
    "operator class",
    "cast",
    "foreign-data wrapper",
    "server",
    "foreign table",
    "other",
]
"""PostgreSQL's words. ``other`` is a statement that is run and compared as text: what ``@sql`` declares."""


class Ref(NamedTuple):
    """Names an object: ``Ref("function", "public.f(integer)")``, ``Ref("column", "public.t.c")``,
    ``Ref("trigger", "t_audit ON public.t")``. Names are not quoted, as in :meth:`QName.__str__`."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class SqlObject:
    """An object that is kept as the SQL that makes it: everything but tables, their parts, and enums, which have
    records of their own because plans take them apart.

    Two of them are the same when their statements mean the same (``catalog.statement.same_statement``), not when they
    are spelled the same.
    """

    kind: ObjectKind
    name: QName
    """The schema is empty for what belongs to the database: extensions, publications, event triggers, servers; a cast
    has no name either."""
    statements: tuple[str, ...]
    """Create it where it is absent, in order; the first is the CREATE, the others set what CREATE cannot
    (``ALTER TABLE … DISABLE TRIGGER``). Comments, grants and the indexes of a materialized view are not among them."""
    arguments: str | None = None
    """Of routines, aggregates and operators: the identity arguments, ``integer, text``; of operator classes and
    families the access method, of casts ``text AS integer``; None for all else."""
    relation: QName | None = None
    """Of triggers and rules: the table or view that carries it."""
    owned_by: tuple[QName, str] | None = None
    """Of a sequence: the column it belongs to."""
    comment: str | None = None
    grants: tuple[Grant, ...] = ()
    """Sorted; only what differs from the owner's and the kind's default privileges."""
    indexes: tuple[Index, ...] = ()
    """Of a materialized view, sorted by name."""
    columns: tuple[str, ...] = ()
    """Output columns of a view or materialized view, in order, when they are known."""
    part_comments: tuple[tuple[str, str], ...] = ()
    """Comments on its parts, sorted: columns of views, materialized views, composite types, constraints of domains."""
    depends_on: tuple[Ref, ...] = field(default=(), compare=False)
    """What must exist before it, sorted: from ``pg_depend`` on the live side, from parsing on the declared side. Not
    compared."""
    drop: str | None = field(default=None, compare=False)
    """Of ``other``: the statement that takes it away, when its author said one."""

    @property
    def ref(self) -> Ref:
        if self.arguments is not None:
            name = str(self.name) if self.name.schema else self.name.name
            return Ref(self.kind, f"{name}({self.arguments})")
        if self.relation is not None:
            return Ref(self.kind, f"{self.name.name} ON {self.relation}")
        return Ref(self.kind, str(self.name) if self.name.schema else self.name.name)


@dataclass(frozen=True, slots=True)
class SchemaDetails:
    """What a schema has beside its name."""

    comment: str | None = None
    grants: tuple[Grant, ...] = ()


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
    objects: Mapping[Ref, SqlObject] = field(default_factory=dict)
    """Everything else, by :attr:`SqlObject.ref`."""
    schema_details: Mapping[str, SchemaDetails] = field(default_factory=dict)
    """Only of schemas that have a comment or grants."""
