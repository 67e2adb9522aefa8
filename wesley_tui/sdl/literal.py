"""Defaults written back as literals, where the literal means exactly the same expression."""

from __future__ import annotations

import re

from wesley_tui.catalog.model import Enum
from wesley_tui.sdl.defaults import DefaultProblem, default_of_value
from wesley_tui.sdl.render import Naming
from wesley_tui.sdl.syntax import Value

__all__ = ["literal_default"]

_QUOTED = re.compile(r"'((?:[^']|'')*)'::.+", re.DOTALL)


def literal_default(expression: str, sql_type: str, enum: Enum | None, naming: Naming) -> tuple[str, object]:
    """``("value", literal)`` if that compiles to ``expression`` again, else ``("expr", expression)``."""
    quoted = _QUOTED.fullmatch(expression)
    if expression in ("true", "false"):
        found = _same(Value("boolean", expression == "true", 0), expression, sql_type)
        return ("value", expression == "true") if found else ("expr", expression)
    if re.fullmatch(r"0|[1-9][0-9]*", expression) and _same(Value("int", expression, 0), expression, sql_type):
        return "value", int(expression)
    if quoted is None:
        return "expr", expression
    text = quoted[1].replace("''", "'")
    if enum is not None:
        if text in enum.labels and not sql_type.endswith("[]"):
            value = naming.fields[enum.name][text]
            same = _same(Value("enum", text, 0), expression, sql_type, enum)
            return ("value", Naming.Word(value)) if same else ("expr", expression)
    elif sql_type == "text" and _same(Value("string", text, 0), expression, sql_type):
        return "value", text
    elif text == "{}" and sql_type.endswith("[]") and _same(Value("list", (), 0), expression, sql_type):
        return "value", []
    return "expr", expression


def _same(value: Value, expression: str, sql_type: str, enum: Enum | None = None) -> bool:
    try:
        return default_of_value(value, sql_type, enum.labels if enum is not None else None) == expression
    except DefaultProblem:
        return False
