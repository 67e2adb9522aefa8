"""What stands in the way is taken down and put up again, around the change, in the same transaction.

PostgreSQL does not alter the type of a column that a view shows, and does not replace a view that another view reads.
Operations say what they disturb; here everything that stands on that, and on that again, is collected: views,
materialized views with their indexes, rules, triggers, routines whose bodies are read, policies, generated columns,
foreign keys. It is taken down in the order in which it leans on each other, and put up again in its declared form, with
comments and privileges. Nobody sees a moment in between, and nothing is left to CASCADE.

Two operations that need the same object out of their way become one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pglast.stream import RawStream

from wesley_tui.catalog import ddl, ddl_lifecycle
from wesley_tui.catalog.model import Catalog, Check, Column, Exclude, ForeignKey, Policy, QName, Ref, SqlObject, Table
from wesley_tui.catalog.naming import qualified, quote_ident
from wesley_tui.catalog.order import sorted_by_needs
from wesley_tui.diff.constraints import same_constraint, same_index
from wesley_tui.planner.effects.expressions import columns_in, mentions
from wesley_tui.planner.forms.foreign_keys import validate
from wesley_tui.planner.forms.objects import creating, names_of, object_needs
from wesley_tui.planner.operations import (
    TYPE_OF,
    Operation,
    Phase,
    column_resource,
    constraint_resource,
    object_resource,
    ref_resources,
)
from wesley_tui.planner.parse import parse_statement
from wesley_tui.planner.situation import Situation, key_resources

__all__ = ["column_again", "with_objects_aside"]

_KEY = "foreign key"
_POLICY = "policy"
_GENERATED = "generated column"


@dataclass(frozen=True, slots=True)
class _Standing:
    """Something that is taken down and put up again."""

    down: tuple[str, ...]
    up: tuple[str, ...]
    restore: tuple[str, ...]
    """As it was: for the undo."""
    below: tuple[Ref, ...] = ()
    """What it leans on, live."""
    leans_on: tuple[Ref, ...] = ()
    """What it leans on when it is put up again."""
    needs: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()
    later: tuple[Operation, ...] = ()


def with_objects_aside(operations: Sequence[Operation], situation: Situation) -> list[Operation]:
    """The operations, those that disturb something joined with what they take down."""
    if not any(item.disturbs or item.rebuilds for item in operations):
        return list(operations)
    graph = _Graph(situation)
    groups = _Groups(len(operations))
    reached: list[frozenset[Ref]] = []
    owner: dict[Ref, int] = {}
    for position, operation in enumerate(operations):
        found = graph.above(operation.disturbs, operation.rebuilds)
        reached.append(found)
        for ref in found:
            groups.join(position, owner.setdefault(ref, position))
    # A generated column that is taken down for what it is computed from comes back in its new type.
    operations = [
        replace(item, statements=(), undo=(), prechecks=())
        if item.op == "alter_type" and Ref(_GENERATED, item.object) in owner
        else item
        for item in operations
    ]
    for position, operation in enumerate(operations):
        if operation.op == "alter_type" and not operation.statements:
            groups.join(position, owner[Ref(_GENERATED, operation.object)])
    taken = {object_resource(ref, "gone") for ref in situation.leaving.intersection(owner)}
    taken |= {graph.policy_gone(ref) for ref in owner if ref.kind == _POLICY}
    result: list[Operation] = []
    for position, operation in enumerate(operations):
        members = groups.members(position)
        refs = frozenset().union(*(reached[member] for member in members))
        if not refs and not taken.isdisjoint(operation.provides):
            continue  # it goes with the change that it stands in the way of
        if not refs:
            result.append(operation)
        elif members[0] == position:
            result += graph.around([operations[member] for member in members], refs)
    return result


class _Groups:
    """Disjoint sets of positions."""

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))
        self._members: dict[int, list[int]] = {}

    def join(self, first: int, second: int) -> None:
        a, b = self._root(first), self._root(second)
        if a != b:
            low, high = min(a, b), max(a, b)
            self._parent[high] = low
            self._members[low] = sorted(self._members.get(low, [low]) + self._members.pop(high, [high]))

    def members(self, position: int) -> list[int]:
        root = self._root(position)
        return self._members.get(root, [root])

    def _root(self, position: int) -> int:
        while self._parent[position] != position:
            self._parent[position] = self._parent[self._parent[position]]
            position = self._parent[position]
        return position


class _Graph:
    """Who stands on what, in the live catalog under its new names."""

    def __init__(self, situation: Situation) -> None:
        self._situation = situation
        self._live: Catalog = situation.live
        self._standing: dict[Ref, list[Ref]] = {need: list(refs) for need, refs in situation.standing_on.items()}
        self._tables: dict[Ref, tuple[Table, str]] = {}
        for table in self._live.tables.values():
            self._add_parts(table)
        for item in self._live.objects.values():
            if item.kind == "trigger" and item.relation is not None:
                for column in trigger_columns(item.statements[0]):
                    self._standing.setdefault(Ref("column", f"{item.relation}.{column}"), []).append(item.ref)

    def _add_parts(self, table: Table) -> None:
        for policy in table.policies:
            ref = Ref(_POLICY, f"{policy.name} ON {table.name}")
            texts = [text for text in (policy.using, policy.check) if text is not None]
            own = [
                Ref("column", f"{table.name}.{column.name}")
                for column in table.columns
                if any(mentions(text, column.name) for text in texts)
            ]
            for need in (*policy.depends_on, *own):
                self._stand(ref, need, table, policy.name)
        for key in table.foreign_keys:
            ref = Ref(_KEY, f"{key.name} ON {table.name}")
            for column in key.columns:
                self._stand(ref, Ref(TYPE_OF, f"{table.name}.{column}"), table, key.name)
            for column in key.referenced_columns:
                self._stand(ref, Ref(TYPE_OF, f"{key.references}.{column}"), table, key.name)
        for item in table.columns:
            if item.generated is None:
                continue
            ref = Ref(_GENERATED, f"{table.name}.{item.name}")
            self._tables[ref] = (table, item.name)
            for other in table.columns:
                if other is not item and mentions(item.generated.expression, other.name):
                    self._stand(ref, Ref("column", f"{table.name}.{other.name}"), table, item.name)

    def _stand(self, ref: Ref, need: Ref, table: Table, part: str) -> None:
        self._tables[ref] = (table, part)
        self._standing.setdefault(need, []).append(ref)

    def above(self, disturbed: Iterable[Ref], rebuilt: Iterable[Ref]) -> frozenset[Ref]:
        """All that has to go out of the way, transitively."""
        found = set(rebuilt)
        pending = [*disturbed, *rebuilt]
        seen = set(pending)
        while pending:
            for ref in self._standing.get(pending.pop(), ()):
                if ref.kind in ("sequence", "statistics", "extension") or ref in found:
                    continue
                found.add(ref)
                for following in self._also_disturbed(ref):
                    if following not in seen:
                        seen.add(following)
                        pending.append(following)
        return frozenset(found)

    def policy_gone(self, ref: Ref) -> str:
        """What the drop of a policy provides."""
        table, name = self._tables[ref]
        return f"policy {table.name}.{name} gone"

    def _also_disturbed(self, ref: Ref) -> tuple[Ref, ...]:
        if ref.kind == _GENERATED:
            return (ref, Ref("column", ref.name), Ref(TYPE_OF, ref.name))
        return (ref,)

    def around(self, cores: Sequence[Operation], refs: frozenset[Ref]) -> Iterator[Operation]:
        """One operation: down, what the cores do, up; and what is left to do later."""
        items = {ref: self._described(ref) for ref in refs}
        # Who leans on a generated column knows it as a column.
        columns = {Ref("column", ref.name): ref for ref in refs if ref.kind == _GENERATED}
        down_order = sorted_by_needs({ref: _named(item.below, columns) for ref, item in items.items()})[::-1]
        up_order = sorted_by_needs({ref: _named(item.leans_on, columns) for ref, item in items.items()})
        ordered = sorted(cores, key=lambda core: core.phase)
        down = [text for ref in down_order for text in items[ref].down]
        up = [text for ref in up_order for text in items[ref].up]
        first = next((core for core in ordered if core.statements), ordered[0])
        down_again = [text for ref in reversed(up_order) if items[ref].up for text in items[ref].down]
        restore = [text for ref in reversed(down_order) for text in items[ref].restore]
        undo: tuple[str, ...] = ()
        if all(core.undo or core.rebuilds or not core.statements for core in cores):
            undo = (*down_again, *(text for core in reversed(ordered) for text in core.undo), *restore)
        gone = [str(ref) for ref in down_order if ref not in {item for core in cores for item in core.rebuilds}]
        why = [text for core in ordered for text in core.why]
        if gone:
            why.append(
                f"taken down before and put up again after, in the same transaction: {', '.join(gone)}; who asks for "
                "them meanwhile waits, and gets no error"
            )
        leaving = sorted(str(ref) for ref, item in items.items() if item.down and not item.up and ref.kind != _KEY)
        waves = [core.wave for core in cores]
        dangers = [core.danger for core in ordered if core.danger]
        if leaving:
            # It would be in the way until the very end: so the change waits for it.
            waves.append("CONTRACT")
            dangers.append(f"{', '.join(leaving)} is no longer declared, stands in the way, and goes")
        whole = replace(
            first,
            object=first.object if len(cores) == 1 else ", ".join(dict.fromkeys(core.object for core in ordered)),
            wave=max(waves, key=("PLAN", "EXPAND", "BACKFILL", "VALIDATE", "CONTRACT").index),
            phase=max(core.phase for core in cores),
            statements=(*down, *(text for core in ordered for text in core.statements), *up),
            undo=undo,
            prechecks=tuple(check for core in ordered for check in core.prechecks if "_rewrite" not in check.sql),
            postchecks=tuple(check for core in ordered for check in core.postchecks),
            provides=tuple(
                dict.fromkeys(
                    (
                        *(text for core in ordered for text in core.provides),
                        *(text for item in items.values() for text in item.provides),
                    )
                )
            ),
            needs=tuple(
                dict.fromkeys(
                    (
                        *(text for core in ordered for text in core.needs),
                        *(text for item in items.values() for text in item.needs),
                    )
                )
            ),
            why=tuple(dict.fromkeys(why)),
            loses="; ".join(core.loses for core in ordered if core.loses),
            danger="; ".join(dangers),
            kept=next((core.kept for core in ordered if core.kept), "it stands again at the end of the transaction"),
            small=tuple(name for core in ordered for name in core.small),
            unbounded=any(core.unbounded for core in cores) or any(ref.kind == "materialized view" for ref in refs),
            disturbs=(),
            rebuilds=(),
            lenient=False,
        )
        if up and not any(core.statements for core in cores):
            taken_down = replace(whole, statements=tuple(down), undo=tuple(restore))
            put_up = replace(whole, statements=tuple(up), undo=tuple(down_again))
            whole = replace(whole, apart=_in_two(taken_down, put_up))
        yield whole
        for item in items.values():
            yield from item.later

    def _described(self, ref: Ref) -> _Standing:
        if ref.kind == _POLICY:
            table, name = self._tables[ref]
            return self._policy(table, name)
        if ref.kind == _KEY:
            table, name = self._tables[ref]
            return self._key(table, name)
        if ref.kind == _GENERATED:
            table, name = self._tables[ref]
            return self._column(table, name)
        return self._object(self._live.objects[ref])

    def _object(self, live: SqlObject) -> _Standing:
        if live.ref in self._situation.leaving or live.relation in self._situation.dropped:
            return _Standing(
                down=ddl_lifecycle.drop_object(live),
                up=(),
                restore=creating(live),
                below=live.depends_on,
                needs=self._situation.gone_before(live.ref),
                provides=(object_resource(live.ref, "gone"), *names_of(live)),
            )
        wanted = self._situation.desired.objects.get(live.ref, live)
        grants = tuple(
            item for item in live.grants if item.column is None or not wanted.columns or item.column in wanted.columns
        )
        indexes = live.indexes if wanted.statements == live.statements else wanted.indexes
        again = replace(wanted, grants=grants, indexes=indexes)
        return _Standing(
            down=ddl_lifecycle.drop_object(live) if live.kind != "other" else (),
            up=creating(again),
            restore=creating(live),
            below=live.depends_on,
            leans_on=wanted.depends_on,
            needs=object_needs(wanted, self._situation),
            provides=(object_resource(live.ref), object_resource(live.ref, "off")),
        )

    def _policy(self, table: Table, name: str) -> _Standing:
        live = next(item for item in table.policies if item.name == name)
        desired = self._situation.desired.tables.get(table.name)
        declared = desired.policies if desired is not None else (live,)
        wanted = next((item for item in declared if item.name == name), None)

        def made(policy: Policy) -> tuple[str, ...]:
            comment = policy.comment
            return (
                ddl.create_policy(table.name, policy),
                *((ddl.comment_on("policy", table.name, name, comment),) if comment is not None else ()),
            )

        if wanted is None:
            ref = Ref(_POLICY, f"{name} ON {table.name}")
            return _Standing(
                down=(ddl.drop_policy(table.name, live),),
                up=(),
                restore=made(live),
                below=live.depends_on,
                provides=(self.policy_gone(ref),),
            )
        return _Standing(
            down=(ddl.drop_policy(table.name, live),),
            up=made(wanted),
            restore=made(live),
            below=live.depends_on,
            leans_on=wanted.depends_on,
            needs=ref_resources(wanted.depends_on),
        )

    def _key(self, table: Table, name: str) -> _Standing:
        """Put up NOT VALID, and proven later; one that is no longer declared the same stays down, see
        :func:`wesley_tui.planner.forms.constraints.drop_constraint`."""
        live = next(key for key in table.foreign_keys if key.name == name)
        drop = f"ALTER TABLE {qualified(table.name)} DROP CONSTRAINT {quote_ident(name)}"
        again = (
            () if (table.name, name) in self._situation.keys_aside else self._key_made(table.name, live, valid=False)
        )
        later: tuple[Operation, ...] = ()
        if again and live.validated and live.enforced:
            later = (validate(table.name, name),)
        return _Standing(
            down=(drop,),
            up=again,
            restore=self._key_made(table.name, live, valid=True),
            needs=key_resources(self._situation, live.references, live.referenced_columns),
            provides=(
                constraint_resource(table.name, name),
                constraint_resource(table.name, name, "gone"),
            ),
            later=later,
        )

    def _key_made(self, table: QName, key: ForeignKey, *, valid: bool) -> tuple[str, ...]:
        # A partitioned table takes NOT VALID from PostgreSQL 18 on.
        live = self._live.tables.get(table)
        whole = live is not None and live.partition_by is not None and self._situation.snapshot.major < 18
        return (
            ddl.add_constraint(table, key, not_valid=not valid and not whole and key.enforced),
            *((ddl.comment_on("constraint", table, key.name, key.comment),) if key.comment is not None else ()),
        )

    def _column(self, table: Table, name: str) -> _Standing:
        live = table.column(name)
        assert live is not None
        desired = self._situation.desired.tables.get(table.name)
        wanted = desired.column(name) if desired is not None else None
        return _Standing(
            down=(f"ALTER TABLE {qualified(table.name)} DROP COLUMN {quote_ident(name)}",),
            up=tuple(column_again(table, desired or table, wanted or live)),
            restore=tuple(column_again(table, table, live)),
            below=(),
            provides=(column_resource(table.name, name), column_resource(table.name, name, "typed")),
            needs=ref_resources((desired or table).depends_on),
        )


def _in_two(down: Operation, up: Operation) -> tuple[Operation, ...]:
    """Taken down by one step, put up by another one: what comes between cannot stand beside the old definition, and
    the new one cannot do without it."""
    kind = down.op.removeprefix("replace_")
    off = tuple(text for text in down.provides if text.endswith((" off", " gone")))
    why = ("what it leans on is exchanged between its old definition and its new one: there is no moment for both",)
    first = replace(
        down,
        op=f"drop_{kind}",
        wave="CONTRACT",
        phase=Phase.DROP_VIEW,
        provides=off,
        needs=tuple(text for text in down.needs if text.endswith(" gone")),
        why=why,
        kept="",
        danger=f"clients that use {down.object} get an error until it stands again",
        unbounded=False,
    )
    second = replace(
        up,
        op=f"create_{kind}",
        wave="CONTRACT",
        provides=tuple(text for text in up.provides if text not in off),
        needs=(*(text for text in up.needs if text not in off), *off),
        why=why,
        kept="",
    )
    return first, second


def trigger_columns(statement: str) -> frozenset[str]:
    """Columns that ``UPDATE OF`` and ``WHEN`` of a trigger name."""
    upper = statement.upper()
    if " OF " not in upper and "WHEN" not in upper:
        return frozenset()
    node = parse_statement(statement)
    found = {column.sval for column in node.columns or ()}
    if node.whenClause is not None:
        found |= columns_in(RawStream()(node.whenClause)) or set()
    return frozenset(found)


def _named(needs: Iterable[Ref], names: Mapping[Ref, Ref]) -> list[Ref]:
    return [names.get(need, need) for need in needs]


def column_again(live: Table, wanted: Table, column: Column) -> Iterator[str]:
    """A column that was dropped, with what PostgreSQL dropped along with it and the schema still wants: settings,
    comment, constraints and indexes."""
    table = live.name
    yield f"ALTER TABLE {qualified(table)} ADD COLUMN {ddl.column_definition(column)}"
    yield from ddl.column_settings(table, column)
    if column.comment is not None:
        yield ddl.comment_on("column", table, column.name, column.comment)
    types = {item.name: item.type for item in wanted.columns}
    for constraint in live.constraints:
        same = next((item for item in wanted.constraints if item.name == constraint.name), None)
        if same is None or isinstance(same, ForeignKey) or not same_constraint(constraint, same, types):
            continue
        if isinstance(same, Check):
            concerned = mentions(same.expression, column.name)
        elif isinstance(same, Exclude):
            concerned = any(key.column == column.name for key, _ in same.elements)
        else:
            concerned = column.name in (*same.columns, *same.include)
        if concerned:
            yield ddl.add_constraint(table, same)
            if same.comment is not None:
                yield ddl.comment_on("constraint", table, same.name, same.comment)
    for index in live.indexes:
        kept = next((item for item in wanted.indexes if item.name == index.name), None)
        if kept is None or not same_index(index, kept, types):
            continue
        texts = [text for text in (kept.where, *(key.expression for key in kept.keys)) if text is not None]
        plain = column.name in kept.include or any(key.column == column.name for key in kept.keys)
        if plain or any(mentions(text, column.name) for text in texts):
            yield ddl.create_index(table, kept)
            if kept.comment is not None:
                yield ddl.comment_on("index", table, kept.name, kept.comment)
