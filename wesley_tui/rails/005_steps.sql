-- Running a step. No function here takes SQL from its caller: a step is named by run and ordinal, and the caller says
-- which content it reviewed by its digest. wesley.apply_step commits DDL, ledger row and event together or not at all.
--
-- SQLSTATEs of our own: WE001 fence lost, WE002 precheck, WE003 postcheck, WE004 not the content that was reviewed,
-- WE005 depends on a step that has not succeeded, WE006 no such run or step.

CREATE OR REPLACE FUNCTION wesley.enter_step(
    p_run bigint, p_fence bigint, p_ordinal integer, p_content_sha text,
    OUT o_step wesley.migration_steps, OUT o_content jsonb, OUT o_done boolean
) LANGUAGE plpgsql AS $wesley$
DECLARE
    v_fence   bigint;
    v_missing text;
BEGIN
    SELECT h.fence INTO v_fence FROM wesley.migration_head h;
    IF v_fence IS DISTINCT FROM p_fence THEN
        RAISE EXCEPTION 'run % holds fencing number %, the current one is %', p_run, p_fence, v_fence
            USING ERRCODE = 'WE001', HINT = 'Another process has taken this run over; look at it with: wesley status';
    END IF;
    SELECT s.* INTO o_step
      FROM wesley.migration_steps s
     WHERE s.plan_id = (SELECT r.plan_id FROM wesley.migration_runs r WHERE r.run_id = p_run) AND s.ordinal = p_ordinal;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'run % has no step %', p_run, p_ordinal USING ERRCODE = 'WE006';
    END IF;
    IF encode(sha256(convert_to(o_step.content, 'UTF8')), 'hex') IS DISTINCT FROM p_content_sha THEN
        RAISE EXCEPTION 'step % in the database is not the step that was reviewed', p_ordinal
            USING ERRCODE = 'WE004', HINT = 'Nothing was run. Find out who changed wesley.migration_steps, then plan again.';
    END IF;
    o_content := o_step.content::jsonb;
    o_done := EXISTS (SELECT FROM wesley.migration_done l
                       WHERE l.plan_id = o_step.plan_id AND l.step_sha = o_step.step_sha);
    IF NOT o_done AND jsonb_array_length(o_content -> 'depends_on') > 0 THEN
        SELECT d.sha INTO v_missing
          FROM jsonb_array_elements_text(o_content -> 'depends_on') AS d (sha)
         WHERE NOT EXISTS (SELECT FROM wesley.migration_done l
                            WHERE l.plan_id = o_step.plan_id AND l.step_sha = d.sha)
         LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'step % depends on step %, which has not succeeded', p_ordinal, left(v_missing, 16)
                USING ERRCODE = 'WE005';
        END IF;
    END IF;
END
$wesley$;

CREATE OR REPLACE FUNCTION wesley.take_object_locks(p_step wesley.migration_steps)
RETURNS void LANGUAGE plpgsql AS $wesley$
DECLARE
    v_key bigint;
BEGIN
    FOREACH v_key IN ARRAY p_step.object_locks LOOP
        IF NOT pg_try_advisory_xact_lock(v_key) THEN
            RAISE EXCEPTION 'another session works on an object that step % (% %) needs', p_step.ordinal, p_step.op,
                p_step.object USING ERRCODE = 'lock_not_available';
        END IF;
    END LOOP;
END
$wesley$;
COMMENT ON FUNCTION wesley.take_object_locks(wesley.migration_steps) IS
    'Tried, never waited for: a statement that waits for an advisory lock holds a snapshot, and CREATE INDEX '
    'CONCURRENTLY waits for snapshots';

CREATE OR REPLACE FUNCTION wesley.lock_relations(p_content jsonb)
RETURNS void LANGUAGE plpgsql AS $wesley$
DECLARE
    v_patience integer := EXTRACT(epoch FROM current_setting('lock_timeout')::interval) * 1000;
    v_begun    timestamptz := clock_timestamp();
    v_left     integer;
    v_name     text;
    v_mode     text;
BEGIN
    FOR v_name, v_mode IN
        SELECT format('%I.%I', n.nspname, c.relname), l.value ->> 1
          FROM jsonb_array_elements(p_content -> 'lock_first') WITH ORDINALITY AS l (value, n)
          JOIN pg_class c ON c.relkind IN ('r', 'p') AND has_table_privilege(c.oid, 'UPDATE, DELETE, TRUNCATE')
          JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname || '.' || c.relname = l.value ->> 0
         ORDER BY l.n
    LOOP
        IF v_patience > 0 THEN
            v_left := v_patience - EXTRACT(epoch FROM clock_timestamp() - v_begun) * 1000;
            PERFORM set_config('lock_timeout', greatest(v_left, 1)::text, true);
        END IF;
        EXECUTE format('LOCK TABLE ONLY %s IN %s MODE', v_name, v_mode);
    END LOOP;
    PERFORM set_config('lock_timeout', v_patience::text, true);
END
$wesley$;
COMMENT ON FUNCTION wesley.lock_relations(jsonb) IS
    'Takes the locks of a step that needs several before its statements run, in the order of their names, and all of '
    'them within one lock_timeout: whoever holds the first does not wait long for the second';

CREATE OR REPLACE FUNCTION wesley.use_settings(p_content jsonb, p_lock_timeout_ms integer)
RETURNS text LANGUAGE plpgsql AS $wesley$
BEGIN
    PERFORM set_config(s.key, s.value, true)
       FROM jsonb_each_text(p_content -> 'settings') AS s
      WHERE s.key <> 'search_path' AND s.value IS DISTINCT FROM current_setting(s.key);
    PERFORM set_config('lock_timeout', least(p_lock_timeout_ms, (p_content ->> 'lock_timeout_ms')::integer)::text, true);
    RETURN p_content -> 'settings' ->> 'search_path';
END
$wesley$;
COMMENT ON FUNCTION wesley.use_settings(jsonb, integer) IS
    'Sets for this transaction all that a statement may depend on, except search_path: that one it returns, because it '
    'would end with this function';

CREATE OR REPLACE FUNCTION wesley.failing_check(p_content jsonb, p_kind text)
RETURNS text LANGUAGE plpgsql AS $wesley$
DECLARE
    v_path    text := current_setting('search_path');
    v_message text;
    v_sql     text;
    v_holds   boolean;
BEGIN
    FOR v_message, v_sql IN
        SELECT c.value ->> 'message', c.value ->> 'sql'
          FROM jsonb_array_elements(p_content -> p_kind) WITH ORDINALITY AS c (value, n) ORDER BY c.n
    LOOP
        PERFORM set_config('search_path', p_content -> 'settings' ->> 'search_path', true);
        EXECUTE v_sql INTO v_holds;
        PERFORM set_config('search_path', v_path, true);
        IF v_holds IS NOT TRUE THEN
            RETURN coalesce(nullif(v_message, ''), 'a condition does not hold: ' || v_sql);
        END IF;
    END LOOP;
    RETURN NULL;
END
$wesley$;
COMMENT ON FUNCTION wesley.failing_check(jsonb, text) IS
    'The message of the first check (prechecks, postchecks, leftover_check) that is not true; NULL when all hold';

CREATE OR REPLACE FUNCTION wesley.demand(p_step wesley.migration_steps, p_content jsonb, p_kind text)
RETURNS void LANGUAGE plpgsql AS $wesley$
DECLARE
    v_problem text;
BEGIN
    IF jsonb_array_length(p_content -> p_kind) = 0 THEN
        RETURN;
    END IF;
    v_problem := wesley.failing_check(p_content, p_kind);
    IF v_problem IS NOT NULL THEN
        RAISE EXCEPTION '%', v_problem USING
            ERRCODE = CASE p_kind WHEN 'prechecks' THEN 'WE002' ELSE 'WE003' END,
            DETAIL = format('%s of step %s (%s %s)', CASE p_kind WHEN 'prechecks' THEN 'precheck' ELSE 'postcheck' END,
                            p_step.ordinal, p_step.op, p_step.object);
    END IF;
END
$wesley$;

CREATE OR REPLACE FUNCTION wesley.announce_step(
    p_run bigint, p_fence bigint, p_ordinal integer, p_attempt integer, p_started timestamptz DEFAULT NULL
) RETURNS boolean LANGUAGE plpgsql SET search_path = pg_catalog, wesley, pg_temp AS $wesley$
DECLARE
    v_step wesley.migration_steps;
BEGIN
    PERFORM wesley.hold_head(p_run, p_fence);
    SELECT s.* INTO STRICT v_step
      FROM wesley.migration_steps s JOIN wesley.migration_runs r USING (plan_id)
     WHERE r.run_id = p_run AND s.ordinal = p_ordinal;
    IF EXISTS (SELECT FROM wesley.migration_done l
                WHERE l.plan_id = v_step.plan_id AND l.step_sha = v_step.step_sha)
       OR EXISTS (SELECT FROM wesley.migration_ledger l
                   WHERE l.plan_id = v_step.plan_id AND l.step_sha = v_step.step_sha
                     AND l.run_id = p_run AND l.attempt = p_attempt) THEN
        RETURN false;
    END IF;
    INSERT INTO wesley.migration_ledger (run_id, plan_id, step_sha, ordinal, attempt, status)
    VALUES (p_run, v_step.plan_id, v_step.step_sha, p_ordinal, p_attempt, 'started');
    PERFORM wesley.chain_event(
        p_run, 'step.start', v_step.wave, v_step.step_sha, v_step.op || ' ' || v_step.object,
        jsonb_build_object('attempt', p_attempt, 'ordinal', p_ordinal), coalesce(p_started, clock_timestamp()));
    RETURN true;
END
$wesley$;
COMMENT ON FUNCTION wesley.announce_step(bigint, bigint, integer, integer, timestamptz) IS
    'Says once per attempt that a step has started: at the latest in the transaction that ends it, earlier from a '
    'second connection when it takes long';

CREATE OR REPLACE FUNCTION wesley.succeed_step(
    p_run bigint, p_fence bigint, p_step wesley.migration_steps, p_attempt integer, p_started timestamptz,
    p_message text, p_metrics jsonb
) RETURNS void LANGUAGE plpgsql AS $wesley$
DECLARE
    v_head    wesley.migration_head := wesley.hold_head(p_run, p_fence);
    v_ended   timestamptz := clock_timestamp();
    v_ms      double precision := round((EXTRACT(epoch FROM v_ended - p_started) * 1000)::numeric, 3);
    v_metrics jsonb := jsonb_build_object('attempt', p_attempt, 'ordinal', p_step.ordinal);
    v_told    boolean;
    v_ledger  bigint;
    v_round   integer;
BEGIN
    v_told := EXISTS (SELECT FROM wesley.migration_ledger l
                       WHERE l.plan_id = p_step.plan_id AND l.step_sha = p_step.step_sha
                         AND l.run_id = p_run AND l.attempt = p_attempt);
    INSERT INTO wesley.migration_ledger (run_id, plan_id, step_sha, ordinal, attempt, status, duration_ms, message)
    VALUES (p_run, p_step.plan_id, p_step.step_sha, p_step.ordinal, p_attempt, 'succeeded', v_ms, p_message)
    RETURNING ledger_id, generation INTO v_ledger, v_round;
    p_metrics := p_metrics || v_metrics || jsonb_build_object(
        'duration_ms', v_ms, 'ledger_id', v_ledger, 'generation', v_round);
    IF v_told THEN
        PERFORM wesley.chain_events(v_head, p_run, p_step.wave, p_step.step_sha, ARRAY['step.ok'], ARRAY[p_message],
                                    ARRAY[p_metrics], ARRAY[v_ended]);
    ELSE
        PERFORM wesley.chain_events(
            v_head, p_run, p_step.wave, p_step.step_sha, ARRAY['step.start', 'step.ok'],
            ARRAY[p_step.op || ' ' || p_step.object, p_message], ARRAY[v_metrics, p_metrics], ARRAY[p_started, v_ended]);
    END IF;
END
$wesley$;

DROP FUNCTION IF EXISTS wesley.apply_step(bigint, bigint, integer, text, integer, integer, integer);
CREATE OR REPLACE FUNCTION wesley.apply_step(
    p_run bigint, p_fence bigint, p_ordinal integer, p_content_sha text, p_attempt integer, p_lock_timeout_ms integer
) RETURNS text LANGUAGE plpgsql SET search_path = pg_catalog, wesley, pg_temp AS $wesley$
DECLARE
    v_started   timestamptz := clock_timestamp();
    v_path      text := current_setting('search_path');
    v_entered   record;
    v_step      wesley.migration_steps;
    v_their     text;
    v_statement text;
    v_rows      bigint;
    v_all_rows  bigint := 0;
BEGIN
    v_entered := wesley.enter_step(p_run, p_fence, p_ordinal, p_content_sha);
    v_step := v_entered.o_step;
    IF v_entered.o_done THEN
        RETURN 'skipped';
    END IF;
    IF v_step.kind <> 'transactional' THEN
        RAISE EXCEPTION 'step % is %', p_ordinal, v_step.kind USING ERRCODE = 'WE006';
    END IF;
    PERFORM wesley.take_object_locks(v_step);
    v_their := wesley.use_settings(v_entered.o_content, p_lock_timeout_ms);
    PERFORM wesley.demand(v_step, v_entered.o_content, 'prechecks');
    IF jsonb_array_length(v_entered.o_content -> 'lock_first') > 0 THEN
        PERFORM wesley.lock_relations(v_entered.o_content);
    END IF;
    FOR v_statement IN SELECT jsonb_array_elements_text(v_entered.o_content -> 'statements') LOOP
        PERFORM set_config('search_path', v_their, true);
        EXECUTE v_statement;
        GET DIAGNOSTICS v_rows = ROW_COUNT;
        v_all_rows := v_all_rows + v_rows;
        PERFORM set_config('search_path', v_path, true);
    END LOOP;
    PERFORM wesley.demand(v_step, v_entered.o_content, 'postchecks');
    PERFORM wesley.succeed_step(p_run, p_fence, v_step, p_attempt, v_started, '', jsonb_build_object('rows', v_all_rows));
    RETURN 'applied';
END
$wesley$;
CREATE OR REPLACE PROCEDURE wesley.apply_steps(
    p_run bigint, p_fence bigint, p_ordinals integer[], p_content_shas text[], p_attempts integer[],
    p_lock_timeouts_ms integer[]
) LANGUAGE plpgsql AS $wesley$
DECLARE
    v_until timestamptz := pg_catalog.clock_timestamp() OPERATOR(pg_catalog.+) '250 ms'::pg_catalog.interval;
BEGIN
    FOR v_n IN 1 .. pg_catalog.cardinality(p_ordinals) LOOP
        PERFORM wesley.apply_step(p_run, p_fence, p_ordinals[v_n], p_content_shas[v_n], p_attempts[v_n],
                                  p_lock_timeouts_ms[v_n]);
        COMMIT;
        EXIT WHEN pg_catalog.clock_timestamp() OPERATOR(pg_catalog.>) v_until;
    END LOOP;
END
$wesley$;
COMMENT ON PROCEDURE wesley.apply_steps(bigint, bigint, integer[], text[], integer[], integer[]) IS
    'Several short steps, one after the other, each in a transaction of its own; the first that fails ends the call, and '
    'those behind it do not run; nor does any begin after a quarter of a second, whoever wants them stopped waits no '
    'longer. It has no search_path of its own, because it could not commit then: every name and operator in it is qualified';

CREATE OR REPLACE FUNCTION wesley.begin_step(
    p_run bigint, p_fence bigint, p_ordinal integer, p_content_sha text, p_attempt integer
) RETURNS text LANGUAGE plpgsql SET search_path = pg_catalog, wesley, pg_temp AS $wesley$
DECLARE
    v_entered record;
    v_step    wesley.migration_steps;
    v_before  boolean;
BEGIN
    v_entered := wesley.enter_step(p_run, p_fence, p_ordinal, p_content_sha);
    v_step := v_entered.o_step;
    IF v_entered.o_done THEN
        RETURN 'skipped';
    END IF;
    PERFORM wesley.use_settings(v_entered.o_content, 0);
    v_before := EXISTS (SELECT FROM wesley.migration_ledger l
                         WHERE l.plan_id = v_step.plan_id AND l.step_sha = v_step.step_sha AND l.status = 'started'
                           AND l.generation = wesley.generation(v_step.plan_id));
    PERFORM wesley.announce_step(p_run, p_fence, p_ordinal, p_attempt);
    RETURN CASE WHEN v_before THEN 'again' ELSE 'begun' END;
END
$wesley$;
COMMENT ON FUNCTION wesley.begin_step(bigint, bigint, integer, text, integer) IS
    'Records the intent to run a step outside a transaction. "again": an earlier attempt began it, look before running';

CREATE OR REPLACE FUNCTION wesley.look_at_step(
    p_run bigint, p_fence bigint, p_ordinal integer, p_content_sha text, p_kind text
) RETURNS text LANGUAGE plpgsql SET search_path = pg_catalog, wesley, pg_temp AS $wesley$
DECLARE
    v_entered record;
BEGIN
    v_entered := wesley.enter_step(p_run, p_fence, p_ordinal, p_content_sha);
    PERFORM wesley.use_settings(v_entered.o_content, 2000);
    RETURN wesley.failing_check(v_entered.o_content, p_kind);
END
$wesley$;

CREATE OR REPLACE FUNCTION wesley.autocommit_statement(
    p_run bigint, p_fence bigint, p_ordinal integer, p_content_sha text, p_kind text, p_index integer
) RETURNS text LANGUAGE plpgsql SET search_path = pg_catalog, wesley, pg_temp AS $wesley$
DECLARE
    v_entered   record;
    v_step      wesley.migration_steps;
    v_statement text;
BEGIN
    v_entered := wesley.enter_step(p_run, p_fence, p_ordinal, p_content_sha);
    v_step := v_entered.o_step;
    v_statement := v_entered.o_content -> p_kind ->> p_index;
    IF v_step.kind <> 'autocommit' OR v_entered.o_done OR v_statement IS NULL THEN
        RAISE EXCEPTION 'step % has nothing to run outside a transaction', p_ordinal USING ERRCODE = 'WE006';
    END IF;
    RETURN v_statement;
END
$wesley$;
COMMENT ON FUNCTION wesley.autocommit_statement(bigint, bigint, integer, text, text, integer) IS
    'The reviewed text, for psql''s \gexec: it comes from the table, not from the wire, so a line that is cut runs nothing';

CREATE OR REPLACE FUNCTION wesley.finish_step(
    p_run bigint, p_fence bigint, p_ordinal integer, p_content_sha text, p_attempt integer, p_started timestamptz,
    p_message text, p_metrics jsonb
) RETURNS text LANGUAGE plpgsql SET search_path = pg_catalog, wesley, pg_temp AS $wesley$
DECLARE
    v_entered record;
    v_step    wesley.migration_steps;
BEGIN
    v_entered := wesley.enter_step(p_run, p_fence, p_ordinal, p_content_sha);
    v_step := v_entered.o_step;
    IF v_entered.o_done THEN
        RETURN 'skipped';
    END IF;
    PERFORM wesley.use_settings(v_entered.o_content, 2000);
    PERFORM wesley.demand(v_step, v_entered.o_content, 'postchecks');
    PERFORM wesley.succeed_step(p_run, p_fence, v_step, p_attempt, p_started, p_message, p_metrics);
    RETURN 'applied';
END
$wesley$;

CREATE OR REPLACE FUNCTION wesley.fail_step(
    p_run bigint, p_fence bigint, p_ordinal integer, p_attempt integer, p_type text, p_sqlstate text, p_message text,
    p_metrics jsonb
) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, wesley, pg_temp AS $wesley$
DECLARE
    v_step wesley.migration_steps;
BEGIN
    PERFORM wesley.announce_step(p_run, p_fence, p_ordinal, p_attempt);
    SELECT s.* INTO STRICT v_step
      FROM wesley.migration_steps s JOIN wesley.migration_runs r USING (plan_id)
     WHERE r.run_id = p_run AND s.ordinal = p_ordinal;
    INSERT INTO wesley.migration_ledger (run_id, plan_id, step_sha, ordinal, attempt, status, sqlstate, message)
    VALUES (p_run, v_step.plan_id, v_step.step_sha, p_ordinal, p_attempt, 'failed', p_sqlstate, p_message);
    PERFORM wesley.chain_event(
        p_run, p_type, v_step.wave, v_step.step_sha, p_message,
        p_metrics || jsonb_build_object('attempt', p_attempt, 'ordinal', p_ordinal, 'sqlstate', p_sqlstate),
        clock_timestamp());
END
$wesley$;
COMMENT ON FUNCTION wesley.fail_step(bigint, bigint, integer, integer, text, text, text, jsonb) IS
    'An attempt that failed; the event is step.fail, step.retry or lock.timeout. The step itself stays undone';

DROP FUNCTION IF EXISTS wesley.skip_step(bigint, bigint, integer, text);
CREATE OR REPLACE FUNCTION wesley.skip_step(
    p_run bigint, p_fence bigint, p_ordinal integer, p_message text, p_metrics jsonb DEFAULT '{}'
) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, wesley, pg_temp AS $wesley$
DECLARE
    v_step wesley.migration_steps;
BEGIN
    PERFORM wesley.hold_head(p_run, p_fence);
    SELECT s.* INTO STRICT v_step
      FROM wesley.migration_steps s JOIN wesley.migration_runs r USING (plan_id)
     WHERE r.run_id = p_run AND s.ordinal = p_ordinal;
    PERFORM wesley.chain_event(p_run, 'step.skip', v_step.wave, v_step.step_sha, p_message,
                               p_metrics || jsonb_build_object('ordinal', p_ordinal), clock_timestamp());
END
$wesley$;
