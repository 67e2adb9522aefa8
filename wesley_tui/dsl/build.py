"""From a hand-written plan to the plan that is shown, reviewed and executed.

What its author wrote is what runs, in that order: each step waits for the one before it. Everything else is the same
as for a plan from a schema: effects, locks and hazards come from the one model, checks and the way back from
:mod:`.facts`, identity from :mod:`wesley_tui.planner.identity`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from pglast.parser import ParseError

from wesley_tui.catalog.fingerprint import fingerprint
from wesley_tui.catalog.model import Catalog, Enum, QName, Ref
from wesley_tui.catalog.snapshot import Snapshot
from wesley_tui.diff.changes import Change, DropColumn, DropEnum, DropTable
from wesley_tui.dsl.backfill import batches
from wesley_tui.dsl.backfill_guard import Allowed, read_backfill
from wesley_tui.dsl.document import DslPlan, DslStep, Limits
from wesley_tui.dsl.facts import Facts, facts_of
from wesley_tui.dsl.script import altered
from wesley_tui.dsl.spelling import qname_of
from wesley_tui.dsl.template import Values, Wrong
from wesley_tui.dsl.vocabulary import OPERATIONS, Word
from wesley_tui.planner import checks
from wesley_tui.planner.build import steps_of
from wesley_tui.planner.effects import EffectContext, effects_of_all
from wesley_tui.planner.forms import operations_for
from wesley_tui.planner.identity import with_identity
from wesley_tui.planner.operations import Operation, Phase
from wesley_tui.planner.parse import check_statement
from wesley_tui.planner.plan import Plan, Step, StepCheck, StepKind, Wave, WaveName
from wesley_tui.planner.profiles import profile_named
from wesley_tui.planner.rates import ASSUMED, Rates
from wesley_tui.planner.situation import PlanOptions, survey
from wesley_tui.planner.verdicts import with_lock_timeout

__all__ = ["build_hand_written"]

_UNWATCHED = frozenset(("validate_constraint", "refresh_materialized_view", "create_materialized_view"))
"""Their duration depends on the data, and nobody waits for them: watched, not cut short."""


def build_hand_written(
    plan: DslPlan,
    snapshot: Snapshot,
    *,
    profile: str = "production",
    allowed: Allowed | None = None,
    rates: Rates = ASSUMED,
) -> Plan:
    """The plan, for the database of ``snapshot``.

    Raises :class:`~wesley_tui.dsl.json_text.PlanError` with the place of a step that cannot be: a statement that
    PostgreSQL's grammar refuses, a table that is not there, a backfill that may not run. ``ValueError`` for a profile
    that does not exist.
    """
    limits = profile_named(profile)
    maker = _Maker(plan, snapshot, allowed or Allowed())
    drafts = [(wave, step, maker.operation(step, wave.name)) for wave in plan.waves for step in wave.steps]
    steps = steps_of([operation for _, _, operation in drafts], snapshot, limits, rates)
    finished = [
        _limited(_in_order(step), wave.limits, step_of.note)
        for (wave, step_of, _), step in zip(drafts, steps, strict=True)
    ]
    waves = []
    for wave in plan.waves:
        members = tuple(step for (own, _, _), step in zip(drafts, finished, strict=True) if own is wave)
        waves.append(Wave(wave.name, members))
    scope = tuple(sorted(maker.scope))
    return with_identity(
        Plan(
            plan_id="",
            base=fingerprint(snapshot.catalog, scope),
            target=_target(plan),
            waves=tuple(waves),
            server_version_num=snapshot.server_version_num,
            profile=profile,
            scope=scope,
            rates=rates.described(),
            title=plan.title,
            reason=plan.reason,
        )
    )


def _target(plan: DslPlan) -> str:
    """What the plan leads to has no schema that could be compared: the document stands for it."""
    value = {name: item for name, item in plan.document.value.items() if name != "$schema"}
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(f"hand-written {text}".encode()).hexdigest()


def _in_order(step: Step) -> Step:
    return replace(step, depends_on=(str(step.ordinal - 1),) if step.ordinal > 1 else ())


def _limited(step: Step, limits: Limits, note: str) -> Step:
    """With what the wave allows, and what its author says about the step."""
    if limits.max_lock_ms is not None:
        step = with_lock_timeout(step, limits.max_lock_ms)
    if limits.max_stmt_ms is not None and step.statement_timeout_ms:
        step = replace(step, statement_timeout_ms=limits.max_stmt_ms)
    if limits.max_retries is not None:
        step = replace(step, max_retries=limits.max_retries)
    if limits.rows_per_second is not None and step.backfill is not None:
        step = replace(step, backfill=replace(step.backfill, rows_per_second=limits.rows_per_second))
    return replace(step, why=(note, *step.why)) if note else step


class _Maker:
    """Makes one operation after the other, each in the catalog that those before it left."""

    def __init__(self, plan: DslPlan, snapshot: Snapshot, allowed: Allowed) -> None:
        self._document = plan.document
        self._snapshot = snapshot
        self._allowed = allowed
        self._context = EffectContext(snapshot.server_version_num, snapshot.timezone, snapshot.catalog)
        self._rows = {str(name): size.reltuples for name, size in snapshot.sizes.items()}
        self._tag = _target(plan)[:8]
        self.scope: set[str] = set()

    def operation(self, step: DslStep, wave: WaveName) -> Operation:
        try:
            operation = self._make(step.values, wave)
            for statement in operation.statements:
                check_statement(statement)
        except Wrong as error:
            raise self._document.error((*step.path, *error.path), error.message, error.offset) from None
        except (ParseError, ValueError) as error:
            raise self._document.error(step.path, f"this makes no statement: {error.args[0]}") from None
        statements = operation.statements or ((operation.backfill.batch_sql,) if operation.backfill else ())
        effects, after = effects_of_all(statements, self._context)
        unknown = self._unknown_table(step.values)
        if unknown is not None:
            raise self._document.error((*step.path, unknown[0]), unknown[1])
        touched = {*effects.locks, *effects.rewrites, *effects.scans, *effects.creates, *effects.writes}
        self.scope |= {f"table {name}" for name in touched if self._is_table(name) or name in effects.creates}
        self.scope |= set(_objects_in(step.values))
        self._context = _with_enum(step.values, after)
        if effects.in_transaction or operation.kind is StepKind.BACKFILL:
            unwatched = operation.op in _UNWATCHED or operation.unbounded
            return replace(operation, unbounded=unwatched)
        if len(operation.statements) != 1:
            raise self._document.error(step.path, "one of these cannot run in a transaction: make it a step of its own")
        return replace(operation, kind=StepKind.AUTOCOMMIT, unbounded=True)

    def _is_table(self, name: str) -> bool:
        schema, _, relation = name.partition(".")
        return QName(schema, relation) in self._snapshot.catalog.tables

    def _unknown_table(self, values: Values) -> tuple[str, str] | None:
        """A table that is neither there nor made by an earlier step; names of views and others are the server's."""
        import difflib

        catalog = self._context.catalog or Catalog()
        for field in ("table", "references", "partition"):
            text = values.get(field)
            made_or_not = values["op"] in ("create_table", "comment") or values.get("if_table_exists")
            if not isinstance(text, str) or (field == "table" and made_or_not):
                continue
            name = qname_of(text)
            others = {item.name for item in catalog.objects.values() if item.kind != "function"}
            if name in catalog.tables or name in others:
                continue
            near = difflib.get_close_matches(str(name), map(str, catalog.tables), 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            return field, f"there is no table {name}{hint}"
        return None

    def _make(self, values: Values, wave: WaveName) -> Operation:
        match values["op"]:
            case "backfill_sql":
                return self._backfill(values, wave)
            case "retire_column" | "retire_table" | "retire_enum":
                return self._retire(values, wave)
            case "require":
                conditions = tuple(StepCheck(item["message"], item["sql"]) for item in values["checks"])
                facts = Facts(before=conditions, danger=values.get("danger", ""))
                return _operation("require", values["checks"][0]["message"], wave, (), [facts])
            case "in_one_transaction":
                return self._together(values, wave)
            case "alter_table":
                return self._altered(values, wave)
            case op:
                word = OPERATIONS[op]
                statement = _rendered(word, values)
                facts = facts_of(values, self._context, self._rows)
                return _operation(op, self._object(word, values), wave, (statement,), [facts])

    def _object(self, word: Word, values: Values) -> str:
        """By the new name; an index that stands alone is named below its table, as everywhere else."""
        index = values.get("index")
        if word.name in ("rename_table", "move_table"):
            old = qname_of(values["table"])
            return str(QName(values.get("schema", old.schema), values.get("to", old.name)))
        if word.name not in ("drop_index", "drop_index_concurrently", "rename_index") or not isinstance(index, str):
            return word.object_of(values)
        name = qname_of(index)
        owner = self._context.index_table(name)
        return f"{owner or name.schema}.{values.get('to', name.name)}"

    def _together(self, values: Values, wave: WaveName) -> Operation:
        """The checks before are those of the first operation, the checks after those of the last: what lies between
        nobody sees."""
        statements: list[str] = []
        facts: list[Facts] = []
        parts: list[Operation] = []
        before = self._context
        for position, item in enumerate(values["steps"]):
            try:
                part = self._make(item, wave)
            except Wrong as error:
                raise Wrong(error.message, ("steps", position, *error.path), error.offset) from None
            unknown = self._unknown_table(item)
            if unknown is not None:
                raise Wrong(unknown[1], ("steps", position, unknown[0]))
            parts.append(part)
            statements += part.statements
            self.scope |= set(_objects_in(item))
            facts.append(_facts_from(part))
            self._context = effects_of_all(part.statements, self._context)[1]
        self._context = before
        op = str(values.get("label", "in_one_transaction"))
        return _operation(op, str(values.get("object", parts[0].object)), wave, tuple(statements), facts)

    def _altered(self, values: Values, wave: WaveName) -> Operation:
        facts: list[Facts] = []
        for position, item in enumerate(values["actions"]):
            whole = {**item, "table": values["table"]}
            try:
                _rendered(OPERATIONS[item["op"]], whole)
            except Wrong as error:
                raise Wrong(error.message, ("actions", position, *error.path), error.offset) from None
            facts.append(facts_of(whole, self._context, self._rows))
        return _operation("alter_table", str(qname_of(values["table"])), wave, (altered(values),), facts)

    def _backfill(self, values: Values, wave: WaveName) -> Operation:
        try:
            statement = read_backfill(values["sql"], self._context.catalog, self._allowed)
            backfill = batches(statement, self._context, repeat=values.get("repeat"), blocks=bool(values.get("blocks")))
        except Wrong as error:
            raise Wrong(error.message, ("sql",), error.offset) from None
        if "batch_rows" in values:
            backfill = replace(backfill, batch_rows=values["batch_rows"])
        columns = [item.name for item in getattr(statement.node, "targetList", None) or ()]
        target = str(statement.target)
        again = (
            "repeated until no row is left" if not backfill.remaining_sql.startswith("SELECT 0") else "each row once"
        )
        return Operation(
            op="backfill_sql",
            object=f"{target}.{columns[0]}" if len(columns) == 1 else target,
            wave=wave,
            phase=Phase.BACKFILL,
            kind=StepKind.BACKFILL,
            prechecks=(
                checks.table_exists(statement.target),
                *(checks.column_exists(statement.target, column) for column in columns),
            ),
            backfill=backfill,
            loses=f"the rows of {target} that it deletes" if "DELETE FROM" in backfill.batch_sql else "",
            why=(f"in batches along {', '.join(backfill.key)}, {again}",),
        )

    def _retire(self, values: Values, wave: WaveName) -> Operation:
        """As the planner does it."""
        catalog = self._context.catalog or Catalog()
        change = _retired(values, catalog)
        snapshot = replace(self._snapshot, catalog=catalog)
        tag = values.get("tag", self._tag)
        situation = survey(snapshot, catalog, (change,), PlanOptions(), tag)
        made = list(operations_for([change], situation))
        return replace(made[-1], wave=wave)


def _with_enum(values: Values, context: EffectContext) -> EffectContext:
    """The effects of later statements do not depend on enums, so the model does not follow them; later steps do."""
    if values["op"] != "create_enum" or context.catalog is None:
        return context
    enum = Enum(qname_of(values["enum"]), tuple(values["values"]))
    return replace(context, catalog=replace(context.catalog, enums={**context.catalog.enums, enum.name: enum}))


def _retired(values: Values, catalog: Catalog) -> Change:
    if values["op"] == "retire_enum":
        enum = catalog.enums.get(qname_of(values["enum"]))
        if enum is None:
            raise Wrong(f"there is no enum {values['enum']}", ("enum",))
        return DropEnum(enum)
    name = qname_of(values["table"])
    table = catalog.tables.get(name)
    if table is None:
        raise Wrong(f"there is no table {name}", ("table",))
    if values["op"] == "retire_table":
        return DropTable(table)
    column = table.column(values["column"])
    if column is None:
        raise Wrong(f"there is no column {name}.{values['column']}", ("column",))
    return DropColumn(name, column)


def _rendered(word: Word, values: Values) -> str:
    """The statement; it must be read as the same operation with the same fields again, so that no field can have
    brought in more than it says."""
    statement = word.sql(values)
    try:
        again = word.recognise(statement)
    except (ParseError, ValueError) as error:
        raise Wrong(f"this makes no statement: {error.args[0]}") from None
    if again is None:
        raise Wrong(f"this makes no {word.name}: {statement:.200}")
    return statement


def _facts_from(operation: Operation) -> Facts:
    return Facts(
        operation.undo, operation.prechecks, operation.postchecks, operation.danger, operation.leftover_check,
        operation.leftover_cleanup, operation.why,
    )  # fmt: skip


def _operation(op: str, name: str, wave: WaveName, statements: tuple[str, ...], facts: Sequence[Facts]) -> Operation:
    whole = all(item.undo for item in facts)
    undo = tuple(statement for item in reversed(facts) for statement in item.undo) if whole else ()
    return Operation(
        op=op,
        object=name,
        wave=wave,
        phase=Phase.SETTING,
        statements=statements,
        undo=undo,
        prechecks=facts[0].before,
        postchecks=facts[-1].after,
        why=tuple(dict.fromkeys(reason for item in facts for reason in item.why)),
        danger="; ".join(dict.fromkeys(item.danger for item in facts if item.danger)),
        leftover_check=facts[0].leftover if len(facts) == 1 else None,
        leftover_cleanup=facts[0].cleanup if len(facts) == 1 else (),
    )


def _objects_in(values: Any) -> Iterator[str]:
    """What an operation names beside tables, as the scope of a fingerprint."""
    for field, kind in (("enum", "enum"), ("type_name", "enum"), ("view", "view"), ("sequence", "sequence")):
        text = values.get(field)
        if isinstance(text, str) and "." in text:
            yield str(Ref(kind, str(qname_of(text))))
