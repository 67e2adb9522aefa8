-- The memory of every migration of this database. Plans, steps, ledger, events and certificates are only ever
-- appended (004_guards.sql); runs, checkpoints and the head of the event chain move.

CREATE SCHEMA IF NOT EXISTS wesley;
REVOKE ALL ON SCHEMA wesley FROM PUBLIC;
COMMENT ON SCHEMA wesley IS 'Migration plans, ledger and events; installed and read by Wesley';

CREATE TABLE IF NOT EXISTS wesley.rails_version (
    version      integer PRIMARY KEY,
    digest       text NOT NULL,
    installed_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    installed_by text NOT NULL DEFAULT session_user
);
COMMENT ON TABLE wesley.rails_version IS 'Which set of these files is installed; the highest version counts';

CREATE TABLE IF NOT EXISTS wesley.migration_plans (
    plan_id      text PRIMARY KEY,
    document     text NOT NULL,
    document_sha text NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    actor        text NOT NULL,
    CONSTRAINT migration_plans_document_is_whole CHECK (
        document_sha = pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(document, 'UTF8')), 'hex'))
);
COMMENT ON COLUMN wesley.migration_plans.document IS 'The plan as JSON, kept byte for byte as it was reviewed';

CREATE TABLE IF NOT EXISTS wesley.migration_steps (
    plan_id      text NOT NULL REFERENCES wesley.migration_plans,
    ordinal      integer NOT NULL,
    step_sha     text NOT NULL,
    wave         text NOT NULL,
    op           text NOT NULL,
    object       text NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('transactional', 'autocommit', 'backfill')),
    object_locks bigint[] NOT NULL,
    content      text NOT NULL,
    content_sha  text NOT NULL,
    PRIMARY KEY (plan_id, ordinal),
    UNIQUE (plan_id, step_sha),
    CONSTRAINT migration_steps_content_is_whole CHECK (
        content_sha = pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(content, 'UTF8')), 'hex'))
);
COMMENT ON COLUMN wesley.migration_steps.object_locks IS 'Keys of the transaction-level advisory locks, ascending';
COMMENT ON COLUMN wesley.migration_steps.content IS
    'JSON of all that the server runs for this step: statements, checks, cleanup, batch, settings and timeouts';

CREATE TABLE IF NOT EXISTS wesley.migration_runs (
    run_id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    plan_id           text NOT NULL REFERENCES wesley.migration_plans,
    fence             bigint NOT NULL,
    status            text NOT NULL CHECK (status IN ('running', 'paused', 'failed', 'cancelled', 'rolled_back',
                                                      'contract_pending', 'complete')),
    actor             text NOT NULL,
    application       text NOT NULL,
    contract          boolean NOT NULL,
    review            jsonb NOT NULL,
    system_identifier text NOT NULL,
    server_version    integer NOT NULL DEFAULT pg_catalog.current_setting('server_version_num')::integer,
    message           text NOT NULL DEFAULT '',
    started_at        timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    finished_at       timestamptz
);
COMMENT ON COLUMN wesley.migration_runs.fence IS
    'The fencing number that this run took last; only the run that holds the highest one can commit a step';
COMMENT ON COLUMN wesley.migration_runs.review IS 'Who accepted what: digest of the plan and of the explanation that was seen';

CREATE TABLE IF NOT EXISTS wesley.migration_ledger (
    ledger_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id      bigint NOT NULL REFERENCES wesley.migration_runs,
    plan_id     text NOT NULL,
    step_sha    text NOT NULL,
    ordinal     integer NOT NULL,
    attempt     integer NOT NULL,
    status      text NOT NULL CHECK (status IN ('started', 'succeeded', 'failed')),
    recorded_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    duration_ms double precision,
    sqlstate    text,
    message     text NOT NULL DEFAULT '',
    backend_pid integer NOT NULL DEFAULT pg_catalog.pg_backend_pid(),
    xid         bigint NOT NULL DEFAULT pg_catalog.txid_current(),
    generation  integer NOT NULL DEFAULT 1
);
ALTER TABLE wesley.migration_ledger ADD COLUMN IF NOT EXISTS generation integer NOT NULL DEFAULT 1;
DROP INDEX IF EXISTS wesley.migration_ledger_succeeds_once;
CREATE UNIQUE INDEX IF NOT EXISTS migration_ledger_succeeds_once_each
    ON wesley.migration_ledger (plan_id, step_sha, generation) WHERE status = 'succeeded';
CREATE INDEX IF NOT EXISTS migration_ledger_by_step ON wesley.migration_ledger (plan_id, step_sha, run_id, attempt);
COMMENT ON TABLE wesley.migration_ledger IS
    'One row per thing that happened to a step; only a succeeded row makes the step skip from then on';

CREATE TABLE IF NOT EXISTS wesley.migration_generations (
    plan_id    text PRIMARY KEY REFERENCES wesley.migration_plans,
    generation integer NOT NULL,
    reason     text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
COMMENT ON TABLE wesley.migration_generations IS
    'How often what a plan had done was taken back, plus one; a plan without a row is in its first generation';

CREATE OR REPLACE VIEW wesley.migration_done AS
SELECT l.plan_id, l.step_sha, l.ordinal, l.run_id, l.attempt, l.ledger_id, l.recorded_at, l.duration_ms
  FROM wesley.migration_ledger l LEFT JOIN wesley.migration_generations g ON g.plan_id = l.plan_id
 WHERE l.status = 'succeeded' AND l.generation = coalesce(g.generation, 1);
COMMENT ON VIEW wesley.migration_done IS 'The steps that are done and have not been taken back since: they skip';

CREATE TABLE IF NOT EXISTS wesley.migration_checkpoints (
    plan_id    text NOT NULL,
    step_sha   text NOT NULL,
    last_key   jsonb,
    pass       integer NOT NULL DEFAULT 1,
    batches    bigint NOT NULL DEFAULT 0,
    visited    bigint NOT NULL DEFAULT 0,
    changed    bigint NOT NULL DEFAULT 0,
    changed_in_pass bigint NOT NULL DEFAULT 0,
    exhausted  boolean NOT NULL DEFAULT false,
    updated_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    PRIMARY KEY (plan_id, step_sha)
) WITH (fillfactor = 10);
COMMENT ON TABLE wesley.migration_checkpoints IS
    'How far each backfill has come; moved by the transaction that wrote the batch';

CREATE TABLE IF NOT EXISTS wesley.migration_events (
    id           bigint PRIMARY KEY,
    run_id       bigint NOT NULL,
    plan_id      text NOT NULL,
    type         text NOT NULL,
    time         timestamptz NOT NULL,
    actor        text NOT NULL,
    message      text NOT NULL,
    wave         text,
    step_sha     text,
    metrics      jsonb NOT NULL,
    previous_sha text NOT NULL,
    sha          text NOT NULL
);
CREATE INDEX IF NOT EXISTS migration_events_by_run ON wesley.migration_events (run_id, id);

CREATE TABLE IF NOT EXISTS wesley.migration_head (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    last_id  bigint NOT NULL,
    last_sha text NOT NULL,
    fence    bigint NOT NULL
) WITH (fillfactor = 10);
INSERT INTO wesley.migration_head (last_id, last_sha, fence)
VALUES (0, pg_catalog.repeat('0', 64), 0) ON CONFLICT DO NOTHING;
COMMENT ON TABLE wesley.migration_head IS
    'End of the event chain and the current fencing number, in one row: whoever appends an event holds its lock, so '
    'the order of ids is the order of commits, and a run that lost its fence cannot slip in behind the new one';

CREATE TABLE IF NOT EXISTS wesley.migration_certificates (
    certificate_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id         bigint NOT NULL REFERENCES wesley.migration_runs,
    document       text NOT NULL,
    signature      text NOT NULL,
    public_key     text NOT NULL,
    issued_at      timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
