"""What is checked before and after an operation, how it is taken back, and what its SQL alone does not show.

For every operation the same questions, answered from the catalog as it is when the operation's turn comes: is what it
needs there, is what it makes new, how does one get back to the definition that stands now. What cannot be told (the
catalog does not know the object) is left out; the server says it then.
"""

from __future__ import annotations

from collections.abc import Mapping

from wesley_tui.dsl.facts_objects import OBJECT_FACTS
from wesley_tui.dsl.facts_tables import TABLE_FACTS
from wesley_tui.dsl.facts_view import Facts, View
from wesley_tui.dsl.spelling import qname_of
from wesley_tui.dsl.template import Values
from wesley_tui.planner.effects import EffectContext

__all__ = ["Facts", "facts_of"]


def facts_of(values: Values, context: EffectContext, rows: Mapping[str, float]) -> Facts:
    """``rows``: estimated rows by ``schema.table``; a table that is not there has an unknown number."""
    answer = TABLE_FACTS.get(values["op"]) or OBJECT_FACTS.get(values["op"])
    if answer is None:
        return Facts()
    table = values.get("table")
    name = qname_of(table) if isinstance(table, str) else None
    estimate = 0.0 if name in context.created else rows.get(str(name), -1.0)
    return answer(View(values, context, estimate))
