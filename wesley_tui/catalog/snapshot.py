"""One look at a live server: its catalog, and the facts about it that hazards and durations depend on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from wesley_tui.catalog.model import Catalog, Column, QName


@dataclass(frozen=True, slots=True)
class TableSize:
    """Size of a table as ``pg_class`` knew it at the last VACUUM or ANALYZE."""

    relpages: int
    """Pages of 8 kB in the main fork."""
    reltuples: float
    """Estimated rows; -1 when the table was never vacuumed or analyzed (PostgreSQL 14 and later)."""
    main_bytes: int = 0
    """Actual size of the main fork when it could be read without waiting, else ``relpages * 8192``."""
    index_bytes: int = 0
    """All its indexes together, by ``relpages``."""


@dataclass(frozen=True, slots=True)
class RestingColumn:
    """A column that Wesley has set aside: retired (``wesley_retired_…``), or the old or new one of a change of type by
    shadow column (``wesley_old_…``, ``wesley_new_…``)."""

    table: QName
    column: Column
    """Under the name by which it rests."""
    indexes: tuple[str, ...] = ()
    """Indexes over it that no constraint owns."""
    constraints: tuple[str, ...] = ()
    trigger: str = ""
    """The trigger of its table that keeps columns of different types alike; empty when there is none."""
    function: str = ""
    """What that trigger calls, qualified as in SQL."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one REPEATABLE READ transaction saw.

    Without a server (``wesley plan`` against an empty base, tests) build one by hand: the defaults describe an
    empty PostgreSQL 18 in UTC.
    """

    catalog: Catalog = field(default_factory=Catalog)
    server_version_num: int = 180000
    """As ``SHOW server_version_num``: 150018 is 15.18."""
    database: str = ""
    system_identifier: str = ""
    """From ``pg_control_system()``; empty when the role may not read it."""
    role: str = ""
    in_recovery: bool = False
    timezone: str = "UTC"
    sizes: Mapping[QName, TableSize] = field(default_factory=dict)
    extensions: frozenset[str] = frozenset()
    declared: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """What ``wesley.declarations`` remembers: path → (digest of the declared text, digest of the live text); see
    :mod:`wesley_tui.catalog.declared`."""
    resting_columns: tuple[RestingColumn, ...] = ()
    """What Wesley has set aside in the tables of the catalog, which does not show it."""
    retired: Catalog = field(default_factory=Catalog)
    """What rests in schema ``wesley_retired``."""
    visible: Catalog | None = None
    """When ``catalog`` shows resting things as well, to bring them back: what everybody else sees, and fingerprints
    speak of."""

    @property
    def major(self) -> int:
        """Major version of the server: 12 to 18."""
        return self.server_version_num // 10000
