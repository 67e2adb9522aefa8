"""The CREATE statements of what expressions, indexes and columns lean on: collations, text search, operators and their
classes, casts, foreign data.

Put together from the system catalogs, as :mod:`wesley_tui.catalog.ddl_objects` does for other kinds: one statement
each, no semicolon, every name schema-qualified, defaults left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from wesley_tui.catalog.model import QName
from wesley_tui.catalog.naming import qualified, quote_ident, quote_literal

__all__ = [
    "FamilyMember",
    "ForeignColumn",
    "add_family_members",
    "add_mapping",
    "create_cast",
    "create_collation",
    "create_foreign_data_wrapper",
    "create_foreign_table",
    "create_operator",
    "create_operator_class",
    "create_operator_family",
    "create_server",
    "create_text_search_configuration",
    "create_text_search_dictionary",
    "operator_name",
]

Options = Sequence[tuple[str, str]]


def create_collation(name: QName, parameters: Mapping[str, str]) -> str:
    """``parameters`` as in the statement (``provider``, ``locale`` …) with their SQL, in order."""
    return f"CREATE COLLATION {qualified(name)} ({_pairs(parameters)})"


def create_text_search_dictionary(name: QName, template: QName, options: str | None) -> str:
    """``options`` as ``pg_ts_dict.dictinitoption`` holds them: SQL already."""
    more = f", {options}" if options else ""
    return f"CREATE TEXT SEARCH DICTIONARY {qualified(name)} (TEMPLATE = {qualified(template)}{more})"


def create_text_search_configuration(name: QName, parser: QName) -> str:
    return f"CREATE TEXT SEARCH CONFIGURATION {qualified(name)} (PARSER = {qualified(parser)})"


def add_mapping(configuration: QName, tokens: Iterable[str], dictionaries: Iterable[QName]) -> str:
    """What looks up words of these kinds, in order."""
    return (
        f"ALTER TEXT SEARCH CONFIGURATION {qualified(configuration)} ADD MAPPING FOR "
        f"{', '.join(map(quote_ident, tokens))} WITH {', '.join(map(qualified, dictionaries))}"
    )


def operator_name(name: QName) -> str:
    """``public.<->``: an operator is never quoted."""
    return f"{quote_ident(name.schema)}.{name.name}"


def create_operator(name: QName, parameters: Mapping[str, str]) -> str:
    """A parameter without value (``HASHES``) is empty."""
    return f"CREATE OPERATOR {operator_name(name)} ({_pairs(parameters)})"


def create_operator_family(name: QName, method: str) -> str:
    return f"CREATE OPERATOR FAMILY {qualified(name)} USING {quote_ident(method)}"


@dataclass(frozen=True, slots=True)
class FamilyMember:
    """An operator or a support function of an operator class or family."""

    number: int
    left: str
    right: str
    name: QName
    arguments: str | None = None
    """Of a function; None is an operator."""
    sort_family: QName | None = None
    """Of an operator that orders: by which family."""

    def text(self) -> str:
        if self.arguments is not None:
            return f"FUNCTION {self.number} ({self.left}, {self.right}) {qualified(self.name)}({self.arguments})"
        order = f" FOR ORDER BY {qualified(self.sort_family)}" if self.sort_family is not None else ""
        return f"OPERATOR {self.number} {operator_name(self.name)} ({self.left}, {self.right}){order}"


def create_operator_class(
    name: QName,
    kind: str,
    method: str,
    members: Sequence[FamilyMember],
    *,
    family: QName,
    default: bool = False,
    storage: str | None = None,
) -> str:
    """``members`` are those that cannot be in the family without the class."""
    parts = [member.text() for member in members]
    if storage is not None or not parts:
        parts.append(f"STORAGE {storage or kind}")
    text = f"CREATE OPERATOR CLASS {qualified(name)}{' DEFAULT' if default else ''} FOR TYPE {kind}"
    return f"{text} USING {quote_ident(method)} FAMILY {qualified(family)} AS {', '.join(parts)}"


def add_family_members(family: QName, method: str, members: Sequence[FamilyMember]) -> str:
    return (
        f"ALTER OPERATOR FAMILY {qualified(family)} USING {quote_ident(method)} "
        f"ADD {', '.join(member.text() for member in members)}"
    )


def create_cast(source: str, target: str, how: str, context: str) -> str:
    """``how`` is ``WITH FUNCTION …``, ``WITHOUT FUNCTION`` or ``WITH INOUT``; ``context`` ``ASSIGNMENT``, ``IMPLICIT``
    or empty."""
    return f"CREATE CAST ({source} AS {target}) {how}{f' AS {context}' if context else ''}"


def create_foreign_data_wrapper(name: str, handler: str | None, validator: str | None, options: Options) -> str:
    text = f"CREATE FOREIGN DATA WRAPPER {quote_ident(name)}"
    text += f" HANDLER {handler}" if handler else ""
    text += f" VALIDATOR {validator}" if validator else ""
    return text + _options(options)


def create_server(name: str, wrapper: str, kind: str | None, version: str | None, options: Options) -> str:
    text = f"CREATE SERVER {quote_ident(name)}"
    text += f" TYPE {quote_literal(kind)}" if kind is not None else ""
    text += f" VERSION {quote_literal(version)}" if version is not None else ""
    return f"{text} FOREIGN DATA WRAPPER {quote_ident(wrapper)}{_options(options)}"


@dataclass(frozen=True, slots=True)
class ForeignColumn:
    name: str
    type: str
    collation: QName | None = None
    not_null: bool = False
    default: str | None = None
    generated: bool = False
    """``default`` is a generation expression."""
    options: Options = ()

    def text(self) -> str:
        text = f"{quote_ident(self.name)} {self.type}{_options(self.options)}"
        if self.collation is not None:
            text += f" COLLATE {qualified(self.collation)}"
        if self.generated:
            text += f" GENERATED ALWAYS AS ({self.default}) STORED"
        elif self.default is not None:
            text += f" DEFAULT {self.default}"
        return text + (" NOT NULL" if self.not_null else "")


def create_foreign_table(
    name: QName, columns: Iterable[ForeignColumn], checks: Iterable[tuple[str, str]], server: str, options: Options
) -> str:
    """``checks`` are (name, ``CHECK (…)``) as ``pg_get_constraintdef()`` prints them."""
    parts = [column.text() for column in columns]
    parts += [f"CONSTRAINT {quote_ident(check)} {definition}" for check, definition in checks]
    body = "(\n    " + ",\n    ".join(parts) + "\n)" if parts else "()"
    return f"CREATE FOREIGN TABLE {qualified(name)} {body} SERVER {quote_ident(server)}{_options(options)}"


def _options(options: Options) -> str:
    if not options:
        return ""
    return f" OPTIONS ({', '.join(f'{quote_ident(key)} {quote_literal(value)}' for key, value in options)})"


def _pairs(parameters: Mapping[str, str]) -> str:
    return ", ".join(f"{key} = {value}" if value else key for key, value in parameters.items())
