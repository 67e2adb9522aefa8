"""Fields that are objects: columns and constraints of a new table, keys of an index, privileges."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wesley_tui.dsl.kinds import KINDS, Many, text_of
from wesley_tui.dsl.template import Fields, Kind, Template, Wrong
from wesley_tui.dsl.tokens import Token, balanced_ends, split_at_commas

__all__ = ["ALL_KINDS", "CONSTRAINTS", "Shape", "check_fields", "fields_schema"]


def check_fields(value: Mapping[str, Any], fields: Fields, ignore: Sequence[str] = ()) -> None:
    """Every field known, of its kind, and none missing; raises :class:`Wrong`."""
    for name, item in value.items():
        if name in ignore:
            continue
        if name not in fields:
            near = difflib.get_close_matches(name, fields, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"fields: {', '.join(fields)}"
            raise Wrong(f"there is no field {name!r} here; {hint}", (name,))
        kind = fields[name][0]
        try:
            _check(kind, item)
        except Wrong as error:
            raise Wrong(error.message, (name, *error.path), error.offset) from None
    missing = [name for name, (_, required) in fields.items() if required and name not in value]
    if missing:
        raise Wrong(f"{' and '.join(map(repr, missing))} {'is' if len(missing) == 1 else 'are'} missing")


def _check(kind: Kind | tuple[str, ...] | None, value: Any) -> None:
    if kind is None:
        if not isinstance(value, bool):
            raise Wrong("true or false is expected here")
    elif isinstance(kind, tuple):
        if value not in kind or not isinstance(value, str):
            raise Wrong(f"one of {', '.join(kind)} is expected here, not {value!r:.40}")
    else:
        kind.check(value)


def fields_schema(fields: Fields, descriptions: Mapping[str, str]) -> dict[str, Any]:
    """An object with these fields, as JSON Schema."""
    properties: dict[str, Any] = {}
    for name, (kind, _) in fields.items():
        schema: dict[str, Any]
        if kind is None:
            schema = {"type": "boolean"}
        elif isinstance(kind, tuple):
            schema = {"enum": list(kind)}
        else:
            schema = kind.schema()
        properties[name] = {"description": descriptions[name], **schema} if name in descriptions else schema
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name, (_, required) in fields.items() if required],
        "additionalProperties": False,
    }


@dataclass(frozen=True)
class Shape:
    """An object that one of several templates writes."""

    what: str
    templates: tuple[Template, ...]
    shorthand: str = ""
    """A field that, alone, may stand for the whole object, as a text."""
    spread: bool = False

    def fields(self) -> Fields:
        return {}

    def _whole(self, value: Any) -> dict[str, Any]:
        return {self.shorthand: value} if self.shorthand and isinstance(value, str) else value

    def _template(self, value: Mapping[str, Any]) -> Template:
        """The one whose required fields are there; the best fit otherwise."""
        return max(self.templates, key=lambda item: _fit(item, value))

    def check(self, value: Any) -> None:
        if self.shorthand and isinstance(value, str):
            text_of(value, self.what)
        elif not isinstance(value, dict):
            raise Wrong(f"{self.what} is expected here, as an object")
        whole = self._whole(value)
        try:
            check_fields(whole, self._template(whole).fields())
        except Wrong as error:
            path = () if isinstance(value, str) else error.path
            raise Wrong(error.message, path, error.offset) from None

    def sql(self, value: Any) -> str:
        whole = self._whole(value)
        return self._template(whole).render(whole)

    def parse(self, text: str) -> Any:
        for template in self.templates:
            values = template.recognise(text)
            if values is not None:
                return values[self.shorthand] if values.keys() == {self.shorthand} else values
        raise ValueError(f"this is not {self.what}: {text:.60}")

    def ends(self, tokens: Sequence[Token], start: int) -> Iterator[int]:
        return balanced_ends(tokens, start)

    def schema(self) -> dict[str, Any]:
        forms = [fields_schema(item.fields(), {}) for item in self.templates]
        if self.shorthand:
            forms.insert(0, forms[0]["properties"][self.shorthand])
        return forms[0] if len(forms) == 1 else {"anyOf": forms}


def _fit(template: Template, value: Mapping[str, Any]) -> tuple[bool, int]:
    fields = template.fields()
    required = {name for name, (_, needed) in fields.items() if needed}
    return required <= value.keys(), len(value.keys() & fields.keys())


def _templates(*texts: str) -> tuple[Template, ...]:
    return tuple(Template(text, KINDS) for text in texts)


_KEY = "[ COLLATE {collation:qualified}][ {opclass}][?descending  DESC][ NULLS <nulls:FIRST|LAST>]"
INDEX_KEYS = Many(Shape("a column, or an object with column or expression,", _templates(
    "{column:name}" + _KEY, "({expression})" + _KEY,
), shorthand="column"))  # fmt: skip
ELEMENTS = Many(Shape("an object with column or expression, and operator,", _templates(
    "{column:name}" + _KEY + " WITH {operator}", "({expression})" + _KEY + " WITH {operator}",
)))  # fmt: skip
COLUMN = (
    "{column:name} {type}[ COLLATE {collation:qualified}]"
    "[ GENERATED ALWAYS AS ({generated:expression}) <generated_kind:STORED|VIRTUAL>]"
    "[ GENERATED <identity:ALWAYS|BY DEFAULT> AS IDENTITY][ DEFAULT {default}]"
    "[?not_null [ CONSTRAINT {not_null_name:name}] NOT NULL]"
)
"""A column, in CREATE TABLE and after ADD COLUMN."""
_DEFERRABLE = "[?deferrable  DEFERRABLE[?initially_deferred  INITIALLY DEFERRED]]"
_ACTIONS = "RESTRICT|CASCADE|SET NULL|SET DEFAULT"
_INCLUDE = "[ INCLUDE ({include:names})]"

CONSTRAINTS: Mapping[str, str] = {
    "primary_key": "PRIMARY KEY ({columns:names}[?without_overlaps  WITHOUT OVERLAPS])" + _INCLUDE + _DEFERRABLE,
    "unique": "UNIQUE[?nulls_not_distinct  NULLS NOT DISTINCT] ({columns:names}[?without_overlaps  WITHOUT OVERLAPS])"
    + _INCLUDE + _DEFERRABLE,
    "foreign_key": "FOREIGN KEY ({columns:names}[, PERIOD {period:name}]) REFERENCES {references:relation} "
    "({referenced_columns:names}[, PERIOD {referenced_period:name}])[?match_full  MATCH FULL]"
    f"[ ON UPDATE <on_update:{_ACTIONS}>][ ON DELETE <on_delete:{_ACTIONS}>[ ({{on_delete_columns:names}})]]"
    + _DEFERRABLE + "[?not_enforced  NOT ENFORCED]",
    "check": "CHECK ({check:expression})[?no_inherit  NO INHERIT][?not_enforced  NOT ENFORCED]",
    "exclude": "EXCLUDE USING {method:name} ({elements})[ WHERE ({where:expression})]" + _DEFERRABLE,
}  # fmt: skip
"""What stands behind ``CONSTRAINT name``."""

_IN_TABLE = {
    "primary_key": CONSTRAINTS["primary_key"].replace("{columns:names}", "{primary_key:names}"),
    "unique": CONSTRAINTS["unique"].replace("{columns:names}", "{unique:names}"),
    "foreign_key": CONSTRAINTS["foreign_key"].replace("{columns:names}", "{foreign_key:names}"),
    "check": CONSTRAINTS["check"],
    "exclude": CONSTRAINTS["exclude"].replace("{elements}", "{exclude:elements}"),
}
_LIKE = Template(
    "LIKE {like:relation} INCLUDING ALL EXCLUDING INDEXES EXCLUDING IDENTITY EXCLUDING COMMENTS EXCLUDING STATISTICS",
    KINDS,
)


@dataclass(frozen=True)
class TableBody:
    """What stands between the parentheses of CREATE TABLE: the fields ``columns``, ``constraints`` and ``like``."""

    spread: bool = True

    def _kinds(self) -> Mapping[str, Any]:
        return {"columns": Many(_COLUMN, 0), "constraints": Many(_CONSTRAINT, 0), "like": KINDS["relation"]}

    def fields(self) -> Fields:
        return {name: (kind, False) for name, kind in self._kinds().items()}

    def check(self, value: Any) -> None:
        check_fields(value, self.fields())

    def sql(self, value: Any) -> str:
        parts = [_COLUMN.sql(item) for item in value.get("columns", ())]
        parts += [_LIKE.render(value)] if "like" in value else []
        parts += [_CONSTRAINT.sql(item) for item in value.get("constraints", ())]
        return "(\n    " + ",\n    ".join(parts) + "\n)" if parts else "()"

    def parse(self, text: str) -> Any:
        found: dict[str, Any] = {"columns": [], "constraints": []}
        inner = text.strip()
        if not (inner.startswith("(") and inner.endswith(")")):
            raise ValueError("no parentheses")
        for part in split_at_commas(inner[1:-1]) if inner[1:-1].strip() else ():
            like = _LIKE.recognise(part)
            if like is not None:
                found |= like
            elif part.upper().startswith("CONSTRAINT "):
                found["constraints"].append(_CONSTRAINT.parse(part))
            else:
                found["columns"].append(_COLUMN.parse(part))
        return {name: value for name, value in found.items() if value}

    def ends(self, tokens: Sequence[Token], start: int) -> Iterator[int]:
        return (end for end in balanced_ends(tokens, start) if tokens[end - 1].text == ")")

    def schema(self) -> dict[str, Any]:
        return {}


_PRIVILEGE = Shape(
    "a privilege, or an object with privilege and columns,",
    _templates("{privilege}[ ({columns:names})]"),
    shorthand="privilege",
)

ALL_KINDS: dict[str, Any] = {
    **KINDS,
    "table": KINDS["relation"],
    "column": KINDS["name"],
    "constraint": KINDS["name"],
    "keys": INDEX_KEYS,
    "elements": ELEMENTS,
    "body": TableBody(),
    "privileges": Many(_PRIVILEGE),
}
_COLUMN = Shape("a column", (Template(COLUMN, ALL_KINDS),))
_CONSTRAINT = Shape(
    "a constraint", tuple(Template("CONSTRAINT {constraint} " + text, ALL_KINDS) for text in _IN_TABLE.values())
)
