"""The law of the catalog: what ddl writes and PostgreSQL stores, introspection reads back as the same catalog."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.catalogs import clear_database, create_statements, differences, read, run
from tests.strategies import catalogs
from tests.strategies_objects import KINDS
from wesley_tui.catalog.ddl import policy_is_alterable
from wesley_tui.catalog.fingerprint import fingerprint, scope_of

_EXAMPLES = 300 if os.environ.get("WESLEY_SLOW") else 12


def test_a_catalog_survives_creation_and_reading(any_database: str) -> None:
    major = read(any_database).major

    @settings(
        max_examples=_EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )
    @given(st.data())
    def law(data: st.DataObject) -> None:
        catalog = data.draw(catalogs(major=major))
        clear_database(any_database)
        run(any_database, list(create_statements(catalog)))
        found = read(any_database).catalog
        assert differences(catalog, found) == []
        assert found.unmanaged == ()
        # Reading is stable, and what was read can be created again.
        assert fingerprint(found) == fingerprint(read(any_database).catalog)
        clear_database(any_database)
        run(any_database, list(create_statements(found)))
        again = read(any_database).catalog
        assert differences(found, again) == []
        assert scope_of(found) == scope_of(catalog)
        for table in found.tables.values():
            assert all(policy_is_alterable(policy, policy) for policy in table.policies)

    law()


def test_every_kind_survives_creation_and_reading(any_database: str) -> None:
    major = read(any_database).major

    @settings(
        max_examples=_EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )
    @given(st.data())
    def law(data: st.DataObject) -> None:
        catalog = data.draw(catalogs(major=major, max_tables=2, kinds=KINDS))
        clear_database(any_database)
        run(any_database, list(create_statements(catalog)))
        found = read(any_database).catalog
        assert differences(catalog, found) == []
        assert found.unmanaged == ()
        clear_database(any_database)
        run(any_database, list(create_statements(found)))
        again = read(any_database).catalog
        assert differences(found, again) == []
        assert fingerprint(found) == fingerprint(again)

    law()
