"""A type name in a statement → the spelling of the catalog."""

from __future__ import annotations

from typing import Any

from pglast.stream import RawStream

from wesley_tui.catalog.types import TypeNameError, canonical_type

__all__ = ["printed_type"]


def printed_type(node: Any) -> str | None:
    """As ``format_type()`` prints it; None when the name cannot be resolved from the text alone."""
    text = RawStream()(node)
    try:
        return canonical_type(text, {})
    except TypeNameError:
        return None
