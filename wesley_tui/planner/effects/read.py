"""Read a statement and ask who knows it."""

from __future__ import annotations

from collections.abc import Iterable

from pglast.parser import ParseError

from wesley_tui.planner.effects import alter_table, statements
from wesley_tui.planner.effects.context import EffectContext
from wesley_tui.planner.effects.evolve import advance
from wesley_tui.planner.effects.record import Effects, Tally, merged
from wesley_tui.planner.parse import parse_statement

__all__ = ["effects_of", "effects_of_all"]


def effects_of(statement: str, context: EffectContext) -> Effects:
    """What one statement does; ``Effects.unknown`` says so when it cannot be parsed or no rule knows it."""
    tally = Tally()
    try:
        node = parse_statement(statement)
    except (ParseError, ValueError) as error:
        return Effects(unknown=f"the statement cannot be parsed: {error}")
    if type(node).__name__ == "AlterTableStmt":
        alter_table.read(node, context, tally)
    else:
        statements.read(node, context, tally)
    return tally.effects()


def effects_of_all(sequence: Iterable[str], context: EffectContext) -> tuple[Effects, EffectContext]:
    """What several statements of one transaction do together, each read in the catalog that those before it left;
    and that catalog after the last one."""
    parts = []
    for statement in sequence:
        part = effects_of(statement, context)
        parts.append(part)
        context = advance(statement, context)
    return merged(parts), context
