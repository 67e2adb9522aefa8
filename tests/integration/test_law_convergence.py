"""The law over all kinds: any database becomes any other, and back, with its rows; then nothing is left to do.

A small sample by default; ``make laws`` draws ``WESLEY_LAW_PAIRS`` pairs (500 unless told otherwise) at random on each
version of the server, and says how many held.
"""

from __future__ import annotations

import dataclasses
import os
from collections import Counter
from collections.abc import Iterator

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.catalogs import read
from tests.conftest import fresh_database
from tests.law import Refused, converge, made
from tests.strategies import catalogs
from tests.strategies_edits import neighbours
from tests.strategies_objects import KINDS
from wesley_tui.catalog.model import Catalog
from wesley_tui.demo.server import EmbeddedServer

_SLOW = os.environ.get("WESLEY_SLOW") == "1"
_PAIRS = int(os.environ.get("WESLEY_LAW_PAIRS", "500")) if _SLOW else 2
_NOT_POSSIBLE = frozenset(("22P02", "42846", "22007", "42804", "22003", "22001", "22008", "55000"))
"""Two random columns of one name may have types that nothing leads between, or values that one of them cannot hold; and
a table without replica identity that publishes updates takes no update from anybody (55000)."""


@pytest.fixture
def pair(any_server: EmbeddedServer) -> Iterator[tuple[str, str]]:
    first, second = fresh_database(any_server), fresh_database(any_server)
    yield next(first), next(second)
    for database in (first, second):
        next(database, None)


@pytest.mark.parametrize("drawn", ["neighbours", "strangers"])
def test_any_database_becomes_any_other_and_back(pair: tuple[str, str], drawn: str) -> None:
    major = read(pair[0]).major
    outcomes: Counter[str] = Counter()

    @settings(
        max_examples=_PAIRS if _SLOW or drawn == "neighbours" else 1,
        deadline=None,
        database=None,
        phases=(Phase.explicit, Phase.generate),  # shrinking costs minutes of real DDL; a failure prints its seed
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def law(data: st.DataObject) -> None:
        before = data.draw(catalogs(major=major, max_tables=3, kinds=KINDS))
        if drawn == "neighbours":
            after = data.draw(neighbours(before, major=major))
        else:
            after = data.draw(catalogs(major=major, max_tables=3, kinds=KINDS))
        schemas = before.schemas | after.schemas
        before, after = (dataclasses.replace(item, schemas=schemas) for item in (before, after))
        purge, through_sdl = data.draw(st.booleans()), data.draw(st.booleans())
        for source, target in ((before, after), (after, before)):
            outcomes[_outcome(pair, source, target, purge=purge, through_sdl=through_sdl)] += 1

    law()
    print(f"\nPostgreSQL {major}, {drawn}: {dict(outcomes)}")
    assert outcomes["converged"]


def _outcome(pair: tuple[str, str], before: Catalog, after: Catalog, *, purge: bool, through_sdl: bool) -> str:
    if not (made(pair[0], before) and made(pair[1], after)):
        return "not valid"
    try:
        converge(*pair, purge=purge, through_sdl=through_sdl)
    except Refused:
        return "refused by the plan"
    except psycopg.Error as error:
        if error.sqlstate in _NOT_POSSIBLE:
            return "not possible"
        raise
    return "converged"
