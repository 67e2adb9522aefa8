"""The CREATE statements of objects that PostgreSQL does not print itself: sequences, domains, types, publications …

Functions, views, triggers, rules and statistics come from the server (``pg_get_functiondef()`` and its relatives). For
the others the text is put together here from what the catalogs hold. What is the default is left out, so that a
statement reads like one that a person wrote. One statement each, no semicolon, every name schema-qualified.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wesley_tui.catalog.model import QName
from wesley_tui.catalog.naming import qualified, quote_ident, quote_idents, quote_literal

__all__ = [
    "Aggregate",
    "Attribute",
    "Publication",
    "PublishedTable",
    "SequenceOptions",
    "create_aggregate",
    "create_composite_type",
    "create_domain",
    "create_event_trigger",
    "create_extension",
    "create_materialized_view",
    "create_publication",
    "create_range_type",
    "create_sequence",
    "create_view",
    "default_privileges",
]

_LARGEST = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}


def create_extension(name: str, schema: str) -> str:
    """Without a version: the server installs the one that it has as default."""
    return f"CREATE EXTENSION {quote_ident(name)} WITH SCHEMA {quote_ident(schema)}"


@dataclass(frozen=True, slots=True)
class SequenceOptions:
    """The options of a sequence, as ``pg_sequence`` holds them."""

    type: str = "bigint"
    start: int | None = None
    increment: int = 1
    maximum: int | None = None
    minimum: int | None = None
    cache: int = 1
    cycle: bool = False
    unlogged: bool = False


def create_sequence(name: QName, options: SequenceOptions) -> str:
    """Limits that are the natural ones of the type and the direction are left out."""
    ascending = options.increment > 0
    least = 1 if ascending else -_LARGEST[options.type] - 1
    most = _LARGEST[options.type] if ascending else -1
    minimum = least if options.minimum is None else options.minimum
    maximum = most if options.maximum is None else options.maximum
    words = ["CREATE", *(["UNLOGGED"] if options.unlogged else []), "SEQUENCE", qualified(name)]
    if options.type != "bigint":
        words.append(f"AS {options.type}")
    if options.increment != 1:
        words.append(f"INCREMENT BY {options.increment}")
    if minimum != least:
        words.append(f"MINVALUE {minimum}")
    if maximum != most:
        words.append(f"MAXVALUE {maximum}")
    if options.start is not None and options.start != (minimum if ascending else maximum):
        words.append(f"START WITH {options.start}")
    if options.cache != 1:
        words.append(f"CACHE {options.cache}")
    if options.cycle:
        words.append("CYCLE")
    return " ".join(words)


def create_domain(
    name: QName,
    base: str,
    *,
    collation: QName | None = None,
    default: str | None = None,
    not_null: bool = False,
    checks: Sequence[tuple[str, str]] = (),
) -> str:
    """``checks`` are (name, ``CHECK (…)``) as ``pg_get_constraintdef()`` prints them."""
    parts = [f"CREATE DOMAIN {qualified(name)} AS {base}"]
    if collation is not None:
        parts.append(f"COLLATE {_collation(collation)}")
    if default is not None:
        parts.append(f"DEFAULT {default}")
    if not_null:
        parts.append("NOT NULL")
    parts += [f"CONSTRAINT {quote_ident(check)} {definition}" for check, definition in checks]
    return " ".join(parts)


@dataclass(frozen=True, slots=True)
class Attribute:
    """A field of a composite type."""

    name: str
    type: str
    collation: QName | None = None


def create_composite_type(name: QName, attributes: Sequence[Attribute]) -> str:
    texts = [
        f"{quote_ident(item.name)} {item.type}" + (f" COLLATE {_collation(item.collation)}" if item.collation else "")
        for item in attributes
    ]
    return f"CREATE TYPE {qualified(name)} AS ({', '.join(texts)})"


def create_range_type(name: QName, subtype: str, options: Mapping[str, str]) -> str:
    """``options`` are the other parameters (``subtype_opclass``, ``collation`` …) with their SQL, in order."""
    pairs = {"subtype": subtype, **options}
    return f"CREATE TYPE {qualified(name)} AS RANGE ({_pairs(pairs)})"


@dataclass(frozen=True, slots=True)
class Aggregate:
    """An aggregate: its arguments as ``pg_get_function_arguments()`` prints them, its parameters as SQL in order; a
    parameter without value (``FINALFUNC_EXTRA``) is empty."""

    arguments: str
    parameters: Mapping[str, str]


def create_aggregate(name: QName, aggregate: Aggregate) -> str:
    texts = [f"{key} = {value}" if value else key for key, value in aggregate.parameters.items()]
    return f"CREATE AGGREGATE {qualified(name)}({aggregate.arguments or '*'}) ({', '.join(texts)})"


def create_view(name: QName, query: str, options: Sequence[tuple[str, str]] = ()) -> str:
    """``query`` names its output columns itself, as ``pg_get_viewdef()`` does."""
    return f"CREATE VIEW {qualified(name)}{_with(options)} AS\n{query}"


def create_materialized_view(
    name: QName,
    query: str,
    options: Sequence[tuple[str, str]] = (),
    *,
    populated: bool = True,
    tablespace: str | None = None,
    access_method: str | None = None,
) -> str:
    method = f" USING {quote_ident(access_method)}" if access_method else ""
    place = f" TABLESPACE {quote_ident(tablespace)}" if tablespace else ""
    end = "" if populated else "\nWITH NO DATA"
    return f"CREATE MATERIALIZED VIEW {qualified(name)}{method}{_with(options)}{place} AS\n{query}{end}"


@dataclass(frozen=True, slots=True)
class PublishedTable:
    name: QName
    columns: tuple[str, ...] = ()
    """None for all."""
    where: str | None = None
    only: bool = False
    """Without the tables that inherit from it, which are published one by one, or not."""


@dataclass(frozen=True, slots=True)
class Publication:
    """What a publication publishes."""

    all_tables: bool = False
    tables: tuple[PublishedTable, ...] = ()
    schemas: tuple[str, ...] = ()
    operations: tuple[str, ...] = ("insert", "update", "delete", "truncate")
    via_root: bool = False
    generated_columns: bool = False


def create_publication(name: str, publication: Publication) -> str:
    text = f"CREATE PUBLICATION {quote_ident(name)}"
    if publication.all_tables:
        text += " FOR ALL TABLES"
    objects = []
    for table in publication.tables:
        columns = f" ({quote_idents(table.columns)})" if table.columns else ""
        where = f" WHERE ({table.where})" if table.where is not None else ""
        objects.append(f"TABLE {'ONLY ' if table.only else ''}{qualified(table.name)}{columns}{where}")
    objects += [f"TABLES IN SCHEMA {quote_ident(schema)}" for schema in publication.schemas]
    if objects:
        text += f" FOR {', '.join(objects)}"
    options = {}
    if publication.operations != Publication().operations:
        options["publish"] = quote_literal(", ".join(publication.operations))
    if publication.via_root:
        options["publish_via_partition_root"] = "true"
    if publication.generated_columns:
        options["publish_generated_columns"] = "stored"
    return text + (f" WITH ({_pairs(options)})" if options else "")


def create_event_trigger(name: str, event: str, tags: Sequence[str], function: QName) -> str:
    when = f" WHEN TAG IN ({', '.join(map(quote_literal, tags))})" if tags else ""
    return f"CREATE EVENT TRIGGER {quote_ident(name)} ON {event}{when} EXECUTE FUNCTION {qualified(function)}()"


def default_privileges(
    role: str, schema: str, objects: str, privileges: Sequence[str], grantee: str, *, grantable: bool, revoke: bool
) -> str:
    """One ALTER DEFAULT PRIVILEGES; ``schema`` is empty for the whole database, ``objects`` is TABLES, FUNCTIONS …"""
    place = f" IN SCHEMA {quote_ident(schema)}" if schema else ""
    whom = "PUBLIC" if grantee == "public" else quote_ident(grantee)
    what = f"{', '.join(privileges)} ON {objects}"
    verb = f"REVOKE {what} FROM {whom}" if revoke else f"GRANT {what} TO {whom}"
    option = " WITH GRANT OPTION" if grantable and not revoke else ""
    return f"ALTER DEFAULT PRIVILEGES FOR ROLE {quote_ident(role)}{place} {verb}{option}"


def _collation(name: QName) -> str:
    return quote_ident(name.name) if name.schema == "pg_catalog" else qualified(name)


def _pairs(options: Mapping[str, str]) -> str:
    return ", ".join(f"{key} = {value}" for key, value in options.items())


def _with(options: Sequence[tuple[str, str]]) -> str:
    if not options:
        return ""
    shown = [f"{quote_ident(key)}={value if value.isalnum() else quote_literal(value)}" for key, value in options]
    return f" WITH ({', '.join(shown)})"
