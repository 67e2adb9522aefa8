"""The memory of spellings: what a schema declared, and what PostgreSQL made of it.

The server stores an analysed form of a view, a default or a check and prints that. Where
:mod:`wesley_tui.catalog.expression` and :mod:`wesley_tui.catalog.statement` cannot see that it means what the schema
says (``SELECT *``, ``ORDER BY 1``), a plan would want to make it again, forever. So after a run whose result was
verified, the digests of both texts are kept in ``wesley.declarations``; and as long as neither side has changed since,
they count as the same: :func:`settled` puts the live text in the place of the declared one, before anything is
compared.

A *path* names one text of a catalog: ``view public.v``, ``function public.f(integer)``, ``default public.t.c``,
``generated public.t.c``, ``check public.t.name``, ``exclude public.t.name``, ``index public.i``, ``policy public.t.p``,
``partition key public.t``, ``partition bound public.t_2024``. What consists of several texts (an index with expressions
and a predicate) is written as a JSON list of them.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, TypeVar

from wesley_tui.catalog.expression import same_default, same_expression
from wesley_tui.catalog.model import (
    Catalog,
    Check,
    Column,
    Constraint,
    Exclude,
    Index,
    IndexKey,
    Policy,
    QName,
    SqlObject,
    Table,
)
from wesley_tui.catalog.statement import parse_single, same_object, same_partition_bound, same_partition_key

__all__ = [
    "declaration_of",
    "declarations",
    "live_digest",
    "paths_of",
    "remembered",
    "settled",
    "unseen_declaration",
]

_EXPRESSIONS = ("default", "generated", "check", "exclude", "index", "policy")

_T = TypeVar("_T")
_Texts = Mapping[str, str]


def paths_of(catalog: Catalog) -> dict[str, str]:
    """Every text of the catalog that the server may print in another way than it was written, by its path."""
    return dict(_texts(catalog))


def declaration_of(path: str, text: str) -> str:
    """The digest of a declared text: 64 hex digits, the same however it is laid out, another one for any other text,
    even for one that means the same."""
    return _sha(json.dumps([_tree(path, part) for part in _parts(text)], sort_keys=True))


def live_digest(text: str) -> str:
    """The digest of a text as the server printed it. A later major version may print another text; then the pair has
    served its time."""
    return _sha(text)


def declarations(actual: Catalog, desired: Catalog, paths: Collection[str] | None = None) -> dict[str, tuple[str, str]]:
    """What to remember after ``desired`` was brought about and ``actual`` was read: path → (:func:`declaration_of`,
    :func:`live_digest`), for every text whose two spellings cannot be seen to mean the same.

    ``paths`` are those that the run made. What it did not make must not be recorded: a difference that was there before
    would be gone from sight.
    """
    live = paths_of(actual)
    found = {}
    for path, text in _texts(desired):
        if path in live and (paths is None or path in paths) and not _same(path, live[path], text, actual, desired):
            found[path] = (declaration_of(path, text), live_digest(live[path]))
    return found


def settled(actual: Catalog, desired: Catalog, declared: Mapping[str, tuple[str, str]]) -> Catalog:
    """``desired`` with the live text wherever ``declared`` says that it is what became of the declared one; the same
    catalog when there is nothing to settle."""
    if not declared:
        return desired
    live = {
        path: text
        for path, text in _texts(actual)
        if (pair := declared.get(path)) is not None and pair[1] == live_digest(text)
    }
    known = {
        path: live[path]
        for path, text in _texts(desired)
        if path in live and text != live[path] and declared[path][0] == declaration_of(path, text)
    }
    if not known:
        return desired
    live_objects = {str(ref): item for ref, item in actual.objects.items()}
    return dataclasses.replace(
        desired,
        tables={name: _settled_table(table, known) for name, table in desired.tables.items()},
        objects={ref: _settled_object(item, live_objects, known) for ref, item in desired.objects.items()},
    )


def remembered(actual: Catalog, desired: Catalog, declared: Mapping[str, tuple[str, str]]) -> Catalog:
    """``actual`` with the ``@sql`` objects of ``desired`` that a run has made, as far as the memory goes: no catalog
    shows them, so only a change of their text makes them be run again. For the comparison only."""
    known = {
        ref: item
        for ref, item in desired.objects.items()
        if item.kind == "other" and declared.get(str(ref)) == unseen_declaration(item)
    }
    return dataclasses.replace(actual, objects={**actual.objects, **known}) if known else actual


def unseen_declaration(item: SqlObject) -> tuple[str, str]:
    """What is remembered of an object that no catalog shows: its own text, twice."""
    text = _list(*item.statements)
    return declaration_of(str(item.ref), text), live_digest(text)


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _list(*texts: str | None) -> str:
    return json.dumps(texts, ensure_ascii=False)


def _parts(text: str) -> list[str | None]:
    """The texts in a list of them; a text that is none is its own only part."""
    if text.startswith("["):
        try:
            parts = json.loads(text)
        except ValueError:
            return [text]
        if isinstance(parts, list) and all(part is None or isinstance(part, str) for part in parts):
            return parts
    return [text]


def _tree(path: str, text: str | None) -> Any:
    """What the grammar makes of a text, without places; the text itself where it is none of SQL."""
    if text is None:
        return None
    is_expression = path.partition(" ")[0] in _EXPRESSIONS
    statement = parse_single(f"SELECT ({text}\n)" if is_expression else text)
    try:
        return text.strip() if statement is None else _without_places(statement)
    except RecursionError:
        return text.strip()


def _without_places(node: Any) -> Any:
    if isinstance(node, dict):
        return {
            key: _without_places(value)
            for key, value in node.items()
            if not key.endswith("location") and not key.startswith(("list_", "rexpr_list_", "stmt_"))
        }
    return [_without_places(item) for item in node] if isinstance(node, list) else node


def _texts(catalog: Catalog) -> Iterator[tuple[str, str]]:
    for table in catalog.tables.values():
        yield from _table_texts(table)
    for ref, item in catalog.objects.items():
        if item.kind != "extension":
            yield str(ref), _list(*item.statements)
        for index in item.indexes:
            yield from _index_texts(item.name, index)


def _table_texts(table: Table) -> Iterator[tuple[str, str]]:
    if table.partition_by is not None:
        yield f"partition key {table.name}", table.partition_by
    if table.partition_bound is not None:
        yield f"partition bound {table.name}", table.partition_bound
    for column in table.columns:
        if column.default is not None:
            yield f"default {table.name}.{column.name}", column.default
        if column.generated is not None:
            yield f"generated {table.name}.{column.name}", column.generated.expression
    for constraint in table.constraints:
        if isinstance(constraint, Check):
            yield f"check {table.name}.{constraint.name}", constraint.expression
        elif isinstance(constraint, Exclude):
            texts = (*(key.expression for key, _ in constraint.elements), constraint.where)
            if any(text is not None for text in texts):
                yield f"exclude {table.name}.{constraint.name}", _list(*texts)
    for index in table.indexes:
        yield from _index_texts(table.name, index)
    for policy in table.policies:
        yield f"policy {table.name}.{policy.name}", _list(policy.using, policy.check)


def _index_texts(table: QName, index: Index) -> Iterator[tuple[str, str]]:
    texts = (*(key.expression for key in index.keys), index.where)
    if any(text is not None for text in texts):
        yield f"index {table.schema}.{index.name}", _list(*texts)


def _same(path: str, live: str, text: str, actual: Catalog, desired: Catalog) -> bool:
    """Whether the pure comparisons see by themselves that both texts mean the same."""
    if live == text:
        return True
    kind = path.partition(" ")[0]
    if kind == "default":
        return same_default(live, text, _default_type(path, desired))
    if kind in _EXPRESSIONS:
        old, new = _parts(live), _parts(text)
        return len(old) == len(new) and all(map(same_expression, old, new))
    if kind == "partition":
        return (same_partition_key if path.startswith("partition key ") else same_partition_bound)(live, text)
    mine = next(item for ref, item in desired.objects.items() if str(ref) == path)
    other = actual.objects.get(mine.ref)
    return other is not None and same_object(other, mine)


def _default_type(path: str, catalog: Catalog) -> str | None:
    return next(
        (
            column.type
            for table in catalog.tables.values()
            for column in table.columns
            if path == f"default {table.name}.{column.name}"
        ),
        None,
    )


def _settled_object(item: SqlObject, live: Mapping[str, SqlObject], known: _Texts) -> SqlObject:
    path = str(item.ref)
    if path in known:
        item = dataclasses.replace(item, statements=live[path].statements)
    return dataclasses.replace(item, indexes=_each(item.indexes, lambda index: _settled_index(item.name, index, known)))


def _settled_table(table: Table, known: _Texts) -> Table:
    columns = _each(table.columns, lambda column: _settled_column(table, column, known))
    constraints = _each(table.constraints, lambda item: _settled_constraint(table, item, known))
    indexes = _each(table.indexes, lambda index: _settled_index(table.name, index, known))
    policies = _each(table.policies, lambda policy: _settled_policy(table, policy, known))
    key = known.get(f"partition key {table.name}", table.partition_by)
    bound = known.get(f"partition bound {table.name}", table.partition_bound)
    parts = (columns, constraints, indexes, policies, key, bound)
    if parts == (
        *(table.columns, table.constraints, table.indexes, table.policies),
        *(table.partition_by, table.partition_bound),
    ):
        return table
    return dataclasses.replace(
        table,
        columns=columns,
        constraints=constraints,
        indexes=indexes,
        policies=policies,
        partition_by=key,
        partition_bound=bound,
    )


def _each(items: tuple[_T, ...], settle: Callable[[_T], _T]) -> tuple[_T, ...]:
    return tuple(settle(item) for item in items)


def _settled_column(table: Table, column: Column, known: _Texts) -> Column:
    default = known.get(f"default {table.name}.{column.name}")
    generated = known.get(f"generated {table.name}.{column.name}")
    if default is not None:
        column = dataclasses.replace(column, default=default)
    if generated is not None and column.generated is not None:
        column = dataclasses.replace(column, generated=dataclasses.replace(column.generated, expression=generated))
    return column


def _settled_constraint(table: Table, item: Constraint, known: _Texts) -> Constraint:
    if isinstance(item, Check):
        text = known.get(f"check {table.name}.{item.name}")
        return item if text is None else dataclasses.replace(item, expression=text)
    if isinstance(item, Exclude) and (text := known.get(f"exclude {table.name}.{item.name}")) is not None:
        *expressions, where = _parts(text)
        keys = _with_expressions(tuple(key for key, _ in item.elements), expressions)
        elements = tuple((key, operator) for key, (_, operator) in zip(keys, item.elements, strict=True))
        return dataclasses.replace(item, elements=elements, where=where)
    return item


def _settled_index(table: QName, index: Index, known: _Texts) -> Index:
    text = known.get(f"index {table.schema}.{index.name}")
    if text is None:
        return index
    *expressions, where = _parts(text)
    return dataclasses.replace(index, keys=_with_expressions(index.keys, expressions), where=where)


def _with_expressions(keys: tuple[IndexKey, ...], expressions: list[str | None]) -> tuple[IndexKey, ...]:
    """Keys that are expressions on both sides take the live text; where the shapes differ, nothing is the same."""
    if len(keys) != len(expressions):
        return keys
    return tuple(
        key if key.expression is None or text is None else dataclasses.replace(key, expression=text)
        for key, text in zip(keys, expressions, strict=True)
    )


def _settled_policy(table: Table, policy: Policy, known: _Texts) -> Policy:
    text = known.get(f"policy {table.name}.{policy.name}")
    if text is None:
        return policy
    using, check = _parts(text)
    return dataclasses.replace(policy, using=using, check=check)
