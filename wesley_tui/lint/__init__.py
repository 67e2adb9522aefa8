"""Hazards of hand-written SQL: a script in, one report per statement out.

A script is read (:mod:`.script`) into statements; a session (:mod:`.session`) goes through them in order and knows what
those before have done: which tables are new, which transaction is open, which locks it holds, which timeouts are set.
For each statement the one model of effects (:mod:`wesley_tui.planner.effects`) says what is locked, read and rewritten,
:mod:`.hazard` makes a class of it, and every rule (:mod:`.rules`) that knows its kind has a look.
"""

from wesley_tui.lint.run import LintOptions, lint_script
from wesley_tui.lint.subject import Finding, StatementReport

__all__ = ["Finding", "LintOptions", "StatementReport", "lint_script"]
