"""The law of SDL for every kind of object: what is emitted compiles to the catalog that it was emitted from."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import HealthCheck, given, settings

from tests.strategies import catalogs
from wesley_tui.catalog.model import Catalog
from wesley_tui.sdl.compile import compile_schema
from wesley_tui.sdl.diagnostics import Source
from wesley_tui.sdl.emit import emit_schema

objects = pytest.importorskip("tests.strategies_objects")


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(catalogs(major=18, kinds=objects.KINDS))
def test_emit_then_compile_is_identity(catalog: Catalog) -> None:
    text = emit_schema(catalog)
    again = compile_schema([Source("emitted.graphql", text)]).catalog
    assert again == dataclasses.replace(catalog, unmanaged=())
    assert emit_schema(again) == text
