"""What could be written at a place in a schema: directives, arguments, types, columns, values.

The text up to the cursor is tokenized (it need not be valid: somebody is typing it), and what stands around the cursor
decides which names fit. Pure: a text and a position in, candidates out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from wesley_tui.sdl.directives import BY_NAME, DIRECTIVES, SCALARS, Location, canonical_directive
from wesley_tui.sdl.names import snake_case
from wesley_tui.sdl.preset_options import PRESETS
from wesley_tui.sdl.reader import Reader
from wesley_tui.sdl.syntax import Definition
from wesley_tui.sdl.tokens import LineState, tokenize_line

__all__ = ["Candidate", "complete"]

_WORD = re.compile(r"[_0-9A-Za-z]*$")
_OPENED = re.compile(r'@\s*([_0-9A-Za-z]+)\s*\(((?:[^()"]|"(?:[^"\\\n]|\\.)*+"?+)*+)$')
"""The last directive, if its parentheses are not closed: its name, and what is written in them so far."""
_VALUES = {
    "Boolean": ("true", "false"),
    "ReferentialAction": ("NO_ACTION", "RESTRICT", "CASCADE", "SET_NULL", "SET_DEFAULT"),
    "MatchType": ("SIMPLE", "FULL"),
    "[SortOrder]": ("ASC", "DESC", "ASC_NULLS_FIRST", "DESC_NULLS_LAST"),
    "PartitionStrategy": ("RANGE", "LIST", "HASH"),
    "CheckOption": ("LOCAL", "CASCADED"),
}
_WORDS = {
    "preset": tuple(spec.name for spec in PRESETS),
    "privileges": ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "USAGE", "EXECUTE", "ALL"),
    "for": ("all", "select", "insert", "update", "delete"),
    "using": ("btree", "gin", "gist", "brin", "hash", "spgist"),
}
"""Values of text arguments that have few."""
_TYPE_LISTS = frozenset(("parent", "membership", "type", "via"))
_KEYWORDS = ("type", "enum", "scalar", "extend", "schema", "interface", "input", "union", "directive")
_COLUMN_LISTS = frozenset(("fields", "include", "onDeleteColumns", "columns", "by", "column"))


class Candidate(NamedTuple):
    """``text`` replaces the ``typed`` characters before the cursor; ``doc`` is one line about it."""

    text: str
    doc: str = ""
    typed: int = 0


def complete(text: str, line: int, column: int) -> list[Candidate]:
    """Candidates at (``line``, ``column``), both counted from 1, ``column`` being that of the character after the
    cursor. Sorted as people look for them; empty in comments, descriptions, and where nothing is known.
    """
    lines = text.split("\n")
    if not 1 <= line <= len(lines):
        return []
    state = LineState()
    for above in lines[: line - 1]:
        _, state = tokenize_line(above, state)
    before = lines[line - 1][: column - 1]
    in_text = _open_string(before, state)
    if in_text is None or state.block:
        return []
    word_match = _WORD.search(before)
    word = word_match[0] if word_match else ""
    tokens, now = tokenize_line(before[: len(before) - len(word)] if not in_text else before, state)
    prefix = "\n".join([*lines[: line - 1], before])
    definitions = [placed.definition for placed in Reader().read(text)]
    if tokens and tokens[-1].kind == "comment":
        return []
    if before[: len(before) - len(word)].endswith("@"):
        return _matching(_directives(now, prefix), word)
    if now.nested == "directive" or in_text:
        return _matching(_in_directive(prefix, word, definitions), word)
    if now.nested or now.body == "values":
        return []
    if now.body == "fields":
        return _matching(_types(definitions), word) if now.after == ":" else []
    return _matching((Candidate(keyword) for keyword in _KEYWORDS), word)


def _open_string(before: str, state: LineState) -> bool | None:
    """True inside a string of directive arguments, False outside of strings, None in a description."""
    quotes = len(re.findall(r'(?<!\\)"', before))
    if quotes % 2 == 0:
        return False
    opening = before.rfind('"')
    _, at_quote = tokenize_line(before[:opening], state)
    return True if at_quote.nested == "directive" else None


def _matching(candidates: Iterable[Candidate], word: str) -> list[Candidate]:
    """Those that go on as ``word`` does, the shortest first, then those that contain it."""
    if not word:
        return list(candidates)
    lowered = word.lower()
    found = [candidate for candidate in candidates if lowered in candidate.text.lower()]
    found.sort(key=lambda candidate: (not candidate.text.lower().startswith(lowered), len(candidate.text)))
    return [candidate._replace(typed=len(word)) for candidate in found]


def _directives(state: LineState, prefix: str) -> Iterable[Candidate]:
    location: Location
    if state.body == "fields":
        location = "FIELD_DEFINITION"
    elif state.body == "values":
        location = "ENUM_VALUE"
    else:
        keywords = re.findall(r"(?:^|\})\s*(?:extend\s+)?(type|enum|scalar|schema)\b", prefix, re.MULTILINE)
        places: dict[str, Location] = {"enum": "ENUM", "scalar": "SCALAR", "schema": "SCHEMA"}
        location = places.get(keywords[-1], "OBJECT") if keywords else "OBJECT"
    for directive in DIRECTIVES:
        if location in directive.locations:
            yield Candidate(directive.name, directive.doc)


def _in_directive(prefix: str, word: str, definitions: list[Definition]) -> Iterable[Candidate]:
    """Arguments of the directive whose parentheses are open, or values of the argument before the cursor."""
    opened = _OPENED.findall(prefix)
    if not opened:
        return
    name, inside = opened[-1]
    directive = BY_NAME.get(canonical_directive(name) or "")
    if directive is None:
        return
    given = re.findall(r"([_A-Za-z][_0-9A-Za-z]*)\s*:", re.sub(r'"(?:[^"\\]|\\.)*"?', '""', inside))
    ending = inside[: len(inside) - len(word)].rstrip()
    argument = next((item for item in directive.arguments if given and item.name == given[-1]), None)
    wants_value = ending.endswith((":", "[", '"')) or (ending.endswith(",") and inside.rfind("[") > inside.rfind("]"))
    if not wants_value or argument is None:
        for item in directive.arguments:
            if item.name not in given:
                yield Candidate(item.name, item.doc)
        return
    if argument.name in _COLUMN_LISTS:
        owner = _owner(definitions, prefix)
        yield from (Candidate(field.name, field.type.name) for field in (owner.fields if owner else ()))
    elif argument.name in _WORDS and not (argument.name == "using" and directive.name in ("rls", "policy")):
        yield from (Candidate(word) for word in _WORDS[argument.name])
    elif argument.name in _TYPE_LISTS or (argument.name == "from" and directive.name in ("inherits", "computed")):
        yield from (Candidate(item.name) for item in definitions if item.keyword == "type" and not item.extend)
    elif argument.name == "ref":
        for definition in definitions:
            if definition.keyword == "type":
                yield from (
                    Candidate(f"{definition.name}.{field.name}")
                    for field in definition.fields
                    if any(used.name in ("pk", "unique") for used in field.directives)
                )
    else:
        yield from (Candidate(value) for value in _VALUES.get(argument.type.rstrip("!"), ()))


def _owner(definitions: list[Definition], prefix: str) -> Definition | None:
    """The type in which the cursor stands: the last one that is opened above it."""
    names = re.findall(r"^\s*(?:extend\s+)?type\s+([_A-Za-z][_0-9A-Za-z]*)", prefix, re.MULTILINE)
    return next((item for item in definitions if names and item.name == names[-1] and item.fields), None)


def _types(definitions: list[Definition]) -> Iterable[Candidate]:
    for definition in definitions:
        if definition.keyword in ("type", "enum", "scalar") and not definition.extend:
            yield Candidate(definition.name, f"{definition.keyword} {snake_case(definition.name)}")
    for name, sql in SCALARS.items():
        yield Candidate(name, sql)
