"""Tables that go: retired, which keeps their rows, or dropped for good.

Names of their indexes that something new is to have are free from the beginning: the new thing need not wait for the
last wave.
"""

from __future__ import annotations

from collections.abc import Iterator

from wesley_tui.catalog import ddl
from wesley_tui.catalog.model import QName, Ref, Table
from wesley_tui.catalog.naming import qualified, quote_ident
from wesley_tui.diff.changes import DropTable
from wesley_tui.diff.family import whole
from wesley_tui.planner import checks
from wesley_tui.planner.forms.indexes import rename_away
from wesley_tui.planner.forms.partitions import detached
from wesley_tui.planner.operations import (
    Operation,
    Phase,
    constraint_resource,
    detached_resource,
    index_names,
    name_resource,
    object_resource,
)
from wesley_tui.planner.situation import RETIRED_SCHEMA, Situation, numbered_by

__all__ = ["drop_table"]


def drop_table(change: DropTable, situation: Situation) -> Iterator[Operation]:
    """Foreign keys of tables that stay are taken off first: PostgreSQL would refuse the drop, and after a retire they
    would bind the living to the retired."""
    table = change.table
    detach, attach = _incoming_keys(table, situation)
    readers = list(_readers(table, situation))
    detached_first = table.partition_of is not None and table.partition_of not in situation.dropped
    if detached_first:
        yield from detached(table, situation)
    for name in index_names(table):
        if (away := situation.current_name(table.name, name)) != name:
            yield rename_away(table.name, name, away, "its name is wanted for something else")
    if situation.options.purge and not _needed_by_others(table, situation):
        yield Operation(
            op="drop_table",
            object=str(table.name),
            wave="CONTRACT",
            phase=Phase.DROP_TABLE,
            statements=(*detach, *(text for _, text in readers), f"DROP TABLE {qualified(table.name)}"),
            prechecks=(checks.table_exists(table.name),),
            postchecks=(checks.relation_absent(table.name),),
            provides=(
                *_names_left(table, situation),
                *_keys_gone(table),
                *_sequences_gone(table, situation),
                f"table {table.name} gone",
                *_bound_free(table, detached_first),
                # IF EXISTS must find those tables by their names, or nothing.
                *(name_resource(other.schema, other.name) for other in _spoken_of(table, readers, situation)),
            ),
            needs=(
                *((detached_resource(table.name), f"check {table.name} gone") if detached_first else ()),
                *(f"table {child} gone" for child in situation.heirs.get(table.name, ())),
                *(detached_resource(child) for child in situation.heirs.get(table.name, ())),
                *situation.gone_before(Ref("table", str(table.name))),
                *_keys_to(table, situation),
                *_sequences_left(table, situation),
            ),
            why=("purge was asked for: nothing is set aside, and only a backup brings the rows back",),
        )
        return
    yield _retire_table(table, detach, attach, situation, detached_first=detached_first)


def _names_left(table: Table, situation: Situation) -> Iterator[str]:
    """Names that are free once the table has gone; those that were left before are not among them."""
    schema = table.name.schema
    yield name_resource(schema, table.name.name)
    for name in index_names(table):
        yield name_resource(schema, situation.current_name(table.name, name))


def _bound_free(table: Table, detached_first: bool) -> tuple[str, ...]:
    return () if detached_first else (detached_resource(table.name),)


def _retire_table(
    table: Table, detach: list[str], attach: list[str], situation: Situation, *, detached_first: bool
) -> Operation:
    """Move the table, its rows and its indexes. Its foreign keys to tables that stay are taken off: its rows would
    forbid deletes there. Names that two retired objects share get their schema and the plan's tag first: in
    ``wesley_retired`` they would meet."""
    name = table.name
    resting = QName(RETIRED_SCHEMA, situation.resting_name(name))
    for key in table.foreign_keys:
        stays = key.references != name and key.references not in situation.dropped
        if stays and (name, key.name) not in situation.keys_aside:
            detach.append(f"ALTER TABLE {qualified(name)} DROP CONSTRAINT {quote_ident(key.name)}")
            attach.append(ddl.add_constraint(name, key))
            if key.comment is not None:
                attach.append(ddl.comment_on("constraint", name, key.name, key.comment))
    for parent in table.inherits:
        if parent not in situation.dropped:
            # Its rows are no longer to be seen through a parent that stays.
            detach.append(f"ALTER TABLE {qualified(name)} NO INHERIT {qualified(parent)}")
            attach.append(f"ALTER TABLE {qualified(name)} INHERIT {qualified(parent)}")
    statements = [*detach, f"CREATE SCHEMA IF NOT EXISTS {RETIRED_SCHEMA}"]
    undo: list[str] = []
    names_again: list[str] = []
    names_away: list[str] = []
    own = index_names(table)
    # A partition has indexes from its parent too, by names that are not known for certain.
    inherited = [index for index in index_names(whole(table, situation.live)) if index not in own]
    for index in (*own, *inherited):
        new, now = situation.resting_name(QName(name.schema, index)), situation.current_name(name, index)
        there = " IF EXISTS" if index in inherited else ""
        if now != index:
            # Its name may be that of another relation by now: it gets it back where it rests.
            names_again.append(f"ALTER INDEX {RETIRED_SCHEMA}.{quote_ident(now)} RENAME TO {quote_ident(new)}")
            names_away.append(f"ALTER INDEX {RETIRED_SCHEMA}.{quote_ident(new)} RENAME TO {quote_ident(now)}")
        elif new != index:
            forward, backward = QName(name.schema, index), QName(name.schema, new)
            statements.append(f"ALTER INDEX{there} {qualified(forward)} RENAME TO {quote_ident(new)}")
            undo.append(f"ALTER INDEX{there} {qualified(backward)} RENAME TO {quote_ident(index)}")
    owned = (sequence for sequence in situation.owned.get(name, ()) if not situation.is_left_by(sequence))
    for sequence in (*owned, *numbered_by(table)):
        new = situation.resting_name(sequence)
        if new != sequence.name:
            # IF EXISTS: the sequence of an identity may have been given another name by hand.
            moved = QName(sequence.schema, new)
            statements.append(f"ALTER SEQUENCE IF EXISTS {qualified(sequence)} RENAME TO {quote_ident(new)}")
            undo.append(f"ALTER SEQUENCE IF EXISTS {qualified(moved)} RENAME TO {quote_ident(sequence.name)}")
    if resting.name != name.name:
        statements.append(f"ALTER TABLE {qualified(name)} RENAME TO {quote_ident(resting.name)}")
        undo.insert(0, f"ALTER TABLE {qualified(QName(name.schema, resting.name))} RENAME TO {quote_ident(name.name)}")
    statements.append(f"ALTER TABLE {qualified(QName(name.schema, resting.name))} SET SCHEMA {RETIRED_SCHEMA}")
    undo.insert(0, f"ALTER TABLE {qualified(resting)} SET SCHEMA {quote_ident(name.schema)}")
    statements += names_again
    undo[:0] = names_away
    taken = (name.name, *index_names(table))
    return Operation(
        op="retire_table",
        object=str(name),
        wave="CONTRACT",
        phase=Phase.DROP_TABLE,
        statements=tuple(statements),
        undo=(*undo, *attach),
        prechecks=(
            checks.table_exists(name),
            *(
                checks.resting_place_free(QName(RETIRED_SCHEMA, situation.resting_name(QName(name.schema, item))))
                for item in taken
            ),
        ),
        postchecks=(checks.relation_absent(name), checks.table_exists(resting)),
        provides=(
            *_names_left(table, situation),
            *_keys_gone(table),
            *_sequences_gone(table, situation),
            *_bound_free(table, detached_first),
        ),
        needs=(
            *((detached_resource(name), f"check {name} gone") if detached_first else ()),
            *(detached_resource(child) for child in situation.heirs.get(name, ()) if child not in situation.dropped),
            *_keys_to(table, situation),
            *_sequences_left(table, situation),
            *situation.gone_before(Ref("table", str(name))),
        ),
        why=(
            f"retired, not dropped: the table rests as {resting} with all its rows until it is purged",
            *(
                ("foreign keys between it and tables that stay are taken off; the undo puts them back",)
                if attach
                else ()
            ),
        ),
        retires=True,
    )


def _needed_by_others(table: Table, situation: Situation) -> bool:
    """Whether something that nobody declared stands on the table, and stays: the table can only be retired then."""
    return any(
        ref not in situation.leaving
        and ref not in situation.desired.objects
        and ref.kind in ("view", "materialized view", "function", "procedure")
        for ref in situation.standing_on.get(Ref("table", str(table.name)), ())
    )


def _keys_to(table: Table, situation: Situation) -> Iterator[str]:
    """Foreign keys of other tables, which the plan drops or replaces."""
    for other, name, _ in situation.incoming.get(table.name, ()):
        if other != table.name and other not in situation.dropped:
            yield constraint_resource(other, name, "gone")


def _keys_gone(table: Table) -> tuple[str, ...]:
    """Its foreign keys no longer lean on any key of another table."""
    return tuple(constraint_resource(table.name, key.name, "gone") for key in table.foreign_keys)


def _sequences_left(table: Table, situation: Situation) -> Iterator[str]:
    """Sequences that stay belong to it no longer."""
    for name in situation.owned.get(table.name, ()):
        if situation.is_left_by(name):
            yield object_resource(Ref("sequence", str(name)), "off")


def _sequences_gone(table: Table, situation: Situation) -> Iterator[str]:
    for name in situation.owned.get(table.name, ()):
        if situation.is_left_by(name):
            continue
        yield object_resource(Ref("sequence", str(name)), "gone")
        yield name_resource(name.schema, name.name)


def _readers(table: Table, situation: Situation) -> Iterator[tuple[QName, str]]:
    """Takes the policies of other tables that go off this one: which of them goes first, nobody knows here."""
    itself = Ref("table", str(table.name))
    for name in situation.policed:
        if name != table.name:
            for policy in situation.live.tables[name].policies:
                if itself in policy.depends_on:
                    yield name, f"DROP POLICY IF EXISTS {quote_ident(policy.name)} ON {qualified(name)}"


def _spoken_of(table: Table, readers: list[tuple[QName, str]], situation: Situation) -> list[QName]:
    """Other tables that go, of which the drop says IF EXISTS."""
    keys = {other for other, *_ in situation.incoming.get(table.name, ()) if other in situation.dropped}
    return sorted((keys | {name for name, _ in readers}) - {table.name})


def _incoming_keys(table: Table, situation: Situation) -> tuple[list[str], list[str]]:
    """Statements that take foreign keys to ``table`` off, and that put them on again. Keys that the diff drops by
    itself are gone by then; between two tables that are both retired they may stay. Of two that are both purged nobody
    knows here which goes first: other needs have a say."""
    detach, attach = [], []
    referring = {name for name, *_ in situation.incoming.get(table.name, ())}
    for other in (situation.live.tables[name] for name in sorted(referring)):
        declared = other.name in situation.desired.tables
        both_go = other.name in situation.dropped
        if other.name == table.name or declared or (both_go and not situation.options.purge):
            continue
        for key in other.foreign_keys:
            if key.references == table.name:
                there = " IF EXISTS" if both_go else ""
                detach.append(
                    f"ALTER TABLE{there} {qualified(other.name)} DROP CONSTRAINT{there} {quote_ident(key.name)}"
                )
                attach.append(ddl.add_constraint(other.name, key))
    return detach, attach
