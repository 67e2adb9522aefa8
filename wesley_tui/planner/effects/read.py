"""Read a statement and ask who knows it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pglast.parser import ParseError

from wesley_tui.planner.effects import (
    alter_columns,
    alter_constraints,
    alter_table,
    creating,
    dropping,
    maintenance,
    partitions,
    queries,
    renaming,
    server_wide,
)
from wesley_tui.planner.effects.consequences import add_consequences
from wesley_tui.planner.effects.context import EffectContext
from wesley_tui.planner.effects.evolve import advance
from wesley_tui.planner.effects.record import Effects, Tally, merged
from wesley_tui.planner.effects.registry import read
from wesley_tui.planner.effects.tree import parse_one

__all__ = ["RULE_MODULES", "effects_of", "effects_of_all", "effects_of_node"]

RULE_MODULES = (
    *(alter_table, alter_columns, alter_constraints, partitions, creating, dropping),
    *(renaming, maintenance, queries, server_wide),
)
"""Imported for what they register."""


def effects_of(statement: str, context: EffectContext) -> Effects:
    """What one statement does; ``Effects.unknown`` says so when it cannot be parsed or no rule knows it."""
    try:
        node = parse_one(statement)
    except (ParseError, ValueError) as error:
        return Effects(unknown=f"the statement cannot be parsed: {error}")
    return effects_of_node(node, context)


def effects_of_node(node: Any, context: EffectContext) -> Effects:
    """:func:`effects_of` of a statement that is parsed already (``tree.parse_script``)."""
    tally = Tally()
    read(node, context, tally)
    add_consequences(node, context, tally)
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
