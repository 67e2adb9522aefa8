"""What Wesley has set aside in tables: no schema declares it, but later plans finish it, bring it back or purge it.

Retired columns (``wesley_retired_…``) keep their data until they are purged. A change of type by shadow column leaves,
until its last wave, the old column (``wesley_old_…``), its indexes and constraints, and the trigger that keeps it up to
date; before the exchange the new one is called ``wesley_new_…``.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from wesley_tui.catalog.model import QName
from wesley_tui.catalog.reading.names import SYNC_TRIGGER, Names, Rows
from wesley_tui.catalog.reading.tables import read_column
from wesley_tui.catalog.snapshot import RestingColumn

__all__ = ["read_resting_columns"]


def read_resting_columns(rows: Rows, names: Names) -> Iterator[RestingColumn]:
    """In the order of tables and columns."""
    tables = {row[0]: QName(row[1], row[2]) for row in rows["tables"] or ()}
    sync: dict[str, dict[str, tuple[str, str]]] = defaultdict(dict)
    for row in rows["triggers"] or ():
        if row[4].startswith(SYNC_TRIGGER):
            called = re.search(r"EXECUTE (?:FUNCTION|PROCEDURE) (.+)\(", row[5])
            sync[row[1]][row[4].removeprefix(SYNC_TRIGGER)] = (row[4], called[1] if called else "")
    constraint_indexes = {row[9] for row in rows["constraints"] or () if row[3] in "pux"}
    for row in rows["columns"] or ():
        oid, number = row[0], row[1]
        if number not in names.retired[oid] or oid not in tables:
            continue
        # Columns and triggers of one plan carry its tag.
        found = (pair for tag, pair in sync[oid].items() if f"_{tag}_" in row[2])
        trigger, function = next(found, ("", ""))
        yield RestingColumn(
            table=tables[oid],
            column=read_column(row, names),
            indexes=tuple(
                sorted(
                    index[2]
                    for index in rows["indexes"] or ()
                    if index[0] == oid and index[1] not in constraint_indexes and number in index[8]
                )
            ),
            constraints=tuple(
                sorted(item[2] for item in rows["constraints"] or () if item[0] == oid and number in (item[4] or ()))
            ),
            trigger=trigger,
            function=function,
        )
