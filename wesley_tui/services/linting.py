"""Lint with what a live database knows: its version, its catalog, the sizes of its tables."""

from __future__ import annotations

import asyncio

from wesley_tui.lint import LintOptions
from wesley_tui.services.target import Target

__all__ = ["options_from"]


def options_from(conninfo: str, *, single_transaction: bool) -> LintOptions:
    """Read the database once. Raises what ``Target.snapshot`` raises: ``CannotConnect`` and its relatives."""
    snapshot = asyncio.run(Target(conninfo).snapshot())
    return LintOptions(
        snapshot.server_version_num,
        single_transaction,
        snapshot.catalog,
        {name: size.relpages for name, size in snapshot.sizes.items() if size.reltuples >= 0},
        snapshot.timezone,
    )
