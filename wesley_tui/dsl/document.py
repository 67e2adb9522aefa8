"""A hand-written plan as records, read from JSON; every mistake is told with its place.

    {"wesley_plan": 1, "title": …, "reason": …, "waves": [{"name": "EXPAND", "limits": {…}, "steps": [{"op": …}]}]}

Only the text is judged here: fields, types, names, SQL fragments. Whether tables exist is asked by :mod:`.build`, which
has a database.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from wesley_tui.dsl.backfill_guard import check_harmless, read_backfill
from wesley_tui.dsl.json_text import Document, Path, read_json
from wesley_tui.dsl.shapes import ALL_KINDS, check_fields
from wesley_tui.dsl.template import Fields, Values, Wrong
from wesley_tui.dsl.tokens import Token
from wesley_tui.dsl.vocabulary import OPERATIONS
from wesley_tui.planner.plan import WAVE_NAMES, WaveName

__all__ = [
    "COMPOUND",
    "LIMITS",
    "VERSION",
    "DslPlan",
    "DslStep",
    "DslWave",
    "Limits",
    "is_hand_written",
    "is_part",
    "read_plan",
]

VERSION = 1
TITLE_LENGTH = (3, 80)
REASON_LENGTH = (10, 280)
NOTE_LENGTH = 280
LIMITS: Mapping[str, tuple[int, int, str]] = {
    "rows_per_second": (100, 50_000, "How many rows a backfill visits in a second at most."),
    "max_lock_ms": (50, 30_000, "How long an attempt waits for a lock at most."),
    "max_stmt_ms": (1_000, 300_000, "How long a statement runs at most; index builds and proofs are watched instead."),
    "max_retries": (0, 5, "How often a step is tried again when it does not get its lock."),
}
"""Least, most, meaning."""

_KINDS: Mapping[str, Any] = ALL_KINDS


@dataclass(frozen=True)
class Checks:
    """A list of conditions: a SELECT that yields one boolean, and what is wrong when it is not true."""

    spread: bool = False

    def fields(self) -> Fields:
        return {}

    def check(self, value: Any) -> None:
        if not isinstance(value, list) or not value:
            raise Wrong("a list of objects with sql and message is expected here")
        for position, item in enumerate(value):
            if not isinstance(item, dict) or item.keys() != {"sql", "message"}:
                raise Wrong("an object with sql and message is expected here", (position,))
            for name, kind in (("sql", _KINDS["query"]), ("message", _KINDS["sentence"])):
                try:
                    kind.check(item[name])
                    if name == "sql":
                        check_harmless(item[name])
                except Wrong as error:
                    raise Wrong(error.message, (position, name), error.offset) from None

    def sql(self, value: Any) -> str:
        return "; ".join(item["sql"] for item in value)

    def parse(self, text: str) -> Any:
        raise ValueError(f"{text:.40} is no list of checks")

    def ends(self, tokens: Sequence[Token], start: int) -> Iterator[int]:
        return iter((len(tokens),)) if start < len(tokens) else iter(())

    def schema(self) -> dict[str, Any]:
        text = {"type": "string", "minLength": 1}
        item = {
            "type": "object",
            "properties": {"sql": text, "message": text},
            "required": ["sql", "message"],
            "additionalProperties": False,
        }
        return {"type": "array", "items": item, "minItems": 1}


_CHECKS: Any = Checks()
COMPOUND: Mapping[str, tuple[str, Fields]] = {
    "backfill_sql": (
        "One UPDATE, INSERT … SELECT or DELETE, in batches along a key.",
        {
            "sql": (_KINDS["expression"], True),
            "batch_rows": (None, False),
            "repeat": (None, False),
            "blocks": (None, False),
        },
    ),
    "retire_column": (
        "Renamed out of sight, with its data; the undo brings it back.",
        {"table": (_KINDS["relation"], True), "column": (_KINDS["name"], True), "tag": (_KINDS["name"], False)},
    ),
    "retire_table": (
        "Moved to schema wesley_retired, with its rows; the undo brings it back.",
        {"table": (_KINDS["relation"], True), "tag": (_KINDS["name"], False)},
    ),
    "retire_enum": (
        "Moved to schema wesley_retired; the undo brings it back.",
        {"enum": (_KINDS["relation"], True), "tag": (_KINDS["name"], False)},
    ),
    "require": (
        "Nothing is changed: the plan stops here unless every check yields true.",
        {"checks": (_CHECKS, True), "danger": (_KINDS["sentence"], False)},
    ),
    "alter_table": ("Several changes of one table, in one statement.", {"table": (_KINDS["relation"], True)}),
    "in_one_transaction": ("Several operations that commit together or not at all.", {}),
}
"""Operations that are more than one statement, or made by the planner; name → meaning, fields beside those that hold
other operations."""
_BATCH_ROWS = (10, 100_000)
_TAG = re.compile(r"[0-9a-f]{8}")
_LABEL = re.compile(r"[a-z][a-z0-9_]{2,62}")
_NAMED = {"alter_table": "actions", "in_one_transaction": "steps"}
"""Under which field the others stand."""


@dataclass(frozen=True, slots=True)
class Limits:
    """None: what the profile says."""

    rows_per_second: int | None = None
    max_lock_ms: int | None = None
    max_stmt_ms: int | None = None
    max_retries: int | None = None


@dataclass(frozen=True, slots=True)
class DslStep:
    values: Values
    """As in the document, checked; without ``note``."""
    path: Path
    note: str = ""

    @property
    def op(self) -> str:
        return str(self.values["op"])


@dataclass(frozen=True, slots=True)
class DslWave:
    name: WaveName
    steps: tuple[DslStep, ...]
    limits: Limits


@dataclass(frozen=True, slots=True)
class DslPlan:
    title: str
    reason: str
    waves: tuple[DslWave, ...]
    document: Document
    """What it was read from: for errors that only a database shows."""


def is_hand_written(data: bytes) -> bool:
    """Whether a file is meant to be a plan of this form: a JSON object that says ``wesley_plan``, or has a title and
    waves and is not what ``wesley plan -o`` writes."""
    head = data.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not head.startswith(b"{"):
        return False
    return b'"wesley_plan"' in head or b'"plan_id"' not in head


def read_plan(source: str, data: bytes) -> DslPlan:
    """The plan in ``data``; raises :class:`~wesley_tui.dsl.json_text.PlanError` at the first thing that is wrong."""
    document = read_json(source, data)
    value = document.value
    if not isinstance(value, dict):
        raise document.error((), 'a plan is a JSON object: {"wesley_plan": 1, "title": …, "reason": …, "waves": […]}')
    _known(document, (), value, ("$schema", "wesley_plan", "title", "reason", "waves"))
    if "wesley_plan" not in value:
        raise document.error((), 'the version is missing: write "wesley_plan": 1')
    if value["wesley_plan"] != VERSION or isinstance(value["wesley_plan"], bool):
        raise document.error(
            ("wesley_plan",), f"version {value['wesley_plan']!r:.20} is not known: this program reads version {VERSION}"
        )
    title = _sentence(document, value, "title", TITLE_LENGTH)
    reason = _sentence(document, value, "reason", REASON_LENGTH)
    return DslPlan(title, reason, _waves(document, value), document)


def _known(document: Document, path: Path, value: Mapping[str, Any], names: tuple[str, ...]) -> None:
    for name in value:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"fields: {', '.join(names)}"
            raise document.error((*path, name), f"there is no field {name!r} here; {hint}")


def _sentence(document: Document, value: Mapping[str, Any], name: str, length: tuple[int, int]) -> str:
    if name not in value:
        raise document.error((), f"{name!r} is missing: a text of {length[0]} to {length[1]} characters")
    text = value[name]
    if not isinstance(text, str):
        raise document.error((name,), f"a text of {length[0]} to {length[1]} characters is expected here")
    if not length[0] <= len(text.strip()) <= length[1] or len(text) > length[1]:
        raise document.error((name,), f"{len(text.strip())} characters: {name} has {length[0]} to {length[1]}")
    return text


def _waves(document: Document, value: Mapping[str, Any]) -> tuple[DslWave, ...]:
    if "waves" not in value:
        raise document.error((), "'waves' is missing: a list of 1 to 5 waves")
    items = value["waves"]
    if not isinstance(items, list) or not 1 <= len(items) <= len(WAVE_NAMES):
        raise document.error(("waves",), "a list of 1 to 5 waves is expected here")
    waves: list[DslWave] = []
    for position, item in enumerate(items):
        wave = _wave(document, ("waves", position), item)
        before = waves[-1].name if waves else None
        if before is not None and WAVE_NAMES.index(wave.name) <= WAVE_NAMES.index(before):
            raise document.error(
                ("waves", position, "name"),
                f"{wave.name} stands behind {before}: waves come in the order {', '.join(WAVE_NAMES)}, each once",
            )
        waves.append(wave)
    return tuple(waves)


def _wave(document: Document, path: Path, value: Any) -> DslWave:
    if not isinstance(value, dict):
        raise document.error(path, "a wave is an object with name and steps")
    _known(document, path, value, ("name", "steps", "limits"))
    name = value.get("name")
    if name not in WAVE_NAMES:
        near = difflib.get_close_matches(str(name).upper(), WAVE_NAMES, 1)
        hint = f"did you mean {near[0]}?" if near else f"waves: {', '.join(WAVE_NAMES)}"
        said = f"there is no wave {name!r:.40}" if "name" in value else "'name' is missing"
        raise document.error((*path, "name"), f"{said}; {hint}")
    steps = value.get("steps")
    if not isinstance(steps, list) or not steps:
        raise document.error((*path, "steps"), "a list of at least one step is expected here")
    read = tuple(_step(document, (*path, "steps", position), item) for position, item in enumerate(steps))
    return DslWave(cast(WaveName, name), read, _limits(document, (*path, "limits"), value.get("limits", {})))


def _limits(document: Document, path: Path, value: Any) -> Limits:
    if not isinstance(value, dict):
        raise document.error(path, f"an object with {', '.join(LIMITS)} is expected here")
    _known(document, path, value, tuple(LIMITS))
    for name, number in value.items():
        least, most, _ = LIMITS[name]
        if isinstance(number, bool) or not isinstance(number, int) or not least <= number <= most:
            raise document.error((*path, name), f"a whole number from {least} to {most} is expected here")
    return Limits(**value)


def _step(document: Document, path: Path, value: Any, *, nested: bool = False) -> DslStep:
    if not isinstance(value, dict):
        raise document.error(path, 'a step is an object: {"op": "add_column", …}')
    op = value.get("op")
    names = (*OPERATIONS, *COMPOUND)
    if "op" not in value:
        raise document.error(path, "'op' is missing: which operation is it?")
    if not isinstance(op, str) or op not in names:
        near = difflib.get_close_matches(str(op), names, 1, 0.5)
        hint = f"did you mean {near[0]!r}?" if near else "see `wesley plan --dsl-schema`"
        raise document.error((*path, "op"), f"there is no operation {op!r:.60}; {hint}")
    note = value.get("note", "")
    if not isinstance(note, str) or len(note) > NOTE_LENGTH:
        raise document.error((*path, "note"), f"a text of at most {NOTE_LENGTH} characters is expected here")
    values = {name: item for name, item in value.items() if name != "note"}
    try:
        if op in OPERATIONS:
            OPERATIONS[op].check(values)
        else:
            _check_compound(document, path, op, values, nested=nested)
    except Wrong as error:
        raise document.error((*path, *error.path), error.message, error.offset) from None
    return DslStep(values, path, note)


def _check_compound(document: Document, path: Path, op: str, values: Values, *, nested: bool) -> None:
    fields = COMPOUND[op][1]
    inner = _NAMED.get(op)
    if nested and op != "alter_table":
        raise Wrong(f"{op} stands alone: it cannot be part of another operation", ("op",))
    if op == "backfill_sql":
        _check_backfill(values, fields)
        return
    check_fields(values, fields, tuple(filter(None, ("op", inner, "label", "object"))))
    if "tag" in values and not _TAG.fullmatch(values["tag"]):
        raise Wrong("eight hexadecimal digits are expected here", ("tag",))
    if inner is None:
        return
    label = values.get("label")
    if "label" in values and (op == "alter_table" or not isinstance(label, str) or not _LABEL.fullmatch(label)):
        raise Wrong("a label is a word such as replace_primary_key, for in_one_transaction", ("label",))
    said = values.get("object", "x")
    if ("object" in values and op == "alter_table") or not isinstance(said, str) or not 1 <= len(said) <= 300:
        raise Wrong("the name of what is changed is expected here, for in_one_transaction", ("object",))
    items = values.get(inner)
    if not isinstance(items, list) or not items:
        raise Wrong(f"{inner!r} is a list of at least one operation", (inner,))
    for position, item in enumerate(items):
        place = (*path, inner, position)
        if op == "alter_table" and isinstance(item, dict):
            if "table" in item:
                raise document.error((*place, "table"), "the table is that of alter_table: leave it out here")
            step = _step(document, place, {**item, "table": values["table"]}, nested=True)
            if not is_part(step.op):
                raise document.error((*place, "op"), f"{step.op} is no change that ALTER TABLE can make among others")
        else:
            _step(document, place, item, nested=True)


def is_part(op: str) -> bool:
    """Whether an operation is one subcommand of ALTER TABLE: renames and partitions are statements of their own."""
    word = OPERATIONS.get(op)
    alone = op.startswith(("rename_", "move_", "attach_", "detach_", "finish_"))
    return word is not None and not alone and word.texts[0].startswith("ALTER TABLE {table} ")


def _check_backfill(values: Values, fields: Fields) -> None:
    for name in values:
        if name not in fields and name != "op":
            raise Wrong(f"there is no field {name!r} here; fields: {', '.join(fields)}", (name,))
    if not isinstance(values.get("sql"), str):
        raise Wrong("one UPDATE, INSERT … SELECT or DELETE is expected here, as a text", ("sql",))
    rows = values.get("batch_rows", _BATCH_ROWS[0])
    if isinstance(rows, bool) or not isinstance(rows, int) or not _BATCH_ROWS[0] <= rows <= _BATCH_ROWS[1]:
        raise Wrong(f"a whole number from {_BATCH_ROWS[0]} to {_BATCH_ROWS[1]} is expected here", ("batch_rows",))
    for name in ("repeat", "blocks"):
        if not isinstance(values.get(name, False), bool):
            raise Wrong("true or false is expected here", (name,))
    try:
        read_backfill(values["sql"], None)
    except Wrong as error:
        if "(allow_functions)" not in error.message:
            raise Wrong(error.message, ("sql",), error.offset) from None
