"""Writing SDL: names that GraphQL accepts, directives, descriptions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from wesley_tui.catalog.model import Enum, QName, Table
from wesley_tui.catalog.naming import qualified
from wesley_tui.sdl.directives import SCALARS
from wesley_tui.sdl.names import snake_case
from wesley_tui.sdl.strings import write_block, write_quoted

__all__ = ["Arguments", "Block", "Naming", "description", "directive", "printable"]

_GRAPHQL_NAME = re.compile(r"(?!__)[_A-Za-z][_0-9A-Za-z]*")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_NOT_PRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_RESERVED_TYPES = frozenset(SCALARS) | {"Query", "Mutation", "Subscription"}
_WIDTH = 110

Arguments = list[tuple[str, object]]
"""Argument name and value: str, bool, int, list, dict of options, or :class:`Naming.Word` for an enum value."""


class Block(str):
    """Written as a block string when it has several lines."""

    __slots__ = ()


class Naming:
    """GraphQL names for everything of a catalog: readable, legal, each once."""

    class Word(str):
        """Written without quotes."""

        __slots__ = ()

    @staticmethod
    def word(text: str) -> Word:
        """``set null`` as the enum value ``SET_NULL``."""
        return Naming.Word(text.upper().replace(" ", "_"))

    def __init__(self, tables: Iterable[Table], enums: Iterable[Enum]) -> None:
        self.types: dict[QName, str] = {}
        self.fields: dict[QName, dict[str, str]] = {}
        """Per table: column → field. Per enum: label → value."""
        self.enum_types: dict[str, str] = {}
        """SQL spelling of an enum type → its GraphQL name."""
        taken = set(_RESERVED_TYPES)
        tables, enums = list(tables), list(enums)
        # Names that lead back to themselves are given out first, so that a hostile one never takes them away.
        names = [*(table.name for table in tables), *(enum.name for enum in enums)]
        for name in sorted(names, key=lambda name: (not _plain_type(name), name)):
            self.types[name] = _type_name(name, taken)
        for table in tables:
            self.fields[table.name] = _field_names([column.name for column in table.columns])
        for enum in enums:
            self.enum_types[qualified(enum.name)] = self.types[enum.name]
            self.fields[enum.name] = _value_names(enum.labels)

    @staticmethod
    def default_type(type_name: str) -> QName:
        """What the compiler takes for the SQL name of a type, when nothing else is said."""
        return QName("public", snake_case(type_name))

    @staticmethod
    def default_column(field: str) -> str:
        return snake_case(field)


def _pascal(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def _camel(name: str) -> str:
    pascal = _pascal(name)
    return pascal[:1].lower() + pascal[1:]


def _plain_type(name: QName) -> bool:
    return name.schema == "public" and _legal(_pascal(name.name)) and snake_case(_pascal(name.name)) == name.name


def _legal(name: str) -> bool:
    return _GRAPHQL_NAME.fullmatch(name) is not None


def _cleaned(name: str, fallback: str) -> str:
    text = re.sub(r"[^0-9A-Za-z]+", "_", name).strip("_")
    if not text:
        return fallback
    return text if text[0].isalpha() else f"{fallback}_{text}"


def _type_name(name: QName, taken: set[str]) -> str:
    candidates = [_pascal(name.name), name.name, _pascal(_cleaned(name.name, "Table"))]
    candidates.append(_pascal(_cleaned(f"{name.schema}_{name.name}", "Table")))
    return _first_free(candidates, taken, candidates[-1])


def _field_names(columns: Sequence[str]) -> dict[str, str]:
    result: dict[str, str] = {}
    taken: set[str] = set()
    certain = {column: field for column in columns if (field := _certain_field(column)) is not None}
    # Two fields never get one name, and none gets the column name of another: references stay unambiguous.
    columns_taken = set(columns)
    for column in columns:
        if column in certain:
            taken.add(certain[column])
    for column in columns:
        if column in certain:
            result[column] = certain[column]
        else:
            candidate = _camel(_cleaned(column, "column"))
            result[column] = _first_free([candidate], taken | columns_taken, candidate)
            taken.add(result[column])
    return result


def _certain_field(column: str) -> str | None:
    """A field name that leads back to the column by itself."""
    for candidate in (_camel(column), column):
        if _legal(candidate) and snake_case(candidate) == column:
            return candidate
    return None


def _value_names(labels: Sequence[str]) -> dict[str, str]:
    legal = {label for label in labels if _legal(label) and label not in ("true", "false", "null")}
    taken = set(legal)
    result: dict[str, str] = {}
    for label in labels:
        if label in legal:
            result[label] = label
        else:
            candidate = _cleaned(label, "VALUE")
            if candidate in ("true", "false", "null"):
                candidate = candidate.upper()
            result[label] = _first_free([candidate], taken, candidate)
            taken.add(result[label])
    return result


def _first_free(candidates: Sequence[str], taken: set[str], base: str) -> str:
    for candidate in candidates:
        if candidate not in taken and _legal(candidate):
            taken.add(candidate)
            return candidate
    number = 2
    while f"{base}{number}" in taken or f"{base}_{number}" in taken:
        number += 1
    name = f"{base}_{number}"
    taken.add(name)
    return name


def description(text: str | None, indent: str) -> list[str]:
    """The lines of a description; none when there is no text, or when it holds what no description may."""
    if not text or _CONTROL.search(text.replace("\r", "")):
        return []
    if "\n" in text or '"' in text or "\\" in text:
        block = write_block(text, indent)
        if block is not None:
            return [indent + block]
    return [indent + write_quoted(text)]


def directive(name: str, arguments: Arguments, indent: str) -> str:
    """``@name(a: 1)``, on several lines when it is long; the following lines start with ``indent``."""
    if not arguments:
        return f"@{name}"
    if len(arguments) == 1 and isinstance(block := arguments[0][1], Block) and "\n" in block:
        text = write_block(block, indent + "  ", indent)
        if text is not None:
            return f"@{name}({arguments[0][0]}: {text})"
    inner = indent + "  "
    written = [f"{argument}: {_value(value, inner)}" for argument, value in arguments]
    line = f"@{name}({', '.join(written)})"
    if len(line) + len(indent) <= _WIDTH and "\n" not in line:
        return line
    return "\n".join([f"@{name}(", *(f"{indent}  {item}" for item in written), f"{indent})"])


def _value(value: object, indent: str = "") -> str:
    if isinstance(value, Block) and "\n" in value and (text := write_block(value, indent)) is not None:
        return text
    if isinstance(value, Naming.Word):
        return str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, str):
        return write_quoted(value)
    if isinstance(value, Mapping):
        return _options(value)
    if isinstance(value, Iterable):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    return str(value)


def _options(options: Mapping[str, str]) -> str:
    """An object where the names allow it (``toast.autovacuum_enabled`` does not), else texts ``name=value``."""
    if not all(_GRAPHQL_NAME.fullmatch(name) for name in options):
        return _value([f"{name}={value}" for name, value in options.items()])
    return "{" + ", ".join(f"{name}: {_setting(value)}" for name, value in options.items()) + "}"


def _setting(value: str) -> str:
    if re.fullmatch(r"0|[1-9][0-9]*|true|false", value):
        return value
    return write_quoted(value)


def printable(text: str) -> str:
    """``text`` for a comment: what would break the line or the terminal is escaped."""
    return _NOT_PRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
