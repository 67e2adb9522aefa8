"""Every plan can be taken back, whole or half done: catalog and rows are what they were, but for what was said."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.catalogs import clear_database, create_statements, read, run
from tests.integration.test_planner_objects import _BASE as OBJECTS
from tests.integration.test_planner_objects import _VIEWS as VIEWS
from tests.integration.test_planner_partitions import _PARENT as PARENT
from tests.integration.test_planner_partitions import _ROWS as PARENT_ROWS
from tests.integration.test_planner_scenarios import BASE, SCENARIOS
from tests.planned import plan_for
from tests.strategies import catalogs, edits
from tests.undoing import Journey, there_and_back, undo_after
from wesley_tui.catalog.intent import Intent
from wesley_tui.catalog.model import QName
from wesley_tui.planner.plan import Wave

SLOW = os.environ.get("WESLEY_SLOW") == "1"
slow = pytest.mark.skipif(not SLOW, reason="long: WESLEY_SLOW=1")

JOURNEYS: dict[str, Journey] = {
    name: Journey(
        [text for text in BASE.split(";") if text.strip()],
        [text for text in scenario.after.split(";") if text.strip() and text.strip() != "COMMIT"],
        intent=scenario.intent,
    )
    for name, scenario in SCENARIOS.items()
    if name != "required column"
}
_OBJECT_CHANGES = {
    "function": (
        "CREATE FUNCTION public.f(a integer) RETURNS integer LANGUAGE sql AS 'SELECT a'",
        "CREATE FUNCTION public.f(a integer) RETURNS integer LANGUAGE sql AS 'SELECT a + 1'",
    ),
    "signature": (
        "CREATE FUNCTION public.f(a integer) RETURNS integer LANGUAGE sql AS 'SELECT a'",
        "CREATE FUNCTION public.f(b integer) RETURNS bigint LANGUAGE sql AS 'SELECT b'",
    ),
    "sequence": ("CREATE SEQUENCE public.s", "CREATE SEQUENCE public.s AS integer INCREMENT BY 5 CACHE 3 CYCLE"),
    "domain": (
        "CREATE DOMAIN public.d AS text DEFAULT 'a' CONSTRAINT short CHECK (length(VALUE) < 9)",
        "CREATE DOMAIN public.d AS text DEFAULT 'b' NOT NULL CONSTRAINT shorter CHECK (length(VALUE) < 5)",
    ),
    "domain's type": ("CREATE DOMAIN public.d AS text", "CREATE DOMAIN public.d AS varchar(20)"),
    "composite": (
        "CREATE TYPE public.c AS (a integer, b text)",
        "CREATE TYPE public.c AS (a integer, c numeric(5,2))",
    ),
    "range": (
        "CREATE TYPE public.r AS RANGE (subtype = float8)",
        "CREATE TYPE public.r AS RANGE (subtype = numeric)",
    ),
    "publication": ("CREATE PUBLICATION p FOR TABLE public.account", "CREATE PUBLICATION p FOR TABLE public.entry"),
    "statistics": (
        "CREATE STATISTICS public.st (ndistinct) ON id, code FROM public.account",
        "CREATE STATISTICS public.st (dependencies) ON id, amount FROM public.account",
    ),
    "rule": (
        "CREATE RULE r AS ON DELETE TO public.entry DO INSTEAD NOTHING",
        "CREATE RULE r AS ON UPDATE TO public.entry DO INSTEAD NOTHING",
    ),
    "aggregate": (
        "CREATE AGGREGATE public.total(integer) (SFUNC = int4pl, STYPE = integer)",
        "CREATE AGGREGATE public.total(integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '0')",
    ),
    "grant": ("GRANT SELECT ON public.account TO pg_monitor", "GRANT INSERT ON public.account TO pg_monitor"),
    "view's column": (
        "CREATE VIEW public.v AS SELECT id, code, amount FROM public.account",
        "CREATE VIEW public.v AS SELECT id, amount::text AS amount FROM public.account",
    ),
}
JOURNEYS |= {
    name: Journey([*OBJECTS, before], [*OBJECTS, after], fresh=True)
    for name, (before, after) in _OBJECT_CHANGES.items()
}
JOURNEYS |= {f"new {name}": Journey(OBJECTS, [after]) for name, (_, after) in _OBJECT_CHANGES.items()}
JOURNEYS |= {
    f"no {name}": Journey([*OBJECTS, before], [*OBJECTS], fresh=True) for name, (before, _) in _OBJECT_CHANGES.items()
}
_TEXT = [
    "CREATE TABLE public.a (id bigint PRIMARY KEY, n text DEFAULT '7', m text, CHECK (n <> ''), CHECK (m <> n))",
    "CREATE INDEX a_n ON public.a (n) WHERE n <> 'x'",
    "CREATE INDEX a_lower ON public.a (lower(n))",
]
_NUMBER = [
    "DROP INDEX public.a_n, public.a_lower",
    "ALTER TABLE public.a DROP CONSTRAINT a_n_check, DROP CONSTRAINT a_check, ALTER n DROP DEFAULT",
    "ALTER TABLE public.a ALTER n TYPE integer USING n::integer",
    "ALTER TABLE public.a ALTER n SET DEFAULT 7, ADD CONSTRAINT a_n_check CHECK (n > 0)",
    "CREATE INDEX a_n ON public.a (n) WHERE n > 5",
]
JOURNEYS |= {
    "views": Journey(OBJECTS, VIEWS),
    "no views": Journey([*OBJECTS, *VIEWS], OBJECTS, fresh=True),
    "type under views": Journey(
        [*OBJECTS, *VIEWS],
        [
            *OBJECTS,
            "ALTER TABLE public.account ALTER COLUMN code TYPE text, ALTER COLUMN amount TYPE bigint",
            *VIEWS,
        ],
        fresh=True,
    ),
    "type of a key": Journey(
        [
            "CREATE TABLE public.a (id serial PRIMARY KEY, note text)",
            "CREATE TABLE public.b (id int PRIMARY KEY, a_id int REFERENCES public.a, at timestamp)",
            "CREATE INDEX b_a ON public.b (a_id)",
        ],
        [
            "ALTER TABLE public.a ALTER id TYPE bigint",
            "ALTER TABLE public.b ALTER a_id TYPE bigint, ALTER at TYPE date",
        ],
        rows=[
            "INSERT INTO public.a (note) SELECT 'n' || i FROM generate_series(1, 3000) i",
            "INSERT INTO public.b SELECT i, 1 + i % 50, '2024-01-01' FROM generate_series(1, 3000) i",
        ],
    ),
    "text to number": Journey(
        ["CREATE TABLE public.a (id bigint PRIMARY KEY, n text)"],
        ["ALTER TABLE public.a ALTER n TYPE integer USING n::integer"],
        rows=["INSERT INTO public.a SELECT i, i::text FROM generate_series(1, 3000) i"],
    ),
    "text with a default to number without": Journey(
        ["CREATE TABLE public.a (id bigint PRIMARY KEY, n text DEFAULT '7')"],
        ["ALTER TABLE public.a ALTER n DROP DEFAULT", "ALTER TABLE public.a ALTER n TYPE integer USING n::integer"],
        rows=["INSERT INTO public.a SELECT i, i::text FROM generate_series(1, 3000) i"],
    ),
    "rules and indexes of a column whose type changes": Journey(
        _TEXT,
        _NUMBER,
        rows=["INSERT INTO public.a SELECT i, i::text, 'm' FROM generate_series(1, 3000) i"],
    ),
    "rules and indexes of few rows": Journey(
        _TEXT,
        _NUMBER,
        rows=["INSERT INTO public.a SELECT i, i::text, 'm' FROM generate_series(1, 9) i"],
    ),
    "few texts with a default to numbers without": Journey(
        ["CREATE TABLE public.a (id bigint PRIMARY KEY, n text DEFAULT '7')"],
        ["ALTER TABLE public.a ALTER n DROP DEFAULT", "ALTER TABLE public.a ALTER n TYPE integer USING n::integer"],
        rows=["INSERT INTO public.a SELECT i, i::text FROM generate_series(1, 9) i"],
    ),
    "few texts to numbers": Journey(
        ["CREATE TABLE public.a (id bigint PRIMARY KEY, n text)"],
        ["ALTER TABLE public.a ALTER n TYPE integer USING n::integer"],
        rows=["INSERT INTO public.a SELECT i, i::text FROM generate_series(1, 9) i"],
    ),
    "trigger": Journey(
        OBJECTS,
        [
            "CREATE FUNCTION public.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
            "CREATE TRIGGER touch BEFORE UPDATE ON public.entry FOR EACH ROW EXECUTE FUNCTION public.touch()",
        ],
    ),
    "schema and table": Journey(
        OBJECTS, ["CREATE SCHEMA side", "CREATE TABLE side.t (id bigint PRIMARY KEY)", "DROP TABLE public.entry"]
    ),
    "purged column and table": Journey(
        OBJECTS, ["DROP TABLE public.entry", "ALTER TABLE public.account DROP code"], purge=True
    ),
}
_PARTITIONED = {
    "partition": (
        "CREATE TABLE public.event_3 PARTITION OF public.event FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')"
    ),
    "index": "CREATE INDEX event_note ON public.event (note)",
    "unique": "ALTER TABLE public.event ADD CONSTRAINT event_key UNIQUE (id, at, kind)",
    "foreign key": "ALTER TABLE public.event ADD CONSTRAINT event_kind FOREIGN KEY (kind) REFERENCES public.kind",
    "check": "ALTER TABLE public.event ADD CONSTRAINT positive CHECK (id > 0)",
    "column": "ALTER TABLE public.event ADD COLUMN extra uuid NOT NULL DEFAULT gen_random_uuid()",
    "type": "ALTER TABLE public.event ALTER COLUMN note TYPE varchar(50)",
    "not null": "ALTER TABLE public.event ALTER COLUMN note SET NOT NULL",
    "detach": "ALTER TABLE public.event DETACH PARTITION public.event_1",
    "drop": "DROP TABLE public.event_1",
}
JOURNEYS |= {f"partitioned: {name}": Journey(PARENT, [after], rows=PARENT_ROWS) for name, after in _PARTITIONED.items()}
JOURNEYS["partitioned: attach"] = Journey(
    [
        *PARENT,
        "CREATE TABLE public.old (id bigint NOT NULL, at date NOT NULL, kind integer, note text)",
    ],
    [
        "DROP TABLE public.old",
        "CREATE TABLE public.old PARTITION OF public.event FOR VALUES FROM ('2023-01-01') TO ('2024-01-01')",
    ],
    rows=[*PARENT_ROWS, "INSERT INTO public.old VALUES (7, '2023-07-07', 1, 'old')"],
)

AT_ONCE = Journey(
    [text for text in BASE.split(";") if text.strip()],
    [
        "ALTER TABLE person ADD token uuid NOT NULL DEFAULT gen_random_uuid(), ADD phone text, DROP old",
        "ALTER TABLE person ADD CONSTRAINT person_email_key UNIQUE (email), DROP CONSTRAINT person_age_check",
        "DROP INDEX person_email_idx",
        "CREATE INDEX person_email_idx ON person (lower(email))",
        "ALTER TABLE person ADD CONSTRAINT person_age_check CHECK (age >= 0)",
        "CREATE TABLE team (id bigint PRIMARY KEY, lead bigint REFERENCES person)",
        "ALTER TABLE org ADD team_id bigint REFERENCES team",
        "CREATE VIEW grown AS SELECT id, email FROM person WHERE age > 17",
        "ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'",
        "COMMENT ON TABLE person IS 'people'",
    ],
    intent=Intent(renamed_labels={(QName("public", "mood"), "fine"): "ok"}),
)
"""Many changes in one plan."""


@pytest.mark.parametrize("name", ["other primary key", "partitioned: unique", "enum label in the middle, used at once"])
def test_there_and_back(database: str, name: str) -> None:
    there_and_back(database, JOURNEYS[name], boundaries=True)


def test_many_changes_there_and_back(any_database: str) -> None:
    plan = there_and_back(any_database, AT_ONCE, boundaries=SLOW)
    assert len(list(plan.steps)) > 15


def test_what_nobody_said_is_found(database: str) -> None:
    """The test above can fail: a step that forgets its undo is noticed."""
    journey = JOURNEYS["renamed index"]
    desired = journey.desired(database)
    journey.begin(database)
    plan = plan_for(database, desired)
    (step,) = plan.steps
    forgetful = replace(plan, waves=(Wave("EXPAND", (replace(step, undo=("SELECT 1",)),)),))
    with pytest.raises(AssertionError, match="person_mail_idx"):
        undo_after(database, forgetful, 1)


@slow
@pytest.mark.parametrize("name", JOURNEYS)
def test_every_journey_from_every_step(any_database: str, name: str) -> None:
    there_and_back(any_database, JOURNEYS[name], boundaries=True)


@slow
def test_any_plan_can_be_taken_back_from_any_step(any_database: str) -> None:
    major = read(any_database).major

    @settings(
        max_examples=60, deadline=None, database=None, phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.data())
    def law(data: st.DataObject) -> None:
        before = data.draw(catalogs(major=major, max_tables=3))
        after = data.draw(edits(before, major=major))
        clear_database(any_database)
        run(any_database, list(create_statements(before)))
        plan = plan_for(any_database, after)
        steps = list(plan.steps)
        if steps:
            undo_after(any_database, plan, data.draw(st.integers(1, len(steps))))

    law()
