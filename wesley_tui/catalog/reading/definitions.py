"""What expressions, indexes and columns lean on: rows of ``introspect_definitions.sql`` → records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from wesley_tui.catalog import ddl_definitions as ddl
from wesley_tui.catalog.model import ObjectKind, QName, Ref, SqlObject
from wesley_tui.catalog.naming import qualified, quote_literal
from wesley_tui.catalog.reading.names import Names, Oid, Rows

__all__ = ["read_definitions"]

_PROVIDERS = {"c": "libc", "i": "icu", "b": "builtin"}
_CONTEXTS = {"a": "ASSIGNMENT", "i": "IMPLICIT", "e": ""}
_Found = tuple[str, Oid, SqlObject]


def read_definitions(rows: Rows, names: Names) -> Iterator[_Found]:
    """(system catalog, oid, object) of every kind."""
    yield from _collations(rows)
    yield from _text_search(rows)
    yield from _operators(rows)
    yield from _operator_classes(rows)
    yield from _casts(rows)
    yield from _foreign_data(rows)
    yield from _foreign_tables(rows, names)


def _object(kind: ObjectKind, name: QName, statements: Sequence[str], needs: Sequence[Ref] = (), **more: Any) -> Any:
    return SqlObject(kind, name, tuple(statements), depends_on=tuple(sorted(set(needs))), **more)


def _collations(rows: Rows) -> Iterator[_Found]:
    for oid, schema, name, provider, deterministic, collate, ctype, locale, rules in rows["own collations"] or ():
        parameters = {"provider": _PROVIDERS.get(provider, provider)}
        if not deterministic:
            parameters["deterministic"] = "false"
        if locale is not None:
            parameters["locale"] = quote_literal(locale)
        elif collate == ctype:
            parameters["locale"] = quote_literal(collate)
        else:
            parameters |= {"lc_collate": quote_literal(collate), "lc_ctype": quote_literal(ctype)}
        if rules is not None:
            parameters["rules"] = quote_literal(rules)
        text = ddl.create_collation(QName(schema, name), parameters)
        yield "pg_collation", oid, _object("collation", QName(schema, name), (text,))


def _text_search(rows: Rows) -> Iterator[_Found]:
    for oid, schema, name, template_schema, template, options in rows["text search dictionaries"] or ():
        text = ddl.create_text_search_dictionary(QName(schema, name), QName(template_schema, template), options)
        yield "pg_ts_dict", oid, _object("text search dictionary", QName(schema, name), (text,))
    for oid, schema, name, parser_schema, parser, mappings in rows["text search configurations"] or ():
        configuration = QName(schema, name)
        statements = [ddl.create_text_search_configuration(configuration, QName(parser_schema, parser))]
        dictionaries: dict[str, list[QName]] = defaultdict(list)
        for token, dictionary_schema, dictionary in mappings or ():
            dictionaries[token].append(QName(dictionary_schema, dictionary))
        tokens: dict[tuple[QName, ...], list[str]] = defaultdict(list)
        for token, several in dictionaries.items():
            tokens[tuple(several)].append(token)
        statements += [ddl.add_mapping(configuration, alike, several) for several, alike in tokens.items()]
        needs = [
            Ref("text search dictionary", str(item))
            for several in tokens
            for item in several
            if item.schema != "pg_catalog"
        ]
        yield "pg_ts_config", oid, _object("text search configuration", configuration, statements, needs)


def _operators(rows: Rows) -> Iterator[_Found]:
    for row in rows["operators"] or ():
        oid, schema, name, left, right, function, commutator, negator, restrict, join, hashes, merges = row
        found = [
            ("FUNCTION", function),
            ("LEFTARG", left),
            ("RIGHTARG", right),
            ("COMMUTATOR", _mention(commutator)),
            ("NEGATOR", _mention(negator)),
            ("RESTRICT", restrict),
            ("JOIN", join),
            ("HASHES", "" if hashes else None),
            ("MERGES", "" if merges else None),
        ]
        text = ddl.create_operator(QName(schema, name), {key: value for key, value in found if value is not None})
        arguments = f"{left or 'NONE'}, {right or 'NONE'}"
        yield "pg_operator", oid, _object("operator", QName(schema, name), (text,), arguments=arguments)


def _mention(operator: Sequence[str] | None) -> str | None:
    return None if operator is None else f"OPERATOR({ddl.operator_name(QName(*operator))})"


def _operator_classes(rows: Rows) -> Iterator[_Found]:
    of_class: dict[Oid, list[ddl.FamilyMember]] = defaultdict(list)
    of_family: dict[Oid, list[ddl.FamilyMember]] = defaultdict(list)
    for family, operator_class, number, left, right, schema, name, arguments, sort in (
        rows["members of operator families"] or ()
    ):
        sorts = QName(*sort) if sort is not None else None
        member = ddl.FamilyMember(number, left, right, QName(schema, name), arguments, sorts)
        (of_family[family] if operator_class is None else of_class[operator_class]).append(member)
    for oid, schema, name, method in rows["operator families"] or ():
        family_name, loose = QName(schema, name), of_family.get(oid, [])
        statements = [ddl.create_operator_family(family_name, method)]
        statements += [ddl.add_family_members(family_name, method, loose)] if loose else []
        made = _object("operator family", family_name, statements, _needed(loose), arguments=method)
        yield "pg_opfamily", oid, made
    for oid, schema, name, method, default, kind, family_schema, family, storage in rows["operator classes"] or ():
        members, family_name = of_class.get(oid, []), QName(family_schema, family)
        text = ddl.create_operator_class(
            QName(schema, name), kind, method, members, family=family_name, default=default, storage=storage
        )
        needs = _needed(members)
        if family_schema != "pg_catalog":
            needs.append(Ref("operator family", f"{family_name}({method})"))
        yield "pg_opclass", oid, _object("operator class", QName(schema, name), (text,), needs, arguments=method)


def _needed(members: Sequence[ddl.FamilyMember]) -> list[Ref]:
    return [
        Ref("operator", f"{member.name}({member.left}, {member.right})")
        if member.arguments is None
        else Ref("function", f"{member.name}({member.arguments})")
        for member in members
        if member.name.schema != "pg_catalog"
    ]


def _casts(rows: Rows) -> Iterator[_Found]:
    for oid, source, target, method, context, schema, name, arguments in rows["casts"] or ():
        needs = []
        if method == "f":
            function = QName(schema, name)
            how = f"WITH FUNCTION {qualified(function)}({arguments})"
            needs = [Ref("function", f"{function}({arguments})")] if schema != "pg_catalog" else []
        else:
            how = "WITH INOUT" if method == "i" else "WITHOUT FUNCTION"
        text = ddl.create_cast(source, target, how, _CONTEXTS[context])
        yield "pg_cast", oid, _object("cast", QName("", ""), (text,), needs, arguments=f"{source} AS {target}")


def _foreign_data(rows: Rows) -> Iterator[_Found]:
    for oid, name, handler, validator, options in rows["foreign-data wrappers"] or ():
        text = ddl.create_foreign_data_wrapper(name, handler, validator, _options(options))
        yield "pg_foreign_data_wrapper", oid, _object("foreign-data wrapper", QName("", name), (text,))
    for oid, name, kind, version, wrapper, options in rows["servers"] or ():
        text = ddl.create_server(name, wrapper, kind, version, _options(options))
        needs = [Ref("foreign-data wrapper", wrapper)]
        yield "pg_foreign_server", oid, _object("server", QName("", name), (text,), needs)


def _foreign_tables(rows: Rows, names: Names) -> Iterator[_Found]:
    for oid, schema, name, server, options, columns, checks in rows["foreign tables"] or ():
        table = QName(schema, name)
        found = [
            ddl.ForeignColumn(
                column,
                kind,
                names.collations[collation] if collation is not None else None,
                not_null,
                default,
                bool(generated),
                _options(more),
            )
            for _, column, kind, collation, not_null, generated, default, more in columns or ()
        ]
        text = ddl.create_foreign_table(
            table, found, [tuple(check) for check in checks or ()], server, _options(options)
        )
        comments = [
            (row[1], comment)
            for row in columns or ()
            if (comment := names.comments.get(("pg_class", oid, row[0]))) is not None
        ]
        yield (
            "pg_class",
            oid,
            _object(
                "foreign table",
                table,
                (text,),
                [Ref("server", server)],
                columns=tuple(column.name for column in found),
                part_comments=tuple(sorted(comments)),
            ),
        )


def _options(options: Sequence[Sequence[str]] | None) -> ddl.Options:
    return tuple((key, value) for key, value in options or ())
