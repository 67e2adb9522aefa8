"""What the author of a schema says that no catalog can hold: what was renamed, and what is to be dropped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from wesley_tui.catalog.model import QName, Ref


@dataclass(frozen=True, slots=True)
class Intent:
    """New names point to old ones: ``renamed_tables[QName("public", "account")] == QName("public", "user")``."""

    renamed_tables: Mapping[QName, QName] = field(default_factory=dict)
    renamed_columns: Mapping[tuple[QName, str], str] = field(default_factory=dict)
    """(table by its new name, new column name) → old column name."""
    renamed_enums: Mapping[QName, QName] = field(default_factory=dict)
    renamed_labels: Mapping[tuple[QName, str], str] = field(default_factory=dict)
    """(enum by its new name, new label) → old label."""
    dropped_tables: frozenset[QName] = frozenset()
    """Tables marked ``@drop``: absent from the desired catalog, and wanted gone."""
    dropped_columns: frozenset[tuple[QName, str]] = frozenset()
    """Columns marked ``@drop``. A column that is not written down at all is dropped too: a declared table is
    declared whole."""
    dropped_objects: frozenset[Ref] = frozenset()
    """Objects that are to go, as :attr:`SqlObject.ref` names them; of enums ``Ref("type", …)``."""
    uids: Mapping[str, str] = field(default_factory=dict)
    """``@uid``: stable identity → the object that has it now: ``table public.users``, ``column public.t.c``."""
    conversions: Mapping[tuple[QName, str], str] = field(default_factory=dict)
    """``@using``: (table by its new name, column) → SQL over the row that makes a value of the column's new type."""
    computed: Mapping[tuple[QName, str], str] = field(default_factory=dict)
    """``@computed``: (table by its new name, column) → SQL of the value for a row ``t``, which triggers keep."""
