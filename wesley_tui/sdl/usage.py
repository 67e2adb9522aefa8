"""Directives as they are used in a schema: every name, place, argument and type checked against the table.

The result is plain Python values, so that what follows need not know how GraphQL writes them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from wesley_tui.sdl import directives as dialect
from wesley_tui.sdl.issues import Issues, Spot
from wesley_tui.sdl.names import nearest
from wesley_tui.sdl.syntax import Directive, Value

__all__ = ["Use", "UseOf", "uses_of"]

_STANDARD = frozenset({"deprecated", "specifiedBy", "oneOf"})
"""Directives of GraphQL itself: about the API, not about the database."""

_PLACES: Mapping[dialect.Location, str] = {
    "SCHEMA": "schema",
    "SCALAR": "a scalar",
    "OBJECT": "a type",
    "FIELD_DEFINITION": "a field",
    "ENUM": "an enum",
    "ENUM_VALUE": "an enum value",
}
_ACTIONS = ("NO ACTION", "RESTRICT", "CASCADE", "SET NULL", "SET DEFAULT")
_ORDERS = (
    *("ASC", "DESC", "ASC NULLS FIRST", "ASC NULLS LAST", "DESC NULLS FIRST", "DESC NULLS LAST"),
    *("NULLS FIRST", "NULLS LAST"),
)
_WORDS: Mapping[str, tuple[str, ...]] = {
    "ReferentialAction": _ACTIONS,
    "MatchType": ("SIMPLE", "FULL"),
    "PartitionStrategy": ("RANGE", "LIST", "HASH"),
    "CheckOption": ("LOCAL", "CASCADED"),
    "SortOrder": _ORDERS,
}
_BY_ARGUMENT: Mapping[str, Mapping[str, dialect.Argument]] = {
    spec.name: {name: argument for argument in spec.arguments for name in (argument.name, *argument.aliases)}
    for spec in dialect.DIRECTIVES
}
_REQUIRED = {
    spec.name: tuple(argument for argument in spec.arguments if argument.required) for spec in dialect.DIRECTIVES
}
_SEPARATORS = re.compile(r"[_\s]+")


class Use(NamedTuple):
    """One use of a directive of the dialect, with canonical names."""

    name: str
    spot: Spot
    arguments: Mapping[str, Any]
    """Texts as ``str``, lists as tuples, flags as ``bool``, options as pairs of texts; ``Literal`` stays a Value."""
    values: Mapping[str, Value]
    """The same as they stand in the source."""

    def get(self, argument: str, default: Any = None) -> Any:
        return self.arguments.get(argument, default)

    def spot_of(self, argument: str) -> Spot:
        value = self.values.get(argument)
        return self.spot if value is None else Spot(self.spot.part, value.at)


UseOf = Mapping[str, list[Use]]
"""All uses on one node, by canonical name."""


def uses_of(
    directives: Iterable[tuple[int, Directive]],
    location: dialect.Location,
    issues: Issues,
    declared: Collection[str] = (),
) -> dict[str, list[Use]]:
    """Check ``(part, directive)`` pairs that stand on one node; wrong ones are reported and left out.

    ``declared`` are directives that the schema itself defines: they belong to other tools.
    """
    result: dict[str, list[Use]] = {}
    for part, directive in directives:
        spot = Spot(part, directive.at)
        name = directive.name
        spec = dialect.BY_NAME.get(name)
        if spec is None:
            canonical = dialect.canonical_directive(name)
            if canonical is None:
                if name not in declared and name not in _STANDARD:
                    _unknown(directive, location, spot, issues)
                continue
            issues.warn(
                "directive-alias", f"@{name} is an old or prefixed name of @{canonical}", spot, f"write @{canonical}"
            )
            spec = dialect.BY_NAME[canonical]
        if location not in spec.locations:
            places = ", ".join(_PLACES[place] for place in spec.locations)
            issues.error(
                "misplaced-directive",
                f"@{spec.name} cannot stand on {_PLACES[location]}",
                spot,
                f"it belongs on {places}",
            )
            continue
        use = _check(spec, directive, spot, issues)
        if use is None:
            continue
        earlier = result.setdefault(spec.name, [])
        if earlier and (not spec.repeatable or location in spec.once_on):
            issues.error("repeated-directive", f"@{spec.name} can be written only once here", spot)
            continue
        earlier.append(use)
    return result


def _unknown(directive: Directive, location: dialect.Location, spot: Spot, issues: Issues) -> None:
    here = [spec.name for spec in dialect.DIRECTIVES if location in spec.locations]
    near = nearest(directive.name, here) or nearest(directive.name, dialect.BY_NAME)
    issues.error(
        "unknown-directive",
        f"unknown directive @{directive.name}",
        spot,
        f"did you mean @{near}?" if near else "a directive of another tool must be declared: directive @name on …",
    )


def _check(spec: dialect.Directive, directive: Directive, spot: Spot, issues: Issues) -> Use | None:
    arguments: dict[str, Any] = {}
    values: dict[str, Value] = {}
    good = True
    for argument in directive.arguments:
        at = Spot(spot.part, argument.at)
        known = _BY_ARGUMENT[spec.name].get(argument.name)
        if known is None:
            near = nearest(argument.name, [item.name for item in spec.arguments])
            names = ", ".join(item.name for item in spec.arguments)
            issues.error(
                "unknown-argument",
                f"@{spec.name} has no argument {argument.name!r}",
                at,
                f"did you mean {near}?" if near else f"it takes {names}" if names else "it takes none",
            )
            good = False
            continue
        if known.name in values:
            issues.error("repeated-argument", f"argument {known.name!r} of @{spec.name} is given twice", at)
            good = False
            continue
        if known.name != argument.name:
            issues.warn(
                "argument-alias", f"{argument.name!r} is another name of {known.name!r}", at, f"write {known.name}"
            )
        value = argument.value
        values[known.name] = value
        if value.kind == "null" and known.type != "Literal":
            if known.required:
                issues.error("wrong-argument", f"argument {known.name!r} of @{spec.name} cannot be null", at)
                good = False
            continue
        try:
            arguments[known.name] = _convert(known.type.rstrip("!"), value)
        except ValueError as error:
            issues.error(
                "wrong-argument",
                f"argument {known.name!r} of @{spec.name} {error}",
                Spot(spot.part, value.at),
                f"it is a {known.type}: {known.doc}",
            )
            good = False
    for known in _REQUIRED[spec.name]:
        if known.name not in values:
            issues.error("missing-argument", f"@{spec.name} needs the argument {known.name!r}", spot, known.doc)
            good = False
    return Use(spec.name, spot, arguments, values) if good else None


def _convert(type_name: str, value: Value) -> Any:
    """The Python value of ``value`` for an argument of this type. Raises ValueError with the end of a sentence."""
    if type_name == "String":
        if value.kind != "string":
            raise ValueError(f"must be a text in quotes, not {_shown(value)}")
        if "\0" in value.value:
            raise ValueError("contains the character NUL, which PostgreSQL cannot hold")
        return value.value
    if type_name == "Boolean":
        if value.kind != "boolean":
            raise ValueError(f"must be true or false, not {_shown(value)}")
        return value.value
    if type_name in ("Int", "BigInt"):
        if value.kind != "int":
            raise ValueError(f"must be a whole number, not {_shown(value)}")
        return int(value.value)
    if type_name == "Literal":
        return value
    if type_name == "SqlOptions":
        return _options(value)
    if type_name.startswith("["):
        inner = type_name[1:-1]
        items = value.value if value.kind == "list" else (value,)
        nullable = not inner.endswith("!")
        return tuple(None if item.kind == "null" and nullable else _convert(inner.rstrip("!"), item) for item in items)
    words = _WORDS[type_name]
    if value.kind in ("enum", "string"):
        word = _SEPARATORS.sub(" ", str(value.value)).strip().upper()
        if word in words:
            return word
    near = nearest(str(value.value), words)
    wanted = ", ".join(word.replace(" ", "_") for word in words)
    raise ValueError(
        f"is {_shown(value)}" + (f"; did you mean {near.replace(' ', '_')}?" if near else f", not one of {wanted}")
    )


def _options(value: Value) -> tuple[tuple[str, str], ...]:
    pairs: dict[str, str] = {}
    if value.kind == "object":
        for name, item in value.value:
            if item.kind not in ("string", "int", "float", "boolean", "enum"):
                raise ValueError(f"has an option {name!r} that is no plain value")
            text = ("true" if item.value else "false") if item.kind == "boolean" else str(item.value)
            if name in pairs:
                raise ValueError(f"has the option {name!r} twice")
            pairs[name] = text
    else:
        items = value.value if value.kind == "list" else (value,)
        for item in items:
            if item.kind != "string":
                raise ValueError("must be an object {name: value} or a list of texts name=value")
            for text in item.value.split(","):
                name, equals, setting = text.partition("=")
                if not equals or not name.strip() or name.strip() in pairs:
                    raise ValueError(f"has {text.strip()!r}, which is not a new name=value")
                pairs[name.strip()] = setting.strip()
    return tuple(sorted(pairs.items()))


def _shown(value: Value) -> str:
    if value.kind in ("list", "object"):
        return "a list" if value.kind == "list" else "an object"
    if value.kind in ("boolean", "null"):
        return str(value.value).lower() if value.kind == "boolean" else "null"
    return repr(value.value) if value.kind == "string" else str(value.value)
