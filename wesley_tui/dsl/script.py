"""A hand-written plan as a script for the linter: its statements, as the executor runs them, without a database.

Steps in a transaction stand between BEGIN and COMMIT, and the timeouts that the executor sets stand at the top. What
only a database can tell (what a retired table looks like) and what runs in batches is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from wesley_tui.dsl.document import DslPlan, DslStep
from wesley_tui.dsl.template import Values, Wrong
from wesley_tui.dsl.vocabulary import OPERATIONS

__all__ = ["LintScript", "lint_script_of", "statements_of"]


@dataclass(frozen=True, slots=True)
class LintScript:
    text: str
    lines: dict[int, int]
    """Line of a statement in ``text`` → line of its step in the document; other lines are not the author's."""
    left_out: tuple[tuple[int, str], ...]
    """Line and operation of the steps that are not in it."""


def lint_script_of(plan: DslPlan) -> LintScript:
    lines: dict[int, int] = {}
    left_out: list[tuple[int, str]] = []
    text = "SET lock_timeout = '5s';\nSET statement_timeout = '30s';\n"
    for wave in plan.waves:
        for step in wave.steps:
            place = plan.document.line(step.path)
            statements = _of_step(plan, step)
            if not statements:
                left_out.append((place, step.op))
                continue
            several = len(statements) > 1
            text += "BEGIN;\n" if several else ""
            for statement in statements:
                lines[text.count("\n") + 1] = place
                text += f"{statement.strip()};\n"
            text += "COMMIT;\n" if several else ""
    return LintScript(text, lines, tuple(left_out))


def _of_step(plan: DslPlan, step: DslStep) -> list[str]:
    try:
        return list(statements_of(step.values))
    except Wrong as error:
        raise plan.document.error((*step.path, *error.path), error.message, error.offset) from None


def statements_of(values: Values) -> Iterator[str]:
    """The SQL of an operation that is statements by itself; nothing for those that a database decides about."""
    match values["op"]:
        case "in_one_transaction":
            for item in values["steps"]:
                yield from statements_of(item)
        case "alter_table":
            yield altered(values)
        case op if op in OPERATIONS:
            yield OPERATIONS[op].sql(values)
        case _:
            return


def altered(values: Values) -> str:
    """ALTER TABLE with several subcommands."""
    head = OPERATIONS["set_logged"].sql({"table": values["table"]}).removesuffix("SET LOGGED")
    parts = []
    for item in values["actions"]:
        statement = OPERATIONS[item["op"]].sql({**item, "table": values["table"]})
        parts.append(statement.removeprefix(head))
    return head + ", ".join(parts)
