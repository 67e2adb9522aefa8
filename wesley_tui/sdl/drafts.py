"""What compiling one type gives: everything that can be known without looking at other tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from wesley_tui.catalog.model import Enum, ForeignKey, QName, Table
from wesley_tui.sdl.issues import Issue, Spot
from wesley_tui.sdl.presets import Preset
from wesley_tui.sdl.usage import Use

__all__ = ["Annotation", "EnumDraft", "PendingForeignKey", "TableDraft"]


@dataclass(frozen=True, slots=True)
class Annotation:
    """A directive that informs: ``@pii``, ``@weight(value: 3)``, ``@hasMany(type: "Post")``."""

    name: str
    arguments: tuple[tuple[str, str | int | bool], ...] = ()


@dataclass(frozen=True, slots=True)
class PendingForeignKey:
    """A foreign key whose other side has not been looked up."""

    key: ForeignKey
    """``references`` and ``referenced_columns`` are empty."""
    target_type: str
    """The type of the field, where that is a table; else empty."""
    target_texts: tuple[str, ...]
    """``ref`` as written."""
    use: Use
    typeless_column: str | None
    """The column that takes its type from the referenced key."""


@dataclass(frozen=True, slots=True, eq=False)
class TableDraft:
    """Compared by identity: an unchanged type keeps its draft."""

    type_name: str
    name: QName
    table: Table
    """Without foreign keys; a column whose type comes from a referenced key has the type ``""``."""
    fields: Mapping[str, str]
    """Field name → column name."""
    foreign_keys: tuple[PendingForeignKey, ...] = ()
    failed: frozenset[str] = frozenset()
    """Names of fields and columns that are wrong and reported: whoever speaks of them is not wrong for that."""
    names: frozenset[str] = frozenset()
    """Of the table, its constraints and its indexes."""
    default_names: frozenset[str] = frozenset()
    """Names of constraints and indexes that nobody wrote."""
    dropped: bool = False
    renamed_from: QName | None = None
    renamed_columns: Mapping[str, str] = field(default_factory=dict)
    dropped_columns: frozenset[str] = frozenset()
    issues: tuple[Issue, ...] = ()
    spots: Mapping[str, Spot] = field(default_factory=dict)
    """``""`` for the table, ``column NAME``, ``constraint NAME``, ``index NAME``, ``policy NAME``."""
    annotations: Mapping[str, tuple[Annotation, ...]] = field(default_factory=dict)
    """By the same keys; ``field NAME`` for one that is no column."""
    presets: tuple[Preset, ...] = ()
    computed: tuple[tuple[str, Use], ...] = ()
    """Columns that are computed from other tables."""
    conversions: Mapping[str, str] = field(default_factory=dict)
    """Column → how a value of another type becomes one of its own."""


@dataclass(frozen=True, slots=True)
class EnumDraft:
    type_name: str
    enum: Enum
    by_value: tuple[tuple[str, str], ...]
    renamed_from: QName | None = None
    renamed_labels: Mapping[str, str] = field(default_factory=dict)
    issues: tuple[Issue, ...] = ()
    spots: Mapping[str, Spot] = field(default_factory=dict)
