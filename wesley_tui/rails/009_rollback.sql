-- Taking back what a plan has done. The undo runs as a plan of its own; its last step calls wesley.mark_rolled_back, so
-- that "taken back" is committed with it. From then on the ledger rows of the first plan are history: in its next
-- generation none of its steps is done.

CREATE OR REPLACE FUNCTION wesley.generation(p_plan text)
RETURNS integer LANGUAGE sql STABLE SET search_path = pg_catalog, wesley, pg_temp AS $wesley$
    SELECT coalesce((SELECT g.generation FROM wesley.migration_generations g WHERE g.plan_id = p_plan), 1)
$wesley$;

CREATE OR REPLACE FUNCTION wesley.next_generation(p_plan text, p_reason text)
RETURNS integer LANGUAGE plpgsql SET search_path = pg_catalog, wesley, pg_temp AS $wesley$
DECLARE
    v_generation integer;
BEGIN
    INSERT INTO wesley.migration_generations AS g (plan_id, generation, reason) VALUES (p_plan, 2, p_reason)
    ON CONFLICT (plan_id) DO UPDATE
       SET generation = g.generation + 1, reason = excluded.reason, changed_at = clock_timestamp()
    RETURNING g.generation INTO v_generation;
    DELETE FROM wesley.migration_checkpoints c WHERE c.plan_id = p_plan;
    RETURN v_generation;
END
$wesley$;
COMMENT ON FUNCTION wesley.next_generation(text, text) IS 'From now on no step of the plan is done; its backfills begin anew';

CREATE OR REPLACE FUNCTION wesley.put_in_generation()
RETURNS trigger LANGUAGE plpgsql AS $wesley$
BEGIN
    NEW.generation := coalesce((SELECT g.generation FROM wesley.migration_generations g
                                 WHERE g.plan_id OPERATOR(pg_catalog.=) NEW.plan_id), 1);
    RETURN NEW;
END
$wesley$;

DO $wesley$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_trigger t
                    WHERE t.tgrelid = 'wesley.migration_ledger'::pg_catalog.regclass AND t.tgname = 'in_generation') THEN
        CREATE TRIGGER in_generation BEFORE INSERT ON wesley.migration_ledger
            FOR EACH ROW EXECUTE FUNCTION wesley.put_in_generation();
    END IF;
    ALTER TABLE wesley.migration_ledger ENABLE ALWAYS TRIGGER in_generation;
END
$wesley$;

CREATE OR REPLACE FUNCTION wesley.mark_rolled_back(p_run bigint, p_message text)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, wesley, pg_temp AS $wesley$
DECLARE
    v_plan text;
BEGIN
    UPDATE wesley.migration_runs r SET status = 'rolled_back', message = p_message, finished_at = clock_timestamp()
     WHERE r.run_id = p_run RETURNING r.plan_id INTO v_plan;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no run %', p_run USING ERRCODE = 'WE006';
    END IF;
    PERFORM wesley.next_generation(v_plan, 'rolled back');
    PERFORM wesley.chain_event(p_run, 'plan.rolled_back', NULL, NULL, p_message, '{}', clock_timestamp());
END
$wesley$;
COMMENT ON FUNCTION wesley.mark_rolled_back(bigint, text) IS 'The last step of an undo plan';
