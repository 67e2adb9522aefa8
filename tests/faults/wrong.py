"""Executors that are wrong on purpose: the harness must notice each of them, else it could not notice anything."""

from __future__ import annotations

from typing import Any

from wesley_tui.executor import failpoints, installation, pacing, phase
from wesley_tui.executor.worker import Worker

__all__ = ["WRONG", "make_wrong"]

_STEP = """
    SELECT s.* INTO v_step FROM wesley.migration_steps s JOIN wesley.migration_runs r USING (plan_id)
     WHERE r.run_id = p_run AND s.ordinal = p_ordinal;
"""

WRONG = {
    "ledger": f"""
        CREATE OR REPLACE FUNCTION wesley.apply_step_first(
            p_run bigint, p_fence bigint, p_ordinal integer, p_sha text, p_attempt integer, p_lock integer
        ) RETURNS text LANGUAGE plpgsql AS $$
        DECLARE v_step wesley.migration_steps; v_sql text;
        BEGIN
            {_STEP}
            FOR v_sql IN SELECT jsonb_array_elements_text(v_step.content::jsonb -> 'statements') LOOP
                EXECUTE v_sql;
            END LOOP;
            RETURN 'applied';
        END $$;
        DROP FUNCTION wesley.apply_step;
        CREATE FUNCTION wesley.apply_step(
            p_run bigint, p_fence bigint, p_ordinal integer, p_sha text, p_attempt integer, p_lock integer,
            p_behind integer DEFAULT NULL
        ) RETURNS text LANGUAGE plpgsql AS $$
        DECLARE v_step wesley.migration_steps;
        BEGIN
            {_STEP}
            PERFORM wesley.succeed_step(p_run, p_fence, v_step, p_attempt, clock_timestamp(), '', '{{}}');
            RETURN 'applied';
        END $$""",
    "checkpoint": f"""
        CREATE TABLE IF NOT EXISTS wesley.wrong_batch (key jsonb, visited bigint, changed bigint);
        CREATE OR REPLACE FUNCTION wesley.backfill_batch_first(
            p_run bigint, p_fence bigint, p_ordinal integer, p_sha text, p_rows bigint, p_lock integer, p_told jsonb
        ) RETURNS text LANGUAGE plpgsql AS $$
        DECLARE v_step wesley.migration_steps; v_last jsonb; v_key jsonb; v_visited bigint; v_changed bigint;
        BEGIN
            {_STEP}
            SELECT c.last_key INTO v_last FROM wesley.migration_checkpoints c WHERE c.step_sha = v_step.step_sha;
            EXECUTE v_step.content::jsonb -> 'backfill' ->> 'batch_sql' INTO v_key, v_visited, v_changed
                USING v_last, p_rows;
            DELETE FROM wesley.wrong_batch;
            INSERT INTO wesley.wrong_batch VALUES (v_key, v_visited, v_changed);
            RETURN '';
        END $$;
        DROP FUNCTION wesley.backfill_batch;
        CREATE FUNCTION wesley.backfill_batch(
            p_run bigint, p_fence bigint, p_ordinal integer, p_sha text, p_rows bigint, p_lock integer, p_told jsonb
        ) RETURNS jsonb LANGUAGE plpgsql AS $$
        DECLARE v_step wesley.migration_steps; v_batch wesley.wrong_batch;
        BEGIN
            {_STEP}
            SELECT * INTO v_batch FROM wesley.wrong_batch;
            INSERT INTO wesley.migration_checkpoints AS c (plan_id, step_sha, last_key)
            VALUES (v_step.plan_id, v_step.step_sha, v_batch.key)
            ON CONFLICT (plan_id, step_sha) DO UPDATE SET last_key = coalesce(excluded.last_key, c.last_key);
            RETURN jsonb_build_object('state', CASE WHEN v_batch.key IS NULL THEN 'exhausted' ELSE 'more' END,
                                      'visited', v_batch.visited);
        END $$""",
    "intent": f"""
        DROP FUNCTION wesley.begin_step;
        CREATE FUNCTION wesley.begin_step(
            p_run bigint, p_fence bigint, p_ordinal integer, p_sha text, p_attempt integer
        ) RETURNS text LANGUAGE plpgsql AS $$
        DECLARE v_step wesley.migration_steps;
        BEGIN
            {_STEP}
            IF EXISTS (SELECT FROM wesley.migration_ledger l WHERE l.step_sha = v_step.step_sha) THEN
                RETURN 'skipped';
            END IF;
            PERFORM wesley.announce_step(p_run, p_fence, p_ordinal, p_attempt);
            RETURN 'begun';
        END $$""",
}
"""``ledger``: a step is recorded in a transaction after its own; ``checkpoint``: likewise for batches; both can be
killed in between, at ``between_ledger`` and ``between_checkpoint``. ``intent``: a step once begun counts as done."""


def make_wrong(name: str) -> None:
    """From now on this process installs and uses the wrong rails ``name``."""
    right_files = installation.rails_files
    installation.rails_files = lambda: [*right_files(), ("999_wrong.sql", WRONG[name])]
    right_ask = Worker.ask
    phase._MOST_TOGETHER = pacing._MOST_TOGETHER = 1

    async def ask(self: Worker, statement: str, **options: Any) -> Any:
        for function in ("apply_step", "backfill_batch"):
            if f"wesley.{function}(" in statement and f"wesley.{function}_first(" in WRONG[name]:
                await right_ask(self, statement.replace(function, f"{function}_first", 1), **options)
                failpoints.reached(f"between_{name}")
        return await right_ask(self, statement, **options)

    Worker.ask = ask  # type: ignore[method-assign]
