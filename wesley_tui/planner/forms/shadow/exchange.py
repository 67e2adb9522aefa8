"""The exchange: the new column takes the place of the old one, in one short transaction.

It is written as a list of turns, each with its way back; the undo is the ways back in the opposite order, so that each
of them finds the names as its own turn has left them. Views, policies and whatever else PostgreSQL ties to the old
column is taken down and put up again around it, see :mod:`wesley_tui.planner.aside`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from wesley_tui.catalog import ddl, ddl_lifecycle
from wesley_tui.catalog.ddl_grants import change_grants, grant_target
from wesley_tui.catalog.model import Check, Column, ForeignKey, Index, PrimaryKey, QName, Ref, SqlObject, Unique
from wesley_tui.catalog.naming import default_name, qualified, quote_ident, quote_literal
from wesley_tui.catalog.reading.names import SHADOW_PREFIX
from wesley_tui.planner import checks
from wesley_tui.planner.casts import cast_through
from wesley_tui.planner.conversion import reverse_template
from wesley_tui.planner.forms.shadow.parts import Key, Part, Parts
from wesley_tui.planner.forms.shadow.prepare import has_way_back, helper_checks, shadow_resource
from wesley_tui.planner.forms.shadow.sync import Sync, differs, from_old
from wesley_tui.planner.operations import Operation, Phase, column_resource, index_resource
from wesley_tui.planner.plan import StepCheck
from wesley_tui.planner.recompiling import compiled_again
from wesley_tui.planner.shadows import ShadowColumn, ShadowTable
from wesley_tui.planner.situation import Situation, clipped_name

__all__ = ["exchange"]


@dataclass(frozen=True, slots=True)
class _Turn:
    """Statements, and those that take them back."""

    there: tuple[str, ...]
    back: tuple[str, ...] = ()


def exchange(party: Sequence[ShadowTable], parts: Parts, situation: Situation) -> Operation:
    """One operation for the whole party."""
    again = tuple(compiled_again(table.name) for table in party)
    # Last on both ways: what is compiled again must see the names as they stay.
    turns = [_Turn((), again), *(_drop_key(part) for part in parts.foreign_keys)]
    for table in party:
        turns += _turns(table, parts.on(table.name), situation)
    turns += [_take_name(part) for part in parts.foreign_keys]
    turns.append(_Turn(again, tuple(_brought_up_to_date(party))))
    names = ", ".join(f"{table.name}.{item.name}" for table in party for item in table.columns)
    return Operation(
        op="exchange_columns",
        object=names,
        wave="VALIDATE",
        phase=Phase.KEY,
        statements=tuple(text for turn in turns for text in turn.there),
        undo=tuple(text for turn in reversed(turns) for text in turn.back),
        prechecks=(
            *(check for table in party for check in _prechecks(table)),
            *(_no_other_keys(table, _keys_to(table, parts)) for table in party if parts.on(table.name).keys),
        ),
        postchecks=tuple(
            check
            for table in party
            for item in table.columns
            for check in (
                checks.column_has_type(table.name, item.name, item.new.type),
                checks.column_exists(table.name, item.away),
            )
        ),
        provides=tuple(
            resource
            for table in party
            for item in table.columns
            for resource in (
                column_resource(table.name, item.name, "typed"),
                shadow_resource(table.name, "exchanged"),
            )
        ),
        needs=_needs(party, parts),
        why=(
            "the new column, its indexes and its constraints get the names of the old ones: only catalogs change, "
            "whatever the size of the table",
            "from now on the trigger keeps the old column up to date, so that the exchange can be taken back with all "
            "that is written meanwhile",
            "in SELECT * and in an INSERT without column list the column has moved to the end; a session that has "
            "prepared a statement over it prepares it again",
        ),
        kept="the old column is there under another name until the last wave",
        disturbs=tuple(Ref("column", f"{table.name}.{item.name}") for table in party for item in table.columns),
    )


def _needs(party: Sequence[ShadowTable], parts: Parts) -> tuple[str, ...]:
    needs = []
    for table in party:
        own = parts.on(table.name)
        needs += [shadow_resource(table.name, state) for state in ("made", "filled", "proven", "analyzed")]
        needs.append(shadow_resource(table.name, "checked by rules"))
        needs += [index_resource(table.name, part.new.name) for part in own.indexes]
        needs += [index_resource(table.name, part.new.name) for part in own.keys]
        needs += [index_resource(table.name, part.away) for part in own.keys if isinstance(part.old, PrimaryKey)]
    needs += [shadow_resource(part.table, "bound") for part in parts.foreign_keys]
    return tuple(dict.fromkeys(needs))


def _prechecks(table: ShadowTable) -> Iterator[StepCheck]:
    for item in table.columns:
        yield checks.column_has_type(table.name, item.shadow, item.new.type)


def _keys_to(table: ShadowTable, parts: Parts) -> list[str]:
    here = [part for part in parts.foreign_keys if part.old.references == table.name]
    return [name for part in here for name in (part.name, part.new.name)]


def _no_other_keys(table: ShadowTable, known: Sequence[str]) -> StepCheck:
    """A foreign key from a schema that the plan does not look at would keep the old key in its place."""
    ours = f" AND k.conname NOT IN ({', '.join(quote_literal(name) for name in known)})" if known else ""
    columns = ", ".join(quote_literal(name) for item in table.columns for name in (item.name, item.shadow))
    return StepCheck(
        f"a foreign key that this plan does not know points to {table.name}; read the database and plan again, with "
        "its schema",
        "SELECT NOT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint AS k "
        "JOIN pg_catalog.pg_class AS c ON c.oid = k.confrelid "
        "JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace "
        "JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = ANY (k.confkey) "
        f"WHERE k.contype = 'f' AND n.nspname = {quote_literal(table.name.schema)} "
        f"AND c.relname = {quote_literal(table.name.name)} AND a.attname IN ({columns}){ours})",
    )


def _turns(table: ShadowTable, own: Parts, situation: Situation) -> Iterator[_Turn]:
    target = f"ALTER TABLE {qualified(table.name)}"
    sync = Sync(table, situation.tag)
    yield from _replica_identity(table, own, leaving=True)
    yield from _statistics_gone(table, situation)
    yield _Turn(sync.removed(), sync.forward(strict=True))
    for item in table.columns:
        if item.new.not_null:
            alter = f"{target} ALTER COLUMN {quote_ident(item.shadow)}"
            yield _Turn((f"{alter} SET NOT NULL",), (f"{alter} DROP NOT NULL",))
    helpers = ", ".join(f"DROP CONSTRAINT {quote_ident(item.name)}" for item in helper_checks(table, situation))
    if helpers:
        yield _Turn((f"{target} {helpers}",))
    for check in own.checks:
        yield _Turn((_dropped(check),), (_again(check), *_constraint_comment(check.table, check.old)))
    for key in own.keys:
        yield _old_key(table, key)
    for item in table.columns:
        yield from _numbering(table, item, situation)
    for item in table.columns:
        if item.old.not_null:
            yield _loosened(table.name, item.old)
        yield _Turn(
            (
                f"{target} RENAME COLUMN {quote_ident(item.name)} TO {quote_ident(item.away)}",
                f"{target} RENAME COLUMN {quote_ident(item.shadow)} TO {quote_ident(item.name)}",
            ),
            (
                f"{target} RENAME COLUMN {quote_ident(item.name)} TO {quote_ident(item.shadow)}",
                f"{target} RENAME COLUMN {quote_ident(item.away)} TO {quote_ident(item.name)}",
            ),
        )
        if item.new.not_null and situation.snapshot.major >= 18:
            before = default_name(table.name.name, (item.shadow,), "not_null")
            after = item.new.not_null_name or default_name(table.name.name, (item.name,), "not_null")
            yield _Turn(
                (_constraint_renamed(table.name, before, after),), (_constraint_renamed(table.name, after, before),)
            )
    for index in own.indexes:
        yield _index_names(index)
    for check in own.checks:
        yield _take_name(check)
    for key in own.keys:
        yield _new_key(key)
    yield from _replica_identity(table, own, leaving=False)
    for item in table.columns:
        yield from _belongings(table, item)
    yield from _statistics_made(table, situation)
    yield _Turn(sync.backward(), sync.removed())


def _dropped(part: Part[Check] | Part[ForeignKey] | Part[Key]) -> str:
    return f"ALTER TABLE {qualified(part.table)} DROP CONSTRAINT {quote_ident(part.name)}"


def _again(part: Part[Check] | Part[ForeignKey]) -> str:
    """NOT VALID: the undo of the step that has proven the new one proves it."""
    return ddl.add_constraint(part.table, part.old, not_valid=part.old.enforced)


def _constraint_renamed(table: QName, old: str, new: str) -> str:
    return f"ALTER TABLE {qualified(table)} RENAME CONSTRAINT {quote_ident(old)} TO {quote_ident(new)}"


def _index_renamed(table: QName, old: str, new: str) -> str:
    return f"ALTER INDEX {qualified(QName(table.schema, old))} RENAME TO {quote_ident(new)}"


def _drop_key(part: Part[ForeignKey]) -> _Turn:
    return _Turn((_dropped(part),), (_again(part), *_constraint_comment(part.table, part.old)))


def _constraint_comment(table: QName, item: Check | ForeignKey | Key) -> tuple[str, ...]:
    return (ddl.comment_on("constraint", table, item.name, item.comment),) if item.comment is not None else ()


def _take_name(part: Part[Check] | Part[ForeignKey]) -> _Turn:
    """The new one gets the old one's name. On the way back a foreign key goes: its index has to go."""
    named = replace(part.new, name=part.name)
    there = (_constraint_renamed(part.table, part.new.name, part.name), *_constraint_comment(part.table, named))
    if isinstance(part.new, ForeignKey):
        return _Turn(there, (_dropped(part),))
    return _Turn(there, (_constraint_renamed(part.table, part.name, part.new.name),))


def _old_key(table: ShadowTable, part: Part[Key]) -> _Turn:
    """A unique constraint makes way under another name. A primary key, of which there is one, is dropped; an index that
    was built for the way back waits for the undo. One in which NULL counts is dropped too: the old column may get
    several."""
    key = part.old
    if isinstance(key, Unique) and not key.nulls_not_distinct:
        return _Turn(
            (_constraint_renamed(part.table, part.name, part.away),),
            (_constraint_renamed(part.table, part.away, part.name),),
        )
    again = ddl.add_constraint(part.table, key)
    if isinstance(key, PrimaryKey) and has_way_back(table, key):
        again = _using_index(part.table, key, part.away)
    return _Turn((_dropped(part),), (again, *_constraint_comment(part.table, key)))


def _using_index(table: QName, key: Key, index: str) -> str:
    kind = "PRIMARY KEY" if isinstance(key, PrimaryKey) else "UNIQUE"
    return (
        f"ALTER TABLE {qualified(table)} ADD CONSTRAINT {quote_ident(key.name)} {kind} USING INDEX {quote_ident(index)}"
    )


def _new_key(part: Part[Key]) -> _Turn:
    named = replace(part.new, name=part.name)
    there = (_using_index(part.table, named, part.new.name), *_constraint_comment(part.table, named))
    return _Turn(there, (_dropped(part),))


def _index_names(part: Part[Index]) -> _Turn:
    there = [
        _index_renamed(part.table, part.name, part.away),
        _index_renamed(part.table, part.new.name, part.name),
    ]
    if part.new.comment is not None:
        there.append(ddl.comment_on("index", part.table, part.name, part.new.comment))
    return _Turn(
        tuple(there),
        (_index_renamed(part.table, part.name, part.new.name), _index_renamed(part.table, part.away, part.name)),
    )


def _loosened(table: QName, old: Column) -> _Turn:
    """The old column must be able to hold nothing: for values that its type cannot hold."""
    alter = f"ALTER TABLE {qualified(table)} ALTER COLUMN {quote_ident(old.name)}"
    named = old.not_null_name
    back = [f"{alter} SET NOT NULL"]
    if named is not None:
        back.append(_constraint_renamed(table, default_name(table.name, (old.name,), "not_null"), named))
    return _Turn((f"{alter} DROP NOT NULL",), tuple(back))


def _numbering(table: ShadowTable, item: ShadowColumn, situation: Situation) -> Iterator[_Turn]:
    """Identity, sequence and default move to the new column; numbers go on where they are."""
    alter = f"ALTER TABLE {qualified(table.name)} ALTER COLUMN"
    old, new = quote_ident(item.name), quote_ident(item.shadow)
    for sequence in _owned(table.name, item.name, situation):
        own = ddl_lifecycle.own_sequence(sequence.name, (table.name, item.shadow))
        back_to = ddl_lifecycle.own_sequence(sequence.name, (table.name, item.name))
        widen = _widened(sequence, item, situation)
        yield _Turn((own, *widen[:1]), (back_to, *widen[1:]))
    later = item.name in table.keeps_identity
    identity = item.old.identity if later else item.new.identity
    if item.old.identity is not None and identity is not None:
        yield _Turn(
            _identity_moved(table.name, item.name, item.shadow, identity, item.name, situation),
            _identity_moved(table.name, item.shadow, item.name, item.old.identity, item.name, situation),
        )
        return
    wanted = item.old.default if later else item.new.default
    there = [f"{alter} {old} DROP DEFAULT"] if item.old.default is not None else []
    back = []
    if wanted is not None:
        there.append(f"{alter} {new} SET DEFAULT {ddl.default_clause(wanted)}")
        back.append(f"{alter} {new} DROP DEFAULT")
    if item.old.default is not None:
        back.append(f"{alter} {old} SET DEFAULT {ddl.default_clause(item.old.default)}")
    if there:
        yield _Turn(tuple(there), tuple(back))


def _owned(table: QName, column: str, situation: Situation) -> list[SqlObject]:
    return [item for item in situation.live.objects.values() if item.owned_by == (table, column)]


def _widened(sequence: SqlObject, item: ShadowColumn, situation: Situation) -> tuple[str, ...]:
    """A sequence that nobody declares counts as far as its column reaches. (there, back) or nothing."""
    if sequence.ref in situation.desired.objects or item.new.type not in ("integer", "bigint"):
        return ()
    if item.old.type not in ("smallint", "integer") or f" AS {item.old.type}" not in sequence.statements[0]:
        return ()
    name = qualified(sequence.name)
    return f"ALTER SEQUENCE {name} AS {item.new.type}", f"ALTER SEQUENCE {name} AS {item.old.type}"


def _identity_moved(
    table: QName, source: str, target: str, identity: str, name: str, situation: Situation
) -> tuple[str, ...]:
    """From column ``source`` to ``target``; the position is read from the old sequence before that goes, and its name
    is given on. ``name``: what the column is called when nothing is exchanged."""
    alter = f"ALTER TABLE {qualified(table)} ALTER COLUMN"
    final = default_name(table.name, (name,), "seq")
    waiting = QName(table.schema, clipped_name(f"{SHADOW_PREFIX}{situation.tag}_", final))
    old = (
        f"pg_catalog.pg_get_serial_sequence({quote_literal(qualified(table))}, {quote_literal(source)})"
        "::pg_catalog.regclass"
    )
    taken = {item.name for item in situation.live.objects.values() if item.kind == "sequence"}
    renamed = (
        ()
        if QName(table.schema, final) in taken
        else (f"ALTER SEQUENCE {qualified(waiting)} RENAME TO {quote_ident(final)}",)
    )
    return (
        f"{alter} {quote_ident(target)} ADD GENERATED {identity.upper()} AS IDENTITY "
        f"(SEQUENCE NAME {qualified(waiting)})",
        f"SELECT pg_catalog.setval({quote_literal(qualified(waiting))}, "
        "COALESCE(pg_catalog.pg_sequence_last_value(s.seqrelid), s.seqstart), "
        "pg_catalog.pg_sequence_last_value(s.seqrelid) IS NOT NULL) "
        f"FROM pg_catalog.pg_sequence AS s WHERE s.seqrelid = {old}",
        f"{alter} {quote_ident(source)} DROP IDENTITY",
        *renamed,
    )


def _replica_identity(table: ShadowTable, own: Parts, *, leaving: bool) -> Iterator[_Turn]:
    """``leaving``: the old index, whose columns must not become nullable while it is the identity of the rows."""
    name = table.live.replica_identity
    if name is None or name not in {*(part.name for part in own.indexes), *(part.name for part in own.keys)}:
        return
    default, index = ddl.set_replica_identity(table.name, None), ddl.set_replica_identity(table.name, name)
    yield _Turn((default,), (index,)) if leaving else _Turn((index,), (default,))


def _belongings(table: ShadowTable, item: ShadowColumn) -> Iterator[_Turn]:
    """What an ALTER of the column would have kept: comment and privileges. The old column keeps its own, for the way
    back."""
    if item.new.comment is not None:
        yield _Turn((ddl.comment_on("column", table.name, item.name, item.new.comment),))
    grants = [grant for grant in table.live.grants if grant.column == item.name]
    if grants:
        yield _Turn(change_grants(grant_target(table.live), (), grants))


def _statistics(table: ShadowTable, situation: Situation) -> list[SqlObject]:
    columns = {Ref("column", f"{table.name}.{item.name}") for item in table.columns}
    return [
        item
        for ref, item in sorted(situation.live.objects.items())
        if item.kind == "statistics" and ref not in situation.leaving and not columns.isdisjoint(item.depends_on)
    ]


def _statistics_gone(table: ShadowTable, situation: Situation) -> Iterator[_Turn]:
    for item in _statistics(table, situation):
        yield _Turn(ddl_lifecycle.drop_object(item), ddl_lifecycle.create_object(item))


def _statistics_made(table: ShadowTable, situation: Situation) -> Iterator[_Turn]:
    for item in _statistics(table, situation):
        wanted = situation.desired.objects.get(item.ref, item)
        yield _Turn(ddl_lifecycle.create_object(wanted), ddl_lifecycle.drop_object(wanted))


def _brought_up_to_date(party: Sequence[ShadowTable]) -> Iterator[str]:
    """The way back begins: old values for what was written since the exchange, and a refusal when there is none.
    Writers wait from here on, and readers do not: what somebody wrote between this look and the exchange would be
    lost. The names are those after the exchange."""
    yield f"LOCK TABLE {', '.join(qualified(table.name) for table in party)} IN SHARE ROW EXCLUSIVE MODE"
    for table in party:
        name = qualified(table.name)
        for item in table.columns:
            new, old = f"t.{quote_ident(item.name)}", f"t.{quote_ident(item.away)}"
            if reverse_template(item.old.type, item.new.type) is None and not item.conversion.using:
                through = cast_through(item.new.type, item.old.type)
                value = f"{new}{f'::{through}' if through else ''}::{item.old.type}"
                missing = f"{old} IS NULL AND {new} IS NOT NULL"
                yield f"UPDATE {name} AS t SET {quote_ident(item.away)} = {value} WHERE {missing}"
            lost = differs(new, from_old(item, table, "t"), item.new.type)
            where = f"rows of {table.name} have a value in {item.name}"
            said = f" {where} that {item.old.type} cannot hold: nothing was undone"
            yield (
                f"SELECT CASE WHEN pg_catalog.count(*) > 0 THEN (pg_catalog.count(*) || {quote_literal(said)})"
                f"::pg_catalog.int4 END FROM {name} AS t WHERE {lost}"
            )
