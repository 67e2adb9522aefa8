-- What a schema said and what PostgreSQL made of it. The server stores an analysed form of views, defaults, checks …
-- and prints that; where a reader of text cannot tell that both mean the same (SELECT *), this table can.

CREATE TABLE IF NOT EXISTS wesley.declarations (
    path         text PRIMARY KEY,
    declared_sha text NOT NULL,
    live_sha     text NOT NULL,
    recorded_at  timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
COMMENT ON TABLE wesley.declarations IS
    'Digests of declared text and of what the server prints for it, written after a run that was verified';
COMMENT ON COLUMN wesley.declarations.path IS 'What it is about: view public.v, check public.t.positive, default public.t.c';

CREATE OR REPLACE FUNCTION wesley.record_declarations(p_declarations jsonb)
RETURNS integer LANGUAGE plpgsql SET search_path = pg_catalog, wesley, pg_temp AS $wesley$
DECLARE
    v_count integer;
BEGIN
    INSERT INTO wesley.declarations AS d (path, declared_sha, live_sha)
    SELECT p.key, p.value ->> 0, p.value ->> 1 FROM jsonb_each(p_declarations) p
        ON CONFLICT (path) DO UPDATE
       SET declared_sha = excluded.declared_sha, live_sha = excluded.live_sha, recorded_at = clock_timestamp()
     WHERE (d.declared_sha, d.live_sha) IS DISTINCT FROM (excluded.declared_sha, excluded.live_sha);
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END
$wesley$;
COMMENT ON FUNCTION wesley.record_declarations(jsonb) IS
    'Takes {path: [digest of the declared text, digest of the live text]}, returns how many of them were new';
