-- What other processes ask of a run. Whoever may INSERT here may steer a run; the process that owns the run takes the
-- rows in order, obeys, and writes an event that says who asked. Nothing is ever asked through a notification.

CREATE TABLE IF NOT EXISTS wesley.migration_commands (
    command_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id       bigint NOT NULL REFERENCES wesley.migration_runs,
    verb         text NOT NULL,
    argument     text NOT NULL DEFAULT '',
    knobs        jsonb NOT NULL DEFAULT '{}',
    person       text NOT NULL,
    role         text NOT NULL DEFAULT session_user,
    requested_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    taken_at     timestamptz
);
CREATE INDEX IF NOT EXISTS migration_commands_waiting
    ON wesley.migration_commands (run_id, command_id) WHERE taken_at IS NULL;
ALTER TABLE wesley.migration_commands DROP CONSTRAINT IF EXISTS migration_commands_verb_check,
    ADD CONSTRAINT migration_commands_verb_check
        CHECK (verb IN ('pause', 'resume', 'cancel', 'set', 'skip', 'retry', 'terminate'));
COMMENT ON TABLE wesley.migration_commands IS
    'Pause, resume, cancel, changed limits, steps to leave out or to try again, blockers to end: asked for from another '
    'process; taken_at is when the run obeyed';
COMMENT ON COLUMN wesley.migration_commands.person IS 'Who the caller says it is; role is what the server knows';

DROP FUNCTION IF EXISTS wesley.take_commands(bigint, bigint);
CREATE FUNCTION wesley.take_commands(p_run bigint, p_fence bigint)
RETURNS TABLE (command_id bigint, verb text, argument text, knobs jsonb, person text, role text)
LANGUAGE plpgsql SET search_path = pg_catalog, wesley, pg_temp AS $wesley$
BEGIN
    PERFORM wesley.hold_head(p_run, p_fence);
    RETURN QUERY
        WITH taken AS (
            UPDATE wesley.migration_commands c SET taken_at = clock_timestamp()
             WHERE c.run_id = p_run AND c.taken_at IS NULL RETURNING c.*
        ) SELECT t.command_id, t.verb, t.argument, t.knobs, t.person, t.role FROM taken t ORDER BY t.command_id;
END
$wesley$;
COMMENT ON FUNCTION wesley.take_commands(bigint, bigint) IS 'The waiting commands, oldest first, for the run that holds the fence';

CREATE OR REPLACE FUNCTION wesley.pause_unowned_run(p_run bigint, p_message text, p_metrics jsonb)
RETURNS text LANGUAGE plpgsql SET search_path = pg_catalog, wesley, pg_temp AS $wesley$
DECLARE
    v_status text;
BEGIN
    UPDATE wesley.migration_head SET fence = fence + 1;
    SELECT r.status INTO v_status FROM wesley.migration_runs r WHERE r.run_id = p_run FOR UPDATE;
    IF v_status IN ('running', 'failed') THEN
        UPDATE wesley.migration_runs r SET status = 'paused', message = p_message, finished_at = NULL
         WHERE r.run_id = p_run;
        PERFORM wesley.chain_event(p_run, 'plan.paused', NULL, NULL, p_message, p_metrics, clock_timestamp());
        RETURN 'paused';
    END IF;
    RETURN v_status;
END
$wesley$;
COMMENT ON FUNCTION wesley.pause_unowned_run(bigint, text, jsonb) IS
    'Marks a run that no process works on: nothing but an explicit resume goes on with it';
