"""Everything before the exchange: the shadow, its trigger, its values, and on it all that stands on the old column.

Nothing that clients use is touched. The old column stays what counts, and at any moment before the exchange the undo is
to drop what was made.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from wesley_tui.catalog import ddl
from wesley_tui.catalog.model import Check, Column, ForeignKey, PrimaryKey, QName
from wesley_tui.catalog.naming import qualified, quote_ident, quote_idents, quote_literal
from wesley_tui.catalog.reading.names import SHADOW_PREFIX
from wesley_tui.planner import checks
from wesley_tui.planner.backfill import backfill_rows, walking_key
from wesley_tui.planner.conversion import reverse_template, settings_of, unconvertible
from wesley_tui.planner.forms.indexes import build_index
from wesley_tui.planner.forms.shadow.parts import Part, Parts, index_of
from wesley_tui.planner.forms.shadow.sync import Sync, differs
from wesley_tui.planner.operations import Operation, Phase, column_resource, index_resource, table_resource
from wesley_tui.planner.plan import StepCheck, StepKind
from wesley_tui.planner.shadows import ShadowColumn, ShadowTable
from wesley_tui.planner.situation import Situation, clipped_name

__all__ = ["has_way_back", "helper_checks", "is_reversible", "key_over_shadows", "prepare", "shadow_resource"]


def shadow_resource(table: QName, state: str) -> str:
    """``state``: checked (every value has a counterpart), made, filled, proven, built, exchanged."""
    return f"shadow of {table} {state}"


def helper_checks(table: ShadowTable, situation: Situation) -> list[Check]:
    """What proves the shadows: the same values as the old columns, and NOT NULL where that is declared. They go in the
    exchange."""
    found = []
    for item in table.columns:
        old, new = quote_ident(item.name), quote_ident(item.shadow)
        converts = settings_of(item.old.type, item.new.type, using=item.conversion.using)
        if not item.conversion.using:
            alike = f"NOT ({differs(new, item.conversion.plain, item.new.type)})"
            if converts:
                # What depends on settings cannot be compared in the session of a client: see _proof_of_values().
                alike = f"({old} IS NULL) = ({new} IS NULL)"
            elif item.conversion.template == "{}":
                # Types with a length pad a value with spaces, or cut spaces that are beyond it.
                texts = (f"pg_catalog.rtrim({name}::pg_catalog.text)" for name in (new, old))
                alike = f"NOT ({' IS DISTINCT FROM '.join(texts)})"
            found.append(Check(_helper("same", item.name, situation), alike))
        if item.new.not_null:
            found.append(Check(_helper("set", item.name, situation), f"{new} IS NOT NULL"))
    return found


def _helper(kind: str, column: str, situation: Situation) -> str:
    return clipped_name(f"{SHADOW_PREFIX}{situation.tag}_{kind}_", column)


def is_reversible(item: ShadowColumn) -> bool:
    """Whether different values of the new column are different in the old one again: then an index on that can be kept
    unique, and the way back is ready at once."""
    return not item.conversion.using and reverse_template(item.old.type, item.new.type) is not None


def has_way_back(table: ShadowTable, key: PrimaryKey) -> bool:
    """Whether an index on the old columns of a primary key can wait for the undo."""
    return all(is_reversible(item) for item in table.columns if item.name in key.columns)


def prepare(table: ShadowTable, parts: Parts, situation: Situation) -> Iterator[Operation]:
    """The operations for one table of a party, all before the exchange; foreign keys come from
    :func:`key_over_shadows`."""
    own = parts.on(table.name)
    yield from _check_values(table, situation)
    yield _add(table, situation)
    yield _fill(table, situation)
    for index in own.indexes:
        yield _later(build_index(table.name, replace(index.new, comment=None), situation), table)
    for key in own.keys:
        why = f"what {key.name} will take over"
        yield _later(build_index(table.name, index_of(key.new, key.new.name), situation, why=why), table)
        if isinstance(key.old, PrimaryKey) and has_way_back(table, key.old):
            why = f"the way back: {key.name} could take it over again at once; it goes in the last wave"
            yield _later(build_index(table.name, index_of(key.old, key.away), situation, why=why), table)
    yield from _prove(table, own, situation)
    yield _analyze(table)


def _check_values(table: ShadowTable, situation: Situation) -> Iterator[Operation]:
    found = []
    for item in table.columns:
        condition = None
        if not item.conversion.using:
            condition = unconvertible(item.old, item.new.type, situation.snapshot.major)
        if condition is not None:
            question = f"SELECT {quote_ident(item.name)} FROM {qualified(table.name)} WHERE {condition} LIMIT 20"
            found.append(
                StepCheck(
                    f"{table.name}.{item.name} holds values that {item.new.type} cannot hold: {question}; change them, "
                    "or give the field a conversion of its own",
                    f"SELECT NOT EXISTS (SELECT 1 FROM {qualified(table.name)} WHERE {condition})",
                )
            )
        if item.new.not_null and not item.old.not_null and not item.conversion.fills:
            found.append(checks.no_nulls(table.name, item.name))
        if item.old.identity is not None and item.new.identity is not None:
            found.append(_plain_identity(table.name, item.name))
    if not found:
        return
    yield Operation(
        op="check_values",
        object=_object(table),
        wave="PLAN",
        phase=Phase.PROOF,
        prechecks=tuple(found),
        provides=(shadow_resource(table.name, "checked"),),
        needs=tuple(column_resource(table.name, item.name) for item in table.columns),
        why=("before anything is changed, every value is tried: what has no counterpart stops the plan here",),
        unbounded=True,
    )


def _plain_identity(table: QName, column: str) -> StepCheck:
    sequence = (
        f"pg_catalog.pg_get_serial_sequence({quote_literal(qualified(table))}, {quote_literal(column)})"
        "::pg_catalog.regclass"
    )
    return StepCheck(
        f"the sequence behind {table}.{column} has options of its own (INCREMENT, CACHE, CYCLE, MINVALUE), which the "
        "new column's would not have: change the type by hand",
        "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_sequence AS s "
        f"WHERE s.seqrelid = {sequence} AND s.seqincrement = 1 AND s.seqcache = 1 AND NOT s.seqcycle AND s.seqmin = 1)",
    )


def _object(table: ShadowTable) -> str:
    return ", ".join(f"{table.name}.{item.name}" for item in table.columns)


def _add(table: ShadowTable, situation: Situation) -> Operation:
    name = qualified(table.name)
    sync = Sync(table, situation.tag)
    plain = [_plain(item) for item in table.columns]
    types = tuple(need for item in table.columns for need in situation.type_needs(item.new.type))
    named = ", ".join(f"{item.name} ({item.old.type} to {item.new.type})" for item in table.columns)
    return Operation(
        op="add_shadow_column",
        object=_object(table),
        wave="EXPAND",
        phase=Phase.COLUMN,
        statements=(
            "CREATE SCHEMA IF NOT EXISTS wesley",
            f"ALTER TABLE {name} " + ", ".join(f"ADD COLUMN {ddl.column_definition(item)}" for item in plain),
            *(text for item in plain for text in ddl.column_settings(table.name, item)),
            *sync.forward(),
        ),
        undo=(
            *sync.removed(),
            f"ALTER TABLE {name} " + ", ".join(f"DROP COLUMN {quote_ident(item.name)}" for item in plain),
        ),
        prechecks=(
            *(checks.column_exists(table.name, item.name) for item in table.columns),
            *(checks.column_has_type(table.name, item.name, item.old.type) for item in table.columns),
            *(checks.column_absent(table.name, item.shadow) for item in table.columns),
        ),
        postchecks=tuple(checks.column_has_type(table.name, item.shadow, item.new.type) for item in table.columns),
        provides=(shadow_resource(table.name, "made"),),
        needs=(
            table_resource(table.name),
            shadow_resource(table.name, "checked"),
            shadow_resource(table.name, "swept"),
            *(column_resource(table.name, item.name) for item in table.columns),
            *types,
        ),
        why=(
            f"{named}: another way of storing it, so every row is to be written again. Not under a lock: a second "
            "column is filled beside the first",
            "a trigger gives every row that is written from now on its value in both; a value that has no counterpart "
            "stops the plan later on, and no client",
        ),
    )


def _plain(item: ShadowColumn) -> Column:
    """The new column while nobody knows it: no default, nullable, no comment."""
    return replace(
        item.new, name=item.shadow, not_null=False, not_null_name=None, default=None, identity=None, comment=None
    )


def _fill(table: ShadowTable, situation: Situation) -> Operation:
    live = situation.walked_table(table.name)
    key = walking_key(live)
    values = [(item.shadow, item.conversion.of("t")) for item in table.columns]
    missing = [
        f"t.{quote_ident(item.shadow)} IS NULL AND {item.conversion.of('t')} IS NOT NULL" for item in table.columns
    ]
    condition = " OR ".join(f"({text})" for text in missing) if len(missing) > 1 else missing[0]
    backfill = backfill_rows(live, key, values, f"({condition})")
    along = f"along {', '.join(key)}" if key is not None else "by ranges of blocks, because the table has no key"
    return Operation(
        op="backfill_sql",
        object=_object(table),
        wave="BACKFILL",
        phase=Phase.BACKFILL,
        kind=StepKind.BACKFILL,
        prechecks=tuple(checks.column_exists(table.name, item.shadow) for item in table.columns),
        provides=(shadow_resource(table.name, "filled"),),
        needs=(shadow_resource(table.name, "made"), *situation.walked_needs(table.name, key)),
        why=(
            f"rows from before the trigger get their value, {backfill.batch_rows} at a time {along}, each batch "
            "its own short transaction; rows that have it already are left alone",
            "writers of the rows of one batch wait until that batch is done; triggers of the table fire for every row "
            "that is written",
        ),
        backfill=backfill,
    )


def _later(operation: Operation, table: ShadowTable) -> Operation:
    """After the backfill: an index that is built before would be written to by every batch."""
    return replace(operation, wave="VALIDATE", phase=Phase.INDEX, needs=(shadow_resource(table.name, "filled"),))


def _prove(table: ShadowTable, own: Parts, situation: Situation) -> Iterator[Operation]:
    target = f"ALTER TABLE {qualified(table.name)}"
    helpers = helper_checks(table, situation)
    made = [*helpers, *(part.new for part in own.checks)]
    proven = [*helpers, *(part.new for part in own.checks if part.new.validated and part.new.enforced)]
    sync = Sync(table, situation.tag)
    if not made and not sync.stricter():
        return
    additions = []
    for item in made:
        later = " NOT VALID" if item.enforced else ""
        additions.append(f"ADD CONSTRAINT {quote_ident(item.name)} {ddl.constraint_definition(item)}{later}")
    removals = [f"DROP CONSTRAINT IF EXISTS {quote_ident(item.name)}" for item in made]
    rules = (
        "what holds for the old column holds for the new one too, and that both have the same value is a rule now: "
        "the next step proves it for every row"
    )
    refused = "a value that the declared expression cannot convert is refused from now on, and no longer left out"
    yield Operation(
        op="add_check_not_valid" if made else "refuse_unconvertible",
        object=f"{table.name}.{made[0].name}" if len(made) == 1 else _object(table),
        wave="VALIDATE",
        phase=Phase.CONSTRAINT,
        statements=(*sync.stricter(), *([f"{target} " + ", ".join(additions)] if made else [])),
        undo=(*([f"{target} " + ", ".join(removals)] if made else []), *sync.as_before()),
        prechecks=(
            # A client that may not call what the expression calls would be refused from now on.
            *(_no_value_missing(item, table) for item in table.columns if item.conversion.using),
            *(checks.constraint_absent(table.name, item.name) for item in made),
        ),
        postchecks=tuple(checks.constraint_exists(table.name, item.name) for item in made),
        provides=(shadow_resource(table.name, "checked by rules"),),
        needs=(shadow_resource(table.name, "filled"),),
        why=(*([rules] if made else []), *([refused] if sync.stricter() else [])),
        unbounded=bool(sync.stricter()),
    )
    if not proven:
        return
    restored = [part.old.name for part in own.checks if part.old.validated and part.old.enforced]
    yield Operation(
        op="validate_constraint",
        object=f"{table.name}.{proven[0].name}" if len(proven) == 1 else _object(table),
        wave="VALIDATE",
        phase=Phase.PROOF,
        statements=(f"{target} " + ", ".join(f"VALIDATE CONSTRAINT {quote_ident(item.name)}" for item in proven),),
        # When the exchange is taken back, the old rules come back NOT VALID, and this is where they are proven.
        undo=(f"{target} " + ", ".join(f"VALIDATE CONSTRAINT {quote_ident(name)}" for name in restored),)
        if restored
        else (),
        prechecks=tuple(checks.constraint_exists(table.name, item.name) for item in proven),
        postchecks=tuple(checks.constraint_valid(table.name, item.name) for item in proven),
        provides=(shadow_resource(table.name, "proven"),),
        needs=(shadow_resource(table.name, "checked by rules"),),
        why=("the table is read once under SHARE UPDATE EXCLUSIVE: readers and writers go on",),
        unbounded=True,
    )


def _proof_of_values(item: ShadowColumn, table: ShadowTable) -> StepCheck | None:
    """What no rule on the table can prove, because the value depends on settings: our own session has those of the
    trigger. It reads the table, so it belongs to a step that may take its time."""
    if item.conversion.using:
        return _no_value_missing(item, table)
    if not settings_of(item.old.type, item.new.type, using=False):
        return None
    new = f"pg_catalog.rtrim(t.{quote_ident(item.shadow)}::pg_catalog.text)"
    wanted = f"pg_catalog.rtrim(({item.conversion.of('t')})::pg_catalog.text)"
    return StepCheck(
        f"{table.name} has rows in which {item.shadow} is not what {item.name} converts to: its trigger was disabled "
        "for a while, or another one fires after it; take the run back and plan again",
        f"SELECT NOT EXISTS (SELECT 1 FROM {qualified(table.name)} AS t WHERE {new} IS DISTINCT FROM {wanted})",
    )


def _no_value_missing(item: ShadowColumn, table: ShadowTable) -> StepCheck:
    """Not whether the values are the same: an author's own expression may give another one every time."""
    missing = f"t.{quote_ident(item.shadow)} IS NULL AND {item.conversion.of('t')} IS NOT NULL"
    return StepCheck(
        f"{table.name} has rows that have no value yet in {item.shadow}: its trigger was disabled for a while, or "
        "could not compute it with the rights of who wrote them",
        f"SELECT NOT EXISTS (SELECT 1 FROM {qualified(table.name)} AS t WHERE {missing})",
    )


def _analyze(table: ShadowTable) -> Operation:
    names = quote_idents([item.shadow for item in table.columns])
    proofs = (_proof_of_values(item, table) for item in table.columns)
    return Operation(
        op="analyze",
        object=_object(table),
        wave="VALIDATE",
        phase=Phase.KEY,
        statements=(f"ANALYZE {qualified(table.name)} ({names})",),
        prechecks=(
            *(checks.column_exists(table.name, item.shadow) for item in table.columns),
            *(check for check in proofs if check is not None),
        ),
        provides=(shadow_resource(table.name, "analyzed"),),
        # After the rules: what has no counterpart is found by the proof of these.
        needs=tuple(shadow_resource(table.name, state) for state in ("filled", "checked by rules", "proven")),
        why=("the planner of the server knows the new column before anybody uses it: no query gets a worse plan",),
        unbounded=True,
    )


def key_over_shadows(part: Part[ForeignKey], parts: Parts) -> Iterator[Operation]:
    """The foreign key over the shadows, once both ends are filled: before, it would refuse rows whose other end is
    not."""
    key, old, table = part.new, part.old, part.table
    target = f"ALTER TABLE {qualified(table)}"
    filled = {shadow_resource(member, "filled") for member in (table, key.references)}
    wanted = set(key.referenced_columns)
    unique = {item.new.name for item in parts.on(key.references).keys if set(item.new.columns) == wanted}
    unique |= {
        item.new.name
        for item in parts.on(key.references).indexes
        if item.new.unique and {column.column for column in item.new.keys} == wanted
    }
    leans = [index_resource(key.references, name) for name in sorted(unique)]
    made = f"foreign key {table} {key.name} made"
    proven = old.validated and old.enforced
    yield Operation(
        op="add_foreign_key_not_valid",
        object=f"{table}.{key.name}",
        wave="VALIDATE",
        phase=Phase.FOREIGN_KEY,
        statements=(ddl.add_constraint(table, key, not_valid=key.enforced),),
        undo=(f"{target} DROP CONSTRAINT IF EXISTS {quote_ident(key.name)}",),
        prechecks=(checks.constraint_absent(table, key.name), checks.constraint_exists(table, old.name)),
        postchecks=(checks.constraint_exists(table, key.name),),
        provides=(made,) if proven else (made, shadow_resource(table, "bound")),
        needs=(*sorted(filled), *leans, table_resource(table), table_resource(key.references)),
        why=(
            f"the same as {old.name}, which goes on holding until the exchange",
            f"the other table, {key.references}, is locked too: writers of both wait for a moment",
        ),
    )
    if proven:
        yield Operation(
            op="validate_constraint",
            object=f"{table}.{key.name}",
            wave="VALIDATE",
            phase=Phase.PROOF,
            statements=(f"{target} VALIDATE CONSTRAINT {quote_ident(key.name)}",),
            undo=(f"{target} VALIDATE CONSTRAINT {quote_ident(old.name)}",),
            prechecks=(checks.constraint_exists(table, key.name),),
            postchecks=(checks.constraint_valid(table, key.name),),
            provides=(shadow_resource(table, "bound"),),
            needs=(made,),
            why=("the table is read once under SHARE UPDATE EXCLUSIVE: readers and writers go on",),
            unbounded=True,
        )
