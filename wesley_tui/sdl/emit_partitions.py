"""Partition keys and bounds, written as the arguments that lead back to them."""

from __future__ import annotations

import re

from wesley_tui.sdl.names import split_name
from wesley_tui.sdl.partitions import split_list
from wesley_tui.sdl.render import Arguments, Naming

__all__ = ["bound_arguments", "key_parts"]

_RANGE = re.compile(r"FOR VALUES FROM \((.*)\) TO \((.*)\)", re.DOTALL)
_LIST = re.compile(r"FOR VALUES IN \((.*)\)", re.DOTALL)
_HASH = re.compile(r"FOR VALUES WITH \(modulus (\d+), remainder (\d+)\)")
_QUOTED = re.compile(r"'((?:[^'\\]|'')*)'")
_NUMBER = re.compile(r"(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")


def key_parts(key: str) -> tuple[list[tuple[str, bool]], str]:
    """``RANGE (a, lower(b))`` → its keys, each with whether it is just a column (then unquoted), and the strategy."""
    strategy, _, rest = key.partition(" ")
    return [_key(part) for part in split_list(rest.strip()[1:-1])], strategy


def _key(text: str) -> tuple[str, bool]:
    try:
        parts, listed = split_name(text)
    except ValueError:
        return text, False
    return (parts[0], True) if listed is None and len(parts) == 1 else (text, False)


def bound_arguments(bound: str) -> Arguments:
    """``FOR VALUES FROM (1) TO (10)`` → ``from: 1, to: 10``; what has no such form stays SQL."""
    if bound == "DEFAULT":
        return [("default", True)]
    if (found := _HASH.fullmatch(bound)) is not None:
        return [("modulus", int(found[1])), ("remainder", int(found[2]))]
    if (found := _RANGE.fullmatch(bound)) is not None:
        lower, upper = _values(found[1]), _values(found[2])
        if lower is not None and upper is not None and len(lower) == len(upper):
            one = len(lower) == 1
            return [("from", lower[0] if one else lower), ("to", upper[0] if one else upper)]
    if (found := _LIST.fullmatch(bound)) is not None:
        values = _values(found[1])
        if values is not None:
            return [("in", values)]
    return [("bound", bound)]


def _values(text: str) -> list[object] | None:
    values: list[object] = []
    for part in split_list(text):
        if (quoted := _QUOTED.fullmatch(part)) is not None:
            values.append(quoted[1].replace("''", "'"))
        elif _NUMBER.fullmatch(part) or part in ("MINVALUE", "MAXVALUE", "true", "false"):
            values.append(Naming.Word(part))
        elif part == "NULL":
            values.append(None)
        else:
            return None
    return values
