"""Changes of a column's type without writing the table again under a lock.

    EXPAND      a second column of the new type, and a trigger that fills it at every write           prepare, sync
    BACKFILL    the rows from before, in batches                                                      prepare
    VALIDATE    indexes, rules and foreign keys on the new column, built and proven; then the
                exchange of the two columns in one short transaction                                  parts, exchange
    CONTRACT    the old column and its trigger go                                                     finish

``docs/type-changes.md`` tells the same for those who read a plan.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wesley_tui.planner.forms.shadow.exchange import exchange
from wesley_tui.planner.forms.shadow.finish import finish, left_behind, purged
from wesley_tui.planner.forms.shadow.parts import parts_of
from wesley_tui.planner.forms.shadow.prepare import key_over_shadows, prepare
from wesley_tui.planner.operations import Operation
from wesley_tui.planner.shadows import ShadowTable
from wesley_tui.planner.situation import Situation

__all__ = ["change_by_shadow", "left_behind", "purged"]


def change_by_shadow(party: Sequence[ShadowTable], situation: Situation) -> Iterator[Operation]:
    """All operations of one party; the order of what they need and provide puts them in their waves."""
    parts = parts_of(party, situation)
    for table in party:
        yield from prepare(table, parts, situation)
    for part in parts.foreign_keys:
        yield from key_over_shadows(part, parts)
    yield exchange(party, parts, situation)
    for table in party:
        yield from finish(table, parts, situation)
