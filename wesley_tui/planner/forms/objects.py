"""What is kept as SQL: create, replace in place, comment, privileges, drop.

What cannot be replaced in place is taken down and put up again with all that stands on it: the form says so with
:attr:`Operation.rebuilds`, and :mod:`wesley_tui.planner.aside` does it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from wesley_tui.catalog import ddl, ddl_lifecycle
from wesley_tui.catalog.ddl_grants import change_grants, plain_arguments
from wesley_tui.catalog.model import QName, Ref, SqlObject
from wesley_tui.catalog.naming import qualified, quote_ident, quote_literal
from wesley_tui.diff.changes import (
    ChangeGrants,
    ChangeObjectComment,
    ChangeSequenceOwner,
    CreateObject,
    DropObject,
    ReplaceObject,
)
from wesley_tui.planner.forms.resting import moved, renamed, type_names
from wesley_tui.planner.operations import (
    TYPE_OF,
    Operation,
    Phase,
    column_resource,
    constraint_resource,
    name_resource,
    object_resource,
    ref_resources,
    schema_resource,
    table_resource,
)
from wesley_tui.planner.recompiling import compiled_again_in_place
from wesley_tui.planner.replacement import in_place
from wesley_tui.planner.situation import RETIRED_SCHEMA, Situation

__all__ = [
    "change_grants_of",
    "change_object_comment",
    "change_sequence_owner",
    "create_object",
    "creating",
    "drop_object",
    "groups_by_key",
    "is_read",
    "names_of",
    "object_needs",
    "replace_object",
]

_CREATE_PHASE = {
    "extension": Phase.EXTENSION,
    "sequence": Phase.SEQUENCE,
    "domain": Phase.TYPE,
    "composite type": Phase.TYPE,
    "range type": Phase.TYPE,
    "function": Phase.ROUTINE,
    "procedure": Phase.ROUTINE,
    "aggregate": Phase.ROUTINE,
    "view": Phase.VIEW,
    "materialized view": Phase.VIEW,
    "trigger": Phase.TRIGGER,
    "rule": Phase.TRIGGER,
    "event trigger": Phase.TRIGGER,
    "statistics": Phase.SETTING,
    "publication": Phase.SETTING,
    "default privileges": Phase.PRIVILEGE,
    "other": Phase.PRIVILEGE,
    "collation": Phase.EXTENSION,
    "text search dictionary": Phase.EXTENSION,
    "text search configuration": Phase.TYPE,
    "foreign-data wrapper": Phase.EXTENSION,
    "server": Phase.TYPE,
    "operator": Phase.ROUTINE,
    "operator family": Phase.ROUTINE,
    "operator class": Phase.ROUTINE,
    "cast": Phase.ROUTINE,
    "foreign table": Phase.TABLE,
}
_DROP_PHASE = {
    "view": Phase.DROP_VIEW,
    "materialized view": Phase.DROP_VIEW,
    "function": Phase.DROP_ROUTINE,
    "procedure": Phase.DROP_ROUTINE,
    "aggregate": Phase.DROP_ROUTINE,
    "sequence": Phase.DROP_SEQUENCE,
    "domain": Phase.DROP_TYPE,
    "composite type": Phase.DROP_TYPE,
    "range type": Phase.DROP_TYPE,
    "extension": Phase.DROP_EXTENSION,
    "collation": Phase.DROP_TYPE,
    "text search dictionary": Phase.DROP_TYPE,
    "text search configuration": Phase.DROP_TYPE,
    "foreign-data wrapper": Phase.DROP_EXTENSION,
    "server": Phase.DROP_EXTENSION,
    "operator": Phase.DROP_ROUTINE,
    "operator family": Phase.DROP_ROUTINE,
    "operator class": Phase.DROP_ROUTINE,
    "cast": Phase.DROP_ROUTINE,
    "foreign table": Phase.DROP_TABLE,
}
_NAMED_LIKE_TABLES = frozenset(
    ("view", "materialized view", "sequence", "composite type", "domain", "range type", "foreign table")
)
_RETIRED = frozenset(("sequence", "domain", "composite type", "range type", "function", "procedure", "aggregate"))
"""What retired tables and columns may still need: it is retired with them."""
_ROUTINES = frozenset(("function", "procedure", "aggregate"))
_BODIES_UNREAD = "SELECT pg_catalog.set_config('check_function_bodies', 'off', true)"


def creating(item: SqlObject) -> tuple[str, ...]:
    """All that makes the object. Bodies of routines are not looked into: what they name may come later."""
    statements = ddl_lifecycle.create_object(item)
    return (_BODIES_UNREAD, *statements) if item.kind in _ROUTINES else statements


def _op(verb: str, item: SqlObject) -> str:
    return f"{verb}_{item.kind.replace(' ', '_').replace('-', '_')}"


def names_of(item: SqlObject) -> tuple[str, ...]:
    """Names that tables and indexes could want; functions and procedures share theirs too."""
    if item.kind in _ROUTINES:
        return (f"routine {item.name}({plain_arguments(item)})",)
    if item.kind not in _NAMED_LIKE_TABLES:
        return ()
    own = (name_resource(item.name.schema, item.name.name),)
    return (*own, *(name_resource(item.name.schema, index.name) for index in item.indexes))


def object_needs(item: SqlObject, situation: Situation) -> tuple[str, ...]:
    """What must be there before ``item``. A view may group by a primary key and show all columns. Of a table, it needs
    the columns that it names."""
    needs = list(ref_resources(item.depends_on))
    if item.kind not in ("function", "procedure") or is_read(item):
        needs += _columns_named(item, situation)
    if item.name.schema:
        needs.append(schema_resource(item.name.schema))
    if item.relation is not None:
        needs += (table_resource(item.relation), object_resource(Ref("view", str(item.relation))))
    if item.kind in ("view", "materialized view"):
        for ref in item.depends_on:
            key = situation.primary_keys.get(ref.name) if ref.kind == "table" else None
            if key is not None:
                needs.append(constraint_resource(QName(*_split(ref.name)), key.name))
    return tuple(needs)


def _columns_named(item: SqlObject, situation: Situation) -> Iterator[str]:
    """Columns of the tables that ``item`` needs, as far as the plan adds or changes them and a statement names them."""
    for ref in item.depends_on:
        table = QName(*_split(ref.name)) if ref.kind == "table" else None
        wanted = situation.desired.tables.get(table) if table is not None else None
        if table is None or wanted is None or table in situation.created:
            continue
        live = situation.live_table(table)
        for column in wanted.columns:
            if live.column(column.name) != column and any(column.name in text for text in item.statements):
                yield column_resource(table, column.name)
                yield column_resource(table, column.name, "typed")


def _split(name: str) -> tuple[str, str]:
    schema, _, rest = name.partition(".")
    return schema, rest


def groups_by_key(item: SqlObject) -> bool:
    """Whether a view may lean on a primary key: one that groups by it may show all columns."""
    return item.kind in ("view", "materialized view") and "GROUP BY" in item.statements[0].upper()


def create_object(change: CreateObject, situation: Situation) -> Iterator[Operation]:
    item = change.object
    if item.ref in situation.numbered:
        return
    undo = ddl_lifecycle.drop_object(item) if item.kind != "other" or item.drop is not None else ()
    why: tuple[str, ...] = ("it is new: nobody uses it yet",)
    if item.kind == "materialized view":
        why = ("its query runs once, while readers and writers of its tables go on", *why)
    yield Operation(
        op=_op("create", item) if item.kind != "other" else "run_sql",
        object=item.ref.name,
        wave="EXPAND",
        phase=_CREATE_PHASE[item.kind],
        statements=creating(item),
        undo=undo,
        provides=(object_resource(item.ref),),
        needs=(*object_needs(item, situation), *names_of(item)),
        why=why,
        unbounded=item.kind == "materialized view",
        lenient=item.kind in ("function", "procedure") and not is_read(item),
    )


def is_read(item: SqlObject) -> bool:
    """Whether the server reads the body when it makes the routine: those in SQL's own form."""
    body = item.statements[0].upper()
    return "BEGIN ATOMIC" in body or ("$" not in body and " AS '" not in body)


def replace_object(change: ReplaceObject, situation: Situation) -> Iterator[Operation]:
    old, new = change.old, change.new
    leaning = groups_by_key(old) and any(
        ref.kind == "table" and QName(*_split(ref.name)) in situation.exchanged for ref in old.depends_on
    )
    # What leans on a primary key that is exchanged is not there while it is.
    forward = in_place(old, new, situation.snapshot.major) if not leaning else None
    base = Operation(
        op=_op("replace", new) if new.kind != "other" else "run_sql",
        object=new.ref.name,
        wave="EXPAND",
        phase=_CREATE_PHASE[new.kind],
        provides=(object_resource(new.ref), object_resource(old.ref, "off")),
        needs=object_needs(new, situation),
        lenient=new.kind in ("function", "procedure") and not is_read(new),
    )
    if forward is not None:
        backward = in_place(new, old, situation.snapshot.major) or ()
        unread = (_BODIES_UNREAD,) if new.kind in _ROUTINES else ()
        if not forward:
            return
        yield replace(
            base,
            statements=(*unread, *forward),
            undo=(*unread, *backward) if backward else (),
            why=("replaced in place: what uses it goes on, by the new definition from that moment on",),
            unbounded=any("VALIDATE" in statement for statement in forward),
            kept="it stands in its new definition at the end of the same transaction",
        )
        return
    if new.kind == "other":
        yield replace(
            base, statements=new.statements, undo=old.statements, why=("the statement is run again as it is written",)
        )
        return
    used = any(old.ref in table.depends_on for table in situation.live.tables.values())
    if used and new.kind in ("domain", "composite type", "range type"):
        yield _exchanged(old, new, base, situation)
        return
    phase = Phase.RECREATE if base.phase < Phase.RECREATE else base.phase
    yield replace(
        base,
        phase=phase,
        rebuilds=(new.ref,),
        kept="it stands again, in its new definition, at the end of the same transaction",
        unbounded=new.kind == "materialized view",
        lenient=False,
    )


def _exchanged(old: SqlObject, new: SqlObject, base: Operation, situation: Situation) -> Operation:
    """A type that cannot be altered into the other: the old one makes way under another name, columns change over to
    the new one through text, and the old one rests for what was retired and has it still."""
    resting = situation.resting_name(old.name, shared=True)
    away = replace(old, name=QName(old.name.schema, resting))
    spelled = type_names(new)
    columns = [
        (table.name, column)
        for table in situation.live.tables.values()
        if old.ref in table.depends_on and (table.name in situation.desired.tables)
        for column in table.columns
        if column.type.removesuffix("[]") in spelled and situation.desired_column(table.name, column.name) is not None
    ]
    changes = []
    for table, column in columns:
        name = quote_ident(column.name)
        through = "text[]" if column.type.endswith("[]") else "text"
        action = f"ALTER COLUMN {name} TYPE {column.type} USING {name}::{through}::{column.type}"
        if column.default is not None:
            wanted = situation.desired_column(table, column.name)
            action = f"ALTER COLUMN {name} DROP DEFAULT, {action}"
            if wanted is not None and wanted.default is not None:
                action += f", ALTER COLUMN {name} SET DEFAULT {ddl.default_clause(wanted.default)}"
        changes.append(f"ALTER TABLE {qualified(table)} {action}")
    for table in dict.fromkeys(table for table, _ in columns):
        changes += compiled_again_in_place(table, situation)
    return replace(
        base,
        phase=Phase.COLUMN,
        statements=(
            *renamed(old, resting),
            *ddl_lifecycle.create_object(new),
            *changes,
            f"CREATE SCHEMA IF NOT EXISTS {RETIRED_SCHEMA}",
            *moved(away, RETIRED_SCHEMA),
        ),
        disturbs=(
            old.ref,
            *(Ref(kind, f"{table}.{column.name}") for table, column in columns for kind in ("column", TYPE_OF)),
        ),
        danger=f"every value of type {new.name} is turned into text and read again as the new type: one that does not "
        "fit stops the step, and undoes it"
        if columns
        else "",
        unbounded=bool(columns),
        lenient=False,
    )


def drop_object(change: DropObject, situation: Situation) -> Iterator[Operation]:
    item = change.object
    if item.ref in situation.outnumbered or (item.kind == "other" and item.drop is None):
        return
    if item.kind == "statistics" and any(
        Ref("column", f"{table}.{column}") in item.depends_on for table, column in situation.anew
    ):
        return  # PostgreSQL drops it with the column
    base = Operation(
        op=_op("drop", item),
        object=item.ref.name,
        wave="CONTRACT",
        phase=_DROP_PHASE.get(item.kind, Phase.DROP_TRIGGER),
        statements=ddl_lifecycle.drop_object(item),
        undo=(*creating(item), *((ddl_lifecycle.own_sequence(item.name, item.owned_by),) if item.owned_by else ())),
        provides=(object_resource(item.ref, "gone"), *names_of(item)),
        needs=situation.gone_before(item.ref),
        danger=_danger(item),
    )
    # A view is dropped, its text is all there is of it: what stands on the type of its rows cannot outlive it.
    on_a_view = any(
        need.kind in ("view", "materialized view") and need in situation.leaving for need in item.depends_on
    )
    if item.kind not in _RETIRED or situation.options.purge or on_a_view:
        yield base
        return
    yield _retired(item, base, situation)


def _retired(item: SqlObject, base: Operation, situation: Situation) -> Operation:
    """Moved away, not dropped: retired tables and columns may need it, and a sequence keeps its position."""
    resting = QName(RETIRED_SCHEMA, situation.resting_name(item.name, shared=True))
    away = replace(item, name=QName(item.name.schema, resting.name))
    rested = replace(item, name=resting)
    forward, backward = [f"CREATE SCHEMA IF NOT EXISTS {RETIRED_SCHEMA}"], []
    if item.owned_by is not None:
        forward.append(ddl_lifecycle.own_sequence(item.name, None))
        backward.append(ddl_lifecycle.own_sequence(item.name, item.owned_by))
    forward += (*renamed(item, resting.name), *moved(away, RETIRED_SCHEMA))
    backward = [*moved(rested, item.name.schema), *renamed(away, item.name.name), *backward]
    return replace(
        base,
        op=_op("retire", item),
        statements=tuple(forward),
        undo=tuple(backward),
        why=(f"retired, not dropped: it rests as {resting} until it is purged, for what was retired and needs it",),
        retires=True,
        danger="" if item.kind == "sequence" else base.danger,
    )


def _danger(item: SqlObject) -> str:
    match item.kind:
        case "sequence":
            return f"sequence {item.name} is dropped: the number that it has reached is lost"
        case "trigger" | "rule" | "event trigger":
            return f"{item.ref} no longer runs: what it kept in order is nobody's business then"
        case "statistics":
            return ""
        case "default privileges":
            return "objects that are made later get other privileges"
        case _:
            return f"clients that still use {item.ref} get an error"


def change_object_comment(change: ChangeObjectComment, _: Situation) -> Iterator[Operation]:
    item = change.object

    def statement(text: str | None) -> str:
        if change.part is None:
            return ddl_lifecycle.comment_on_object(item, text)
        return ddl_lifecycle.comment_on_part(item, change.part, text)

    yield Operation(
        op="comment",
        object=f"{item.ref}" + (f" {change.part}" if change.part is not None else ""),
        wave="EXPAND",
        phase=Phase.COMMENT,
        statements=(statement(change.new),),
        undo=(statement(change.old),),
        needs=(object_resource(item.ref),),
    )


def change_sequence_owner(change: ChangeSequenceOwner, situation: Situation) -> Iterator[Operation]:
    """A sequence that begins to number a column with rows goes on after the highest number in use."""
    ref = Ref("sequence", str(change.sequence))
    if ref in situation.numbered:
        return
    if change.old is not None and situation.is_left_by(change.sequence):
        # It would go where its table or column goes, and that comes before its new owner may be there.
        yield Operation(
            op="own_sequence",
            object=str(change.sequence),
            wave="EXPAND",
            phase=Phase.MOVE_AWAY,
            statements=(ddl_lifecycle.own_sequence(change.sequence, None),),
            undo=(ddl_lifecycle.own_sequence(change.sequence, change.old),),
            provides=(object_resource(ref, "off"),),
        )
        if change.new is None:
            return
        change = replace(change, old=None)
    statements = [ddl_lifecycle.own_sequence(change.sequence, change.new)]
    needs = [object_resource(ref)]
    if change.new is not None:
        table, column = change.new
        needs += [table_resource(table), column_resource(table, column), column_resource(table, column, "typed")]
        live = situation.live_table(table).column(column)
        if change.old is None and ref not in situation.live.objects and live is not None:
            name, target = quote_ident(column), qualified(table)
            statements.append(
                f"SELECT pg_catalog.setval({quote_literal(qualified(change.sequence))}, "
                f"COALESCE((SELECT pg_catalog.max({name}) FROM {target}), 0) + 1, false)"
            )
    yield Operation(
        op="own_sequence",
        object=str(change.sequence),
        wave="EXPAND",
        phase=Phase.COLUMN,
        statements=tuple(statements),
        undo=(ddl_lifecycle.own_sequence(change.sequence, change.old),),
        needs=tuple(needs),
    )


def change_grants_of(change: ChangeGrants, _: Situation) -> Iterator[Operation]:
    """What is given comes in EXPAND; what is taken away in CONTRACT, when everybody uses what is new."""
    before = {(item.grantee, item.column, item.privilege): item for item in change.old if not item.revoked}
    after = {(item.grantee, item.column, item.privilege): item for item in change.new if not item.revoked}
    both = {
        key: after[key]
        if key in after and (after[key].grantable or key not in before)
        else before.get(key, after.get(key))
        for key in before.keys() | after.keys()
    }
    withheld = tuple(item for item in change.old if item.revoked and item in change.new)
    middle = (*(item for _, item in sorted(both.items(), key=str) if item is not None), *withheld)
    given = change_grants(change.target, change.old, middle)
    taken = change_grants(change.target, middle, change.new)
    base = Operation(
        op="grant",
        object=change.ref.name,
        wave="EXPAND",
        phase=Phase.PRIVILEGE,
        needs=(
            *ref_resources((change.ref,)),
            *(
                f"column {change.ref.name}.{item.column} exists"
                for item in (*change.old, *change.new)
                if item.column is not None
            ),
        ),
    )
    if given:
        yield replace(base, statements=given, undo=change_grants(change.target, middle, change.old))
    if taken:
        roles = ", ".join(sorted({item.grantee for item in (*change.old, *change.new)}))
        yield replace(
            base,
            op="revoke",
            wave="CONTRACT",
            phase=Phase.DROP_TRIGGER,
            statements=taken,
            undo=change_grants(change.target, change.new, middle),
            danger=f"clients that use {change.ref.name} by privileges that are taken away get an error ({roles})",
        )
