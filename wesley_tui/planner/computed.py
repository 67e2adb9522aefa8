"""Generated columns: which change of their rule is made in place, and which by a new column under the old name.

Only a stored column can become an ordinary one and keep its values. PostgreSQL 17 and later give a generated column
another expression; whatever else changes is dropped and added, with all that stands on it.
"""

from __future__ import annotations

from wesley_tui.catalog.model import Check, Table
from wesley_tui.diff.changes import ChangeColumnGenerated

__all__ = ["is_made_anew"]


def is_made_anew(change: ChangeColumnGenerated, live: Table, major: int) -> bool:
    """Whether the column is dropped and added; ``live`` is its table, ``major`` the version of the server."""
    old, new = change.old.generated, change.new.generated
    if new is None:
        return old is None or old.kind != "stored"
    if old is None or old.kind != new.kind or major < 17:
        return True
    # PostgreSQL 18 does not do it for a virtual column of a table with checks.
    return new.kind != "stored" and any(isinstance(item, Check) for item in live.constraints)
