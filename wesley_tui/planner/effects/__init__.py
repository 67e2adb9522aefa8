"""The one model of effects: what any statement does to those who use the database at the same time.

:func:`effects_of` parses a statement with PostgreSQL's own grammar and asks the function that is registered for its
node (:mod:`.registry`) or, for ALTER TABLE, for each of its subcommands (:mod:`.target`). What it answers is compared
with ``pg_locks`` on real servers by ``tests/integration/test_effects_measured.py``; a form that nobody has registered
is *unknown*, and unknown is dangerous.
"""

from wesley_tui.planner.effects.context import EffectContext
from wesley_tui.planner.effects.evolve import advance, advance_node
from wesley_tui.planner.effects.read import effects_of, effects_of_all, effects_of_node
from wesley_tui.planner.effects.record import Effects

__all__ = [
    "EffectContext",
    "Effects",
    "advance",
    "advance_node",
    "effects_of",
    "effects_of_all",
    "effects_of_node",
]
