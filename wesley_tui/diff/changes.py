"""A change is a difference between two catalogs, told as data.

Changes say *what* differs, in PostgreSQL's words; *how* to get there without hurting anybody (concurrently, NOT VALID,
backfill …) is the planner's business. Every change is frozen, names its object, and carries the records it needs, so
that a plan can be made without looking anything up again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from wesley_tui.catalog.model import (
    Column,
    Constraint,
    Enum,
    Exclude,
    Grant,
    Index,
    Policy,
    PrimaryKey,
    QName,
    Ref,
    SqlObject,
    Table,
    Unique,
)

__all__ = [
    "AddColumn",
    "AddConstraint",
    "AddEnumLabel",
    "AlterColumnType",
    "AttachPartition",
    "Change",
    "ChangeClustering",
    "ChangeColumnDefault",
    "ChangeColumnGenerated",
    "ChangeColumnIdentity",
    "ChangeColumnNotNull",
    "ChangeColumnSetting",
    "ChangeComment",
    "ChangeConstraintStorage",
    "ChangeEnumLabels",
    "ChangeGrants",
    "ChangeIdentityOptions",
    "ChangeIndexStatistics",
    "ChangeInheritance",
    "ChangeObjectComment",
    "ChangePartitionBound",
    "ChangePolicy",
    "ChangeReplicaIdentity",
    "ChangeRowSecurity",
    "ChangeSequenceOwner",
    "ChangeTableOptions",
    "ChangeTablePersistence",
    "ChangeTableStorage",
    "CreateEnum",
    "CreateIndex",
    "CreateObject",
    "CreatePolicy",
    "CreateSchema",
    "CreateTable",
    "DetachPartition",
    "Diff",
    "DropColumn",
    "DropConstraint",
    "DropEnum",
    "DropIndex",
    "DropObject",
    "DropPolicy",
    "DropTable",
    "FillComputed",
    "RefuseChange",
    "RenameColumn",
    "RenameConstraint",
    "RenameEnum",
    "RenameEnumLabel",
    "RenameIndex",
    "RenameNotNull",
    "RenameQuestion",
    "RenameTable",
    "ReplaceConstraint",
    "ReplaceIndex",
    "ReplaceObject",
    "ValidateConstraint",
]


@dataclass(frozen=True, slots=True)
class CreateSchema:
    schema: str


@dataclass(frozen=True, slots=True)
class CreateTable:
    """The whole table: columns, constraints, indexes, policies, comments."""

    table: Table


@dataclass(frozen=True, slots=True)
class DropTable:
    table: Table


@dataclass(frozen=True, slots=True)
class RenameTable:
    """Name and/or schema change; everything below speaks of the table by its new name."""

    old: QName
    new: QName


@dataclass(frozen=True, slots=True)
class AddColumn:
    table: QName
    column: Column


@dataclass(frozen=True, slots=True)
class FillComputed:
    """A column that triggers compute is new, or is computed otherwise: existing rows need their value once."""

    table: QName
    column: str
    value: str
    """SQL of the value for a row ``t``."""
    triggers: tuple[Ref, ...]
    """What keeps it from then on; they stand first."""


@dataclass(frozen=True, slots=True)
class DropColumn:
    table: QName
    column: Column


@dataclass(frozen=True, slots=True)
class RenameColumn:
    table: QName
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class AlterColumnType:
    """Type or collation differ. ``old`` and ``new`` are whole columns, ``old`` already under its new name."""

    table: QName
    old: Column
    new: Column
    using: str | None = None
    """The author's own conversion: an expression over the columns of the row, by their new names."""


@dataclass(frozen=True, slots=True)
class ChangeColumnDefault:
    table: QName
    column: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class ChangeColumnNotNull:
    table: QName
    column: str
    not_null: bool
    """The wanted state."""


@dataclass(frozen=True, slots=True)
class ChangeColumnIdentity:
    table: QName
    old: Column
    new: Column


@dataclass(frozen=True, slots=True)
class ChangeColumnGenerated:
    """A generation expression was added, removed or changed."""

    table: QName
    old: Column
    new: Column


@dataclass(frozen=True, slots=True)
class AddConstraint:
    table: QName
    constraint: Constraint


@dataclass(frozen=True, slots=True)
class DropConstraint:
    table: QName
    constraint: Constraint


@dataclass(frozen=True, slots=True)
class ReplaceConstraint:
    """Same name, another definition."""

    table: QName
    old: Constraint
    new: Constraint


@dataclass(frozen=True, slots=True)
class RenameConstraint:
    """Same definition, another name."""

    table: QName
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class ValidateConstraint:
    """The live constraint is NOT VALID and nothing else differs."""

    table: QName
    constraint: Constraint


@dataclass(frozen=True, slots=True)
class CreateIndex:
    table: QName
    index: Index


@dataclass(frozen=True, slots=True)
class DropIndex:
    table: QName
    index: Index


@dataclass(frozen=True, slots=True)
class ReplaceIndex:
    """Same name, another definition, or the live one is INVALID."""

    table: QName
    old: Index
    new: Index


@dataclass(frozen=True, slots=True)
class RenameIndex:
    table: QName
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class CreateEnum:
    enum: Enum


@dataclass(frozen=True, slots=True)
class DropEnum:
    enum: Enum


@dataclass(frozen=True, slots=True)
class RenameEnum:
    old: QName
    new: QName


@dataclass(frozen=True, slots=True)
class AddEnumLabel:
    """``ALTER TYPE … ADD VALUE label [BEFORE|AFTER neighbour]``; ``neighbour`` None means at the end."""

    enum: QName
    label: str
    position: Literal["before", "after"] = "after"
    neighbour: str | None = None


@dataclass(frozen=True, slots=True)
class RenameEnumLabel:
    enum: QName
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class ChangeEnumLabels:
    """Labels were removed or reordered: needs a new type. ``users`` are the columns of that type."""

    old: Enum
    new: Enum
    users: tuple[tuple[QName, str], ...]


@dataclass(frozen=True, slots=True)
class ChangeRowSecurity:
    table: QName
    enabled: bool
    forced: bool
    was_enabled: bool
    was_forced: bool


@dataclass(frozen=True, slots=True)
class CreatePolicy:
    table: QName
    policy: Policy


@dataclass(frozen=True, slots=True)
class DropPolicy:
    table: QName
    policy: Policy


@dataclass(frozen=True, slots=True)
class ChangePolicy:
    table: QName
    old: Policy
    new: Policy


@dataclass(frozen=True, slots=True)
class ChangeTableOptions:
    """Storage parameters: ``old`` and ``new`` as in :attr:`Table.options`."""

    table: QName
    old: tuple[tuple[str, str], ...]
    new: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ChangeTablePersistence:
    table: QName
    unlogged: bool
    """The wanted state."""


@dataclass(frozen=True, slots=True)
class ChangeComment:
    """``kind`` is the word after COMMENT ON: schema, table, column, constraint, index, policy, type."""

    kind: Literal["schema", "table", "column", "constraint", "index", "policy", "type"]
    relation: QName
    """The table, or for ``type`` the type itself, for ``index`` the table that carries it, for ``schema`` its name with
    nothing after it."""
    name: str | None
    """Column, constraint, index or policy; None for a table or a type."""
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class CreateObject:
    """An object that is kept as SQL, with its comments, privileges and indexes."""

    object: SqlObject


@dataclass(frozen=True, slots=True)
class ReplaceObject:
    """Same kind and name, another definition."""

    old: SqlObject
    new: SqlObject


@dataclass(frozen=True, slots=True)
class DropObject:
    object: SqlObject


@dataclass(frozen=True, slots=True)
class ChangeObjectComment:
    """The comment of an object, or of one of its parts."""

    object: SqlObject
    part: str | None
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class ChangeSequenceOwner:
    """The sequence goes when this column goes; ``old`` and ``new`` as in :attr:`SqlObject.owned_by`."""

    sequence: QName
    old: tuple[QName, str] | None
    new: tuple[QName, str] | None


@dataclass(frozen=True, slots=True)
class ChangeGrants:
    target: str
    """What stands after ON: ``TABLE public.t``, see ``catalog.ddl_grants.grant_target``."""
    ref: Ref
    """The same as a reference, ``Ref("schema", …)`` for schemas."""
    old: tuple[Grant, ...]
    new: tuple[Grant, ...]


@dataclass(frozen=True, slots=True)
class ChangeColumnSetting:
    """One of storage, compression, statistics and options differs. ``old`` and ``new`` are whole columns."""

    table: QName
    setting: Literal["storage", "compression", "statistics", "options"]
    old: Column
    new: Column


@dataclass(frozen=True, slots=True)
class ChangeIdentityOptions:
    """How the sequence of an identity column counts, or what it is called. ``old`` and ``new`` are whole columns."""

    table: QName
    old: Column
    new: Column


@dataclass(frozen=True, slots=True)
class ChangeConstraintStorage:
    """Storage parameters or tablespace of the index of a constraint."""

    table: QName
    old: PrimaryKey | Unique | Exclude
    new: PrimaryKey | Unique | Exclude


@dataclass(frozen=True, slots=True)
class ChangeIndexStatistics:
    """How much ANALYZE collects about the expressions of an index."""

    table: QName
    old: Index
    new: Index


@dataclass(frozen=True, slots=True)
class ChangeClustering:
    """Which index CLUSTER follows."""

    table: QName
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class ChangeReplicaIdentity:
    table: QName
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class RenameNotNull:
    """PostgreSQL 18: the name of a NOT NULL constraint; None is the one that the server chooses."""

    table: QName
    column: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class ChangeTableStorage:
    """Where and how the rows lie: tablespace or access method. Either writes the table anew."""

    table: QName
    setting: Literal["tablespace", "access method"]
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class ChangeInheritance:
    """Parents of plain inheritance."""

    table: QName
    old: tuple[QName, ...]
    new: tuple[QName, ...]


@dataclass(frozen=True, slots=True)
class AttachPartition:
    """A table that stands alone becomes a partition."""

    old: Table
    new: Table


@dataclass(frozen=True, slots=True)
class DetachPartition:
    """A partition becomes a table of its own."""

    old: Table
    new: Table


@dataclass(frozen=True, slots=True)
class ChangePartitionBound:
    old: Table
    new: Table


@dataclass(frozen=True, slots=True)
class RefuseChange:
    """A difference that no statement of PostgreSQL makes without loss: the plan says so, and stops there."""

    object: str
    """``schema.name`` of what differs."""
    why: str


Change = (
    AttachPartition
    | ChangeClustering
    | ChangeConstraintStorage
    | ChangeIdentityOptions
    | ChangeIndexStatistics
    | ChangeColumnSetting
    | ChangeGrants
    | ChangeInheritance
    | ChangeObjectComment
    | ChangePartitionBound
    | ChangeReplicaIdentity
    | ChangeSequenceOwner
    | ChangeTableStorage
    | CreateObject
    | DetachPartition
    | DropObject
    | RefuseChange
    | RenameNotNull
    | ReplaceObject
    | CreateSchema
    | CreateTable
    | DropTable
    | RenameTable
    | AddColumn
    | DropColumn
    | FillComputed
    | RenameColumn
    | AlterColumnType
    | ChangeColumnDefault
    | ChangeColumnNotNull
    | ChangeColumnIdentity
    | ChangeColumnGenerated
    | AddConstraint
    | DropConstraint
    | ReplaceConstraint
    | RenameConstraint
    | ValidateConstraint
    | CreateIndex
    | DropIndex
    | ReplaceIndex
    | RenameIndex
    | CreateEnum
    | DropEnum
    | RenameEnum
    | AddEnumLabel
    | RenameEnumLabel
    | ChangeEnumLabels
    | ChangeRowSecurity
    | CreatePolicy
    | DropPolicy
    | ChangePolicy
    | ChangeTableOptions
    | ChangeTablePersistence
    | ChangeComment
)


@dataclass(frozen=True, slots=True)
class RenameQuestion:
    """A drop and an add that look like one rename; never guessed, only asked."""

    kind: Literal["table", "column"]
    relation: QName
    """The table (by its new name, for a column), or the new name of the table."""
    old: str
    new: str
    why: str


@dataclass(frozen=True, slots=True)
class Diff:
    """All that differs, in an order that has no meaning for execution but is stable (sorted by object)."""

    changes: tuple[Change, ...] = ()
    unmanaged: tuple[str, ...] = ()
    """Objects of the live database that the schema does not declare, as ``kind schema.name``, sorted."""
    questions: tuple[RenameQuestion, ...] = ()
