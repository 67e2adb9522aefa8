"""An operation: a step before it has a place in a plan, an identity and a hazard.

The forms (:mod:`wesley_tui.planner.forms`) turn changes into operations; they know PostgreSQL's safe ways and nothing
about locks or order. Order follows from what an operation *provides* and *needs*, resources named by the functions
below; locks, hazards and times follow from its SQL.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from wesley_tui.catalog.model import Check, ForeignKey, QName, Ref, Table
from wesley_tui.planner.plan import Backfill, StepCheck, StepKind, WaveName

__all__ = [
    "TYPE_OF",
    "Operation",
    "Phase",
    "column_resource",
    "constraint_resource",
    "detached_resource",
    "enum_resource",
    "index_names",
    "index_resource",
    "name_resource",
    "object_resource",
    "persistence_resource",
    "ref_resources",
    "relation_name_pairs",
    "relation_names",
    "schema_resource",
    "shape_resource",
    "table_resource",
]


TYPE_OF = "type of"
"""Kind of the reference to a column whose stored type changes, which foreign keys mind as well."""


class Phase(enum.IntEnum):
    """Order within a wave. EXPAND builds from types to constraints; CONTRACT takes off from constraints to types."""

    SCHEMA = 0
    EXTENSION = 5
    RENAME = 10
    MOVE_AWAY = 15
    RENAME_PART = 17
    TYPE = 20
    SEQUENCE = 22
    ROUTINE = 25
    TABLE = 30
    COLUMN = 40
    RECREATE = 42
    BACKFILL = 45
    INDEX = 50
    CONSTRAINT = 60
    FOREIGN_KEY = 65
    PROOF = 66
    NOT_NULL = 68
    KEY = 70
    VIEW = 75
    TRIGGER = 78
    SECURITY = 80
    SETTING = 85
    PRIVILEGE = 87
    COMMENT = 90
    DROP_TRIGGER = 105
    DROP_VIEW = 108
    DROP_FOREIGN_KEY = 110
    DROP_POLICY = 115
    DROP_CONSTRAINT = 120
    DROP_INDEX = 130
    DROP_COLUMN = 140
    DROP_TABLE = 150
    DROP_ROUTINE = 155
    DROP_SEQUENCE = 157
    DROP_TYPE = 160
    DROP_EXTENSION = 165


@dataclass(frozen=True, slots=True)
class Operation:
    op: str
    """The DSL's word: ``add_column``, ``add_index_concurrently`` …"""
    object: str
    wave: WaveName
    phase: Phase
    """Order within a wave, lowest first; operations of one phase keep the order in which the forms made them."""
    statements: tuple[str, ...] = ()
    kind: StepKind = StepKind.TRANSACTIONAL
    undo: tuple[str, ...] = ()
    prechecks: tuple[StepCheck, ...] = ()
    postchecks: tuple[StepCheck, ...] = ()
    provides: tuple[str, ...] = ()
    """Resources that exist, in the wanted state, once the operation is done."""
    needs: tuple[str, ...] = ()
    """Resources that must be there first; those that no operation of the plan provides exist already."""
    why: tuple[str, ...] = ()
    """Why this form was chosen, one sentence each."""
    kept: str = ""
    """Why what the SQL alone seems to lose is not lost (the new definition is in force already …)."""
    retires: bool = False
    """What would be lost is set aside and can be restored."""
    loses: str = ""
    """What is lost although the SQL does not show it."""
    danger: str = ""
    """A reason for H3 that the effects of the SQL do not show."""
    unbounded: bool = False
    """No statement timeout: the duration depends on the data, and is watched."""
    leftover_check: StepCheck | None = None
    leftover_cleanup: tuple[str, ...] = ()
    backfill: Backfill | None = None
    disturbs: tuple[Ref, ...] = ()
    """Live things that PostgreSQL does not let change while something stands on them: what does is taken down before
    and put up again after, see :mod:`wesley_tui.planner.aside`."""
    rebuilds: tuple[Ref, ...] = ()
    """Objects that are taken down and put up again for their own sake, in their new definition."""
    apart: tuple[Operation, ...] = ()
    """The same in two: what lies between may lean on neither definition, and must come when neither is there."""
    proven: tuple[str, ...] = ()
    """Tables (``schema.table``) that the statements would read from end to end, did not a valid CHECK spare them."""
    small: tuple[str, ...] = ()
    """Tables, ``schema.table``, that a precheck makes sure are small enough to be written again in a moment."""
    lenient: bool = False
    """What it needs may come after it, when there is no other way: a function whose body nobody reads before it is
    called."""


def schema_resource(schema: str) -> str:
    return f"schema {schema}"


def table_resource(table: QName) -> str:
    return f"table {table.schema}.{table.name}"


def enum_resource(enum: QName) -> str:
    """The type with all its labels."""
    return f"enum {enum.schema}.{enum.name}"


def column_resource(table: QName, column: str, state: str = "exists") -> str:
    """``state``: exists, typed, default (set), filled, not null, loose (nothing demands NOT NULL any more), unnumbered
    (it has no identity any more), gone."""
    return f"column {table.schema}.{table.name}.{column} {state}"


def constraint_resource(table: QName, constraint: str, state: str = "exists") -> str:
    """``state``: exists, valid, gone (by its name before the plan)."""
    return f"constraint {table.schema}.{table.name}.{constraint} {state}"


def name_resource(schema: str, name: str) -> str:
    """A free name: tables, indexes, types and the constraints that have an index share one space in each schema. Who
    leaves a name provides it, who takes it needs it; so a name that is freed late is taken later still."""
    return f"name {schema}.{name}"


def relation_name_pairs(table: Table) -> list[tuple[str, str]]:
    """Schema and name of a table, of its indexes and of its constraints that have one."""
    return [(table.name.schema, name) for name in (table.name.name, *index_names(table))]


def index_names(table: Table) -> tuple[str, ...]:
    """What the indexes of a table are called, those of its constraints included."""
    owned = (item.name for item in table.constraints if not isinstance(item, Check | ForeignKey))
    return (*owned, *(index.name for index in table.indexes))


def relation_names(table: Table) -> tuple[str, ...]:
    """The names that a table occupies, as resources."""
    return tuple(name_resource(*pair) for pair in relation_name_pairs(table))


def persistence_resource(table: QName) -> str:
    """The table is logged or unlogged, as it is wanted."""
    return f"persistence {table.schema}.{table.name}"


def detached_resource(table: QName) -> str:
    """What was its partition bound is free: it is no partition any more, or takes other rows."""
    return f"detached {table.schema}.{table.name}"


def shape_resource(table: QName) -> str:
    """The table is as its new parent wants it."""
    return f"shape {table.schema}.{table.name}"


def index_resource(table: QName, index: str) -> str:
    return f"index {table.schema}.{table.name}.{index}"


def object_resource(ref: Ref, state: str = "exists") -> str:
    """``state``: exists (in its declared definition), gone (it was live, and is no longer wanted), off (it was live in
    another definition, which leans on nothing any more)."""
    return f"object {ref} {state}"


def ref_resources(refs: Iterable[Ref]) -> tuple[str, ...]:
    """What must be there for something that depends on ``refs``."""
    found: list[str] = []
    for ref in refs:
        match ref.kind:
            case "table":
                found.append(f"table {ref.name}")
            case "enum":
                found.append(f"enum {ref.name}")
            case "schema":
                found.append(schema_resource(ref.name))
            case "column":
                found += (f"column {ref.name} exists", f"column {ref.name} typed")
            case _:
                found.append(object_resource(ref))
    return tuple(found)
