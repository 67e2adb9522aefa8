"""What stands on the columns of a party, and the same on their shadows: indexes, keys, checks, foreign keys.

Every part is built on the shadow under a name of its own (``wesley_new_…``) while the old one goes on working, and gets
the old one's name in the exchange. Its definition is the declared one, which may have been written anew for the new
type.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar, cast

from wesley_tui.catalog.model import Catalog, Check, Constraint, ForeignKey, Index, IndexKey, PrimaryKey, QName, Table
from wesley_tui.catalog.model import Unique as UniqueConstraint
from wesley_tui.catalog.reading.names import SHADOW_PREFIX
from wesley_tui.diff.changes import RenameColumn
from wesley_tui.diff.renames import renamed_catalog
from wesley_tui.planner.shadows import ShadowTable, uses_column
from wesley_tui.planner.situation import MOVED_PREFIX, Situation, clipped_name

__all__ = ["Key", "Part", "Parts", "index_of", "on_old_columns", "parts_of"]

Key = PrimaryKey | UniqueConstraint
P = TypeVar("P", Index, PrimaryKey | UniqueConstraint, Check, ForeignKey)


@dataclass(frozen=True, slots=True)
class Part(Generic[P]):
    """One thing that is made again."""

    table: QName
    old: P
    """As it stands."""
    new: P
    """As it is made: on the shadows, under a name of its own."""
    away: str
    """What the old one is called once it has made way."""

    @property
    def name(self) -> str:
        return self.old.name


@dataclass(frozen=True, slots=True)
class Parts:
    indexes: tuple[Part[Index], ...] = ()
    keys: tuple[Part[Key], ...] = ()
    """The primary key last: where several keys could serve a foreign key, the others do not wait for it."""
    checks: tuple[Part[Check], ...] = ()
    foreign_keys: tuple[Part[ForeignKey], ...] = ()
    """From the tables of the party and to them."""

    def on(self, table: QName) -> Parts:
        """Only those of one table; foreign keys that it has itself."""
        return Parts(
            tuple(item for item in self.indexes if item.table == table),
            tuple(item for item in self.keys if item.table == table),
            tuple(item for item in self.checks if item.table == table),
            tuple(item for item in self.foreign_keys if item.table == table),
        )


def parts_of(party: Sequence[ShadowTable], situation: Situation) -> Parts:
    """All that has to be made again for the party, in the order of tables and names."""
    members = {member.name: member for member in party}
    concerned = {name: _standing(table, members) for name, table in sorted(_tables(members, situation))}
    concerned = {name: table for name, table in concerned.items() if table.constraints or table.indexes}
    wanted = Catalog(tables={name: _as_declared(table, situation) for name, table in concerned.items()})
    renames = [RenameColumn(member.name, item.name, item.shadow) for member in party for item in member.columns]
    built = renamed_catalog(wanted, renames).tables
    indexes: list[Part[Index]] = []
    keys: list[Part[Key]] = []
    checks: list[Part[Check]] = []
    foreign: list[Part[ForeignKey]] = []
    for name, table in concerned.items():
        for old, new in zip(table.indexes, built[name].indexes, strict=True):
            indexes.append(Part(name, old, _renamed(new, situation), _away(old.name, situation)))
        for before, after in zip(table.constraints, built[name].constraints, strict=True):
            away = _away(before.name, situation)
            match before, after:
                case ForeignKey(), ForeignKey():
                    foreign.append(Part(name, before, _renamed(after, situation), away))
                case Check(), Check():
                    checks.append(Part(name, before, _renamed(after, situation), away))
                case ((PrimaryKey() | UniqueConstraint()), (PrimaryKey() | UniqueConstraint())):
                    keys.append(Part(name, before, _renamed(after, situation), away))
                case _:
                    raise TypeError(f"{before} has become {after}")
    keys.sort(key=lambda part: (part.table, isinstance(part.old, PrimaryKey), part.name))
    return Parts(tuple(indexes), tuple(keys), tuple(checks), tuple(foreign))


def _tables(members: dict[QName, ShadowTable], situation: Situation) -> Iterator[tuple[QName, Table]]:
    for name, table in situation.live.tables.items():
        if name in members:
            yield name, members[name].live
        elif any(key.references in members for key in table.foreign_keys):
            yield name, replace(table, indexes=())


def _standing(table: Table, members: dict[QName, ShadowTable]) -> Table:
    """The table with nothing but the parts that stand on columns of the party, and stay."""
    member = members.get(table.name)
    own = member.shadow_names if member is not None else {}
    leaving = member.leaving if member is not None else frozenset()

    def concerned(item: Constraint | Index) -> bool:
        if item.name in leaving:
            return False
        if isinstance(item, ForeignKey) and item.references in members:
            theirs = members[item.references].shadow_names
            if not theirs.keys().isdisjoint(item.referenced_columns):
                return True
        return any(uses_column(item, column) for column in own)

    return replace(
        table,
        constraints=tuple(item for item in table.constraints if concerned(item)),
        indexes=tuple(item for item in table.indexes if concerned(item)),
        policies=(),
    )


def _as_declared(table: Table, situation: Situation) -> Table:
    declared = situation.desired.tables.get(table.name)
    if declared is None:
        return table
    constraints = []
    for item in table.constraints:
        wanted = declared.constraint(item.name)
        constraints.append(wanted if type(wanted) is type(item) else item)
    return replace(
        table,
        constraints=tuple(item for item in constraints if item is not None),
        indexes=tuple(declared.index(item.name) or item for item in table.indexes),
    )


def _renamed(part: P, situation: Situation) -> P:
    return replace(part, name=clipped_name(f"{SHADOW_PREFIX}{situation.tag}_", part.name))


def _away(name: str, situation: Situation) -> str:
    return clipped_name(f"{MOVED_PREFIX}{situation.tag}_", name)


S = TypeVar("S", bound=Constraint | Index)


def on_old_columns(table: QName, part: S, situation: Situation) -> S:
    """A part of the table that is not made again, as it stands after the exchange: on the old columns, under the names
    that they have from then on."""
    renames = [
        RenameColumn(table, item.name, item.away)
        for party in situation.shadows.parties
        for member in party
        if member.name == table
        for item in member.columns
    ]
    if not renames:
        return part
    empty = replace(situation.live_table(table), constraints=(), indexes=(), policies=())
    alone = replace(empty, indexes=(part,)) if isinstance(part, Index) else replace(empty, constraints=(part,))
    renamed = renamed_catalog(Catalog(tables={table: alone}), renames).tables[table]
    return cast(S, renamed.indexes[0] if isinstance(part, Index) else renamed.constraints[0])


def index_of(key: Key, name: str) -> Index:
    """The unique index that a key takes over."""
    return Index(
        name,
        tuple(IndexKey(column=column) for column in key.columns),
        unique=True,
        include=key.include,
        nulls_not_distinct=isinstance(key, UniqueConstraint) and key.nulls_not_distinct,
    )
