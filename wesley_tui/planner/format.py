"""SQL for the eye: the statement as pglast lays it out; what it cannot lay out stays as it is."""

from __future__ import annotations

from functools import lru_cache

__all__ = ["format_sql"]


@lru_cache(maxsize=1024)
def format_sql(statement: str) -> str:
    """``statement`` (or several, separated by semicolons) pretty-printed; the same meaning, never executed."""
    from pglast import prettify
    from pglast.parser import ParseError
    from pglast.printers import PrinterAlreadyPresentError

    try:
        return str(prettify(statement, safety_belt=True, comma_at_eoln=True))
    except (ParseError, PrinterAlreadyPresentError, NotImplementedError, ValueError, AttributeError, TypeError):
        return statement
