-- What is written stays written: not even a superuser changes the past by accident. ALWAYS triggers also fire under
-- session_replication_role = replica.

CREATE OR REPLACE FUNCTION wesley.refuse_change()
RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, wesley, pg_temp AS $wesley$
BEGIN
    RAISE EXCEPTION '% on wesley.% refused: it is only ever appended to', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'WE009', HINT = 'History is evidence. Nothing needs to be changed here to run or repair a migration.';
END
$wesley$;

DO $wesley$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['migration_plans', 'migration_steps', 'migration_ledger', 'migration_events',
                                   'migration_certificates']
    LOOP
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_trigger t
                        WHERE t.tgrelid = pg_catalog.format('wesley.%I', v_table)::pg_catalog.regclass
                          AND t.tgname = 'append_only') THEN
            EXECUTE pg_catalog.format(
                'CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON wesley.%I '
                'FOR EACH STATEMENT EXECUTE FUNCTION wesley.refuse_change()', v_table);
        END IF;
        EXECUTE pg_catalog.format('ALTER TABLE wesley.%I ENABLE ALWAYS TRIGGER append_only', v_table);
    END LOOP;
END
$wesley$;
