"""A plan as the planner makes it, with the kinds of steps that only it makes: a type changed by a shadow column, keys
and indexes of a partitioned table built partition by partition, proofs of NOT NULL, things taken away at the end."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.catalogs import clear_database, read, run
from tests.faults.harness import Case
from tests.faults.zygote import Zygote
from tests.planned import changes_left, plan_for
from wesley_tui.catalog.model import Catalog

__all__ = ["PlannedCase", "planned_case"]

_ROWS = 3000
_BEFORE = (
    "CREATE TABLE public.kind (id bigint PRIMARY KEY)",
    "CREATE TABLE public.t (id bigint PRIMARY KEY, n integer NOT NULL, code text, kind bigint, old text)",
    "CREATE TABLE public.event (id bigint NOT NULL, at date NOT NULL, note text) PARTITION BY RANGE (at)",
    "CREATE TABLE public.event_1 PARTITION OF public.event FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')",
    "CREATE TABLE public.event_2 PARTITION OF public.event FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')",
    "CREATE TYPE public.mood AS ENUM ('sad')",
)
_AFTER = (
    "CREATE TABLE public.kind (id bigint PRIMARY KEY)",
    "CREATE TABLE public.t (id bigint PRIMARY KEY, n bigint NOT NULL, code text NOT NULL,"
    " kind bigint REFERENCES public.kind, CHECK (n > 0))",
    "CREATE UNIQUE INDEX t_code_idx ON public.t (code)",
    "CREATE TABLE public.event (id bigint NOT NULL, at date NOT NULL, note text) PARTITION BY RANGE (at)",
    "CREATE TABLE public.event_1 PARTITION OF public.event FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')",
    "CREATE TABLE public.event_2 PARTITION OF public.event FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')",
    "ALTER TABLE public.event ADD PRIMARY KEY (id, at)",
    "CREATE INDEX event_note_idx ON public.event (note)",
    "CREATE TYPE public.mood AS ENUM ('sad', 'happy')",
)
_FILL = (
    "INSERT INTO public.kind VALUES (1), (2)",
    f"INSERT INTO public.t SELECT i, i, 'c' || i, 1 + i % 2, 'gone' FROM generate_series(1, {_ROWS}) AS i",
    "INSERT INTO public.event SELECT i, CASE WHEN i % 2 = 0 THEN date '2024-05-05' ELSE '2025-05-05' END, 'n'"
    " FROM generate_series(1, 100) AS i",
)


@dataclass
class PlannedCase(Case):
    wanted: Catalog | None = None

    def expected(self) -> dict[str, Any]:
        return {
            "SELECT count(*) || ' ' || sum(n) FROM t WHERE n = id AND code = 'c' || id": (
                f"{_ROWS} {_ROWS * (_ROWS + 1) // 2}"
            ),
            "SELECT pg_typeof(n)::text FROM t LIMIT 1": "bigint",
            "SELECT count(*) FROM event": 100,
        }

    def violations(self) -> list[str]:
        assert self.wanted is not None
        left = changes_left(self.uri, self.wanted, adopt_all=False).changes
        return [*super().violations(), *(f"still to do: {change}" for change in left)]


def planned_case(uri: str, folder: Path, zygote: Zygote) -> PlannedCase:
    run(uri, _AFTER)
    wanted = read(uri).catalog
    clear_database(uri)
    run(uri, (*_BEFORE, *_FILL))
    plan = plan_for(uri, wanted)
    return PlannedCase(uri, plan, folder, zygote, wanted=wanted)
