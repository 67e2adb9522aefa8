-- Beginning, moving and ending a run. The fencing number lives in the head of the event chain: taking it and
-- committing a step exclude each other. What p_metrics holds as "message" is what the event says.

CREATE OR REPLACE FUNCTION wesley.open_run(
    p_plan text, p_actor text, p_application text, p_contract boolean, p_review jsonb, p_system text,
    p_resume bigint, p_metrics jsonb
) RETURNS TABLE (run_id bigint, fence bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, wesley, pg_temp AS $wesley$
DECLARE
    v_head wesley.migration_head;
    v_run  bigint := p_resume;
    v_type text := CASE WHEN p_resume IS NULL THEN 'plan.accepted' ELSE 'plan.resumed' END;
BEGIN
    SELECT * INTO v_head FROM wesley.migration_head FOR NO KEY UPDATE;
    UPDATE wesley.migration_head h SET fence = v_head.fence + 1;
    DELETE FROM wesley.migration_calls;
    IF p_resume IS NULL THEN
        INSERT INTO wesley.migration_runs
               (plan_id, fence, status, actor, application, contract, review, system_identifier)
        VALUES (p_plan, v_head.fence + 1, 'running', p_actor, p_application, p_contract, p_review, p_system)
        RETURNING migration_runs.run_id INTO v_run;
    ELSE
        UPDATE wesley.migration_runs r
           SET fence = v_head.fence + 1, status = 'running', actor = p_actor, application = p_application,
               contract = p_contract, finished_at = NULL, message = ''
         WHERE r.run_id = p_resume AND r.plan_id = p_plan;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'there is no run % of plan %', p_resume, p_plan USING ERRCODE = 'WE006';
        END IF;
        -- A resume is newer than whatever was asked of the process that died.
        UPDATE wesley.migration_commands c SET taken_at = clock_timestamp()
         WHERE c.run_id = p_resume AND c.taken_at IS NULL AND c.verb NOT IN ('set', 'skip', 'retry');
    END IF;
    PERFORM wesley.chain_event(v_run, v_type, NULL, NULL, coalesce(p_metrics ->> 'message', ''),
                               p_metrics - 'message', clock_timestamp());
    PERFORM wesley.chain_event(v_run, 'lock.acquired', NULL, NULL, 'one migration at a time on this database',
                               jsonb_build_object('fence', v_head.fence + 1), clock_timestamp());
    RETURN QUERY SELECT v_run, v_head.fence + 1;
END
$wesley$;

CREATE OR REPLACE FUNCTION wesley.move_run(
    p_run bigint, p_fence bigint, p_status text, p_type text, p_message text, p_metrics jsonb
) RETURNS bigint LANGUAGE plpgsql SET search_path = pg_catalog, wesley, pg_temp AS $wesley$
BEGIN
    PERFORM wesley.hold_head(p_run, p_fence);
    UPDATE wesley.migration_runs r
       SET status = p_status, message = p_message,
           finished_at = CASE WHEN p_status IN ('running', 'paused') THEN NULL ELSE clock_timestamp() END
     WHERE r.run_id = p_run;
    RETURN wesley.chain_event(p_run, p_type, NULL, NULL, p_message, p_metrics, clock_timestamp());
END
$wesley$;

CREATE OR REPLACE FUNCTION wesley.record_certificate(
    p_run bigint, p_document text, p_signature text, p_public_key text
) RETURNS bigint LANGUAGE plpgsql SET search_path = pg_catalog, wesley, pg_temp AS $wesley$
DECLARE
    v_id bigint;
BEGIN
    INSERT INTO wesley.migration_certificates (run_id, document, signature, public_key)
    VALUES (p_run, p_document, p_signature, p_public_key) RETURNING certificate_id INTO v_id;
    PERFORM wesley.chain_event(
        p_run, 'certificate.issued', NULL, NULL, '', jsonb_build_object(
            'certificate_id', v_id, 'document_sha', encode(sha256(convert_to(p_document, 'UTF8')), 'hex'),
            'public_key', p_public_key), clock_timestamp());
    RETURN v_id;
END
$wesley$;

CREATE OR REPLACE FUNCTION wesley.abandon_run(p_run bigint, p_reason text)
RETURNS text LANGUAGE plpgsql SET search_path = pg_catalog, wesley, pg_temp AS $wesley$
DECLARE
    v_status text;
BEGIN
    UPDATE wesley.migration_head SET fence = fence + 1;
    SELECT r.status INTO v_status FROM wesley.migration_runs r WHERE r.run_id = p_run FOR UPDATE;
    IF v_status IN ('complete', 'rolled_back', 'cancelled') THEN
        RETURN v_status;
    END IF;
    UPDATE wesley.migration_runs r SET status = 'cancelled', message = p_reason, finished_at = clock_timestamp()
     WHERE r.run_id = p_run;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no run %', p_run USING ERRCODE = 'WE006';
    END IF;
    PERFORM wesley.chain_event(p_run, 'plan.cancelled', NULL, NULL, p_reason, '{}', clock_timestamp());
    RETURN 'cancelled';
END
$wesley$;
COMMENT ON FUNCTION wesley.abandon_run(bigint, text) IS
    'Ends a run that no process works on; taking the fencing number keeps a process that was only slow from going on';
