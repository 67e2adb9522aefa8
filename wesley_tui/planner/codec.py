"""The records of a plan as plain JSON data, and back: the one codec of plan files and of the ledger.

It is driven by the records themselves (:mod:`wesley_tui.planner.plan`): a field that is added to one of them is written
and read from then on, and data that were written before it existed are read with its default. Members of enumerations
are written by their names. What is read is never believed: every value must have the type of its field.
"""

from __future__ import annotations

import dataclasses
import enum
import types
import typing
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Literal, TypeVar, Union

from wesley_tui.catalog.model import QName
from wesley_tui.diff.changes import RenameQuestion
from wesley_tui.planner.plan import Plan

__all__ = ["data_from_record", "plan_from_data", "record_from_data"]

_Read = Callable[[Any], Any]
_Record = TypeVar("_Record")


def data_from_record(value: Any) -> Any:
    """A record, or what stands in one, as what ``json.dumps`` takes: objects, lists, texts, numbers."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is tuple:
        return [data_from_record(item) for item in value]
    names = _field_names(kind)  # type: ignore[arg-type]  # classes are hashable
    if names is not None:
        return {name: data_from_record(getattr(value, name)) for name in names}
    if isinstance(value, enum.Enum):
        return value.value if isinstance(value, str) else value.name
    if isinstance(value, Mapping):
        return {key: data_from_record(item) for key, item in value.items()}
    return [data_from_record(item) for item in value] if isinstance(value, tuple) else value


_PLAIN = frozenset({str, int, float, bool, type(None)})


@lru_cache(maxsize=256)
def _field_names(kind: type[Any]) -> tuple[str, ...] | None:
    """The fields of a record; None for what is none."""
    return tuple(field.name for field in dataclasses.fields(kind)) if dataclasses.is_dataclass(kind) else None


def plan_from_data(data: Any) -> Plan:
    """The plan that :func:`data_from_record` has written; raises like :func:`record_from_data`."""
    return record_from_data(Plan, data)


def record_from_data(record: type[_Record], data: Any) -> _Record:
    """An instance of a dataclass. Keys that are no field of it are passed over: they say again what follows from the
    rest.

    Raises ``KeyError`` with the name of a field that is missing and has no default, ``TypeError`` or ``ValueError`` for
    a value that the field cannot have.
    """
    reader: Callable[[Any], _Record] = _record_reader(record)  # type: ignore[arg-type]  # classes are hashable
    return reader(data)


@lru_cache(maxsize=64)
def _record_reader(record: type[Any]) -> _Read:
    hints = typing.get_type_hints(record, localns={"RenameQuestion": RenameQuestion})
    readers = [
        (field.name, _reader(hints[field.name]), _has_default(field))
        for field in dataclasses.fields(record)
    ]  # fmt: skip

    def read(value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise TypeError(f"expected an object, found {value!r:.60}")
        found: dict[str, Any] = {}
        for name, reader, optional in readers:
            if name in value:
                found[name] = reader(value[name])
            elif not optional:
                raise KeyError(name)
        return record(**found)

    return read


def _has_default(field: dataclasses.Field[Any]) -> bool:
    return field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING


def _reader(kind: Any) -> _Read:
    """What reads a value of the type ``kind``, as the fields of the records are annotated."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (Union, types.UnionType):
        (inner,) = (item for item in arguments if item is not type(None))
        reader = _reader(inner)
        return lambda value: None if value is None else reader(value)
    if kind is QName:
        return _name
    if origin is tuple:
        return _many(_reader(arguments[0]))
    if origin is Literal:
        return _one_of(arguments)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping(_reader(arguments[1]))
    if dataclasses.is_dataclass(kind):
        return _record_reader(typing.cast(type, kind))
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return kind if issubclass(kind, str) else _member(kind)
    return _scalar(kind)


def _scalar(kind: Any) -> _Read:
    if kind is Any:
        return _plain
    word = {str: "a text", bool: "true or false", int: "a whole number", float: "a number"}[kind]

    def read(value: Any) -> Any:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if kind is float and number:
            return float(value)
        if not isinstance(value, kind) or (kind is int and not number):
            raise TypeError(f"expected {word}, found {value!r:.60}")
        return value

    return read


def _plain(value: Any) -> Any:
    """Of a field that holds numbers and texts for people: whatever JSON has."""
    return value


def _list(value: Any) -> list[Any] | tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise TypeError(f"expected a list, found {value!r:.60}")
    return value


def _many(reader: _Read) -> _Read:
    return lambda value: tuple(reader(item) for item in _list(value))


def _name(value: Any) -> QName:
    text = _scalar(str)
    schema, name = _list(value)
    return QName(text(schema), text(name))


def _one_of(choices: tuple[Any, ...]) -> _Read:
    def read(value: Any) -> Any:
        if not isinstance(value, str) or value not in choices:
            raise ValueError(f"{value!r:.60} is none of {', '.join(map(str, choices))}")
        return value

    return read


def _mapping(reader: _Read) -> _Read:
    def read(value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise TypeError(f"expected an object, found {value!r:.60}")
        return {_scalar(str)(key): reader(item) for key, item in value.items()}

    return read


def _member(kind: type[enum.Enum]) -> _Read:
    def read(value: Any) -> Any:
        if not isinstance(value, str) or value not in kind.__members__:
            raise ValueError(f"{value!r:.60} is not a {kind.__name__}")
        return kind[value]

    return read
