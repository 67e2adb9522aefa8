"""Whether two types are stored alike, as far as domains are concerned: a value of a domain is one of the type under it.

From a domain PostgreSQL changes to the type under it in its catalog alone. The way there is as short only when the
domain has no rules: else every value is held against them (``ATColumnChangeRequiresRewrite()``).
"""

from __future__ import annotations

from wesley_tui.catalog.model import Catalog
from wesley_tui.planner.casts import is_metadata_only
from wesley_tui.planner.effects import EffectContext

__all__ = ["is_stored_alike"]


def is_stored_alike(old: str, new: str, live: Catalog, desired: Catalog, *, timezone: str) -> bool:
    """Whether a column of type ``old`` becomes one of type ``new`` without any row being read or written. A domain that
    the same plan changes is taken for a type of its own."""
    before, after = EffectContext(catalog=live), EffectContext(catalog=desired)
    changed = {
        ref.name
        for ref in desired.objects.keys() & live.objects.keys()
        if ref.kind == "domain" and live.objects[ref].statements != desired.objects[ref].statements
    }
    if {old, new} & changed:
        return is_metadata_only(old, new, timezone=timezone)
    return is_metadata_only(before.domain_base(old, constrained=True), after.domain_base(new), timezone=timezone)
