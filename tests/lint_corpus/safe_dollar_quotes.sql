CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS $body$
DECLARE
    note text := $$it's; a "test"$$;
BEGIN
    -- DROP TABLE users;
    NEW.updated_at := now();
    RETURN NEW;
END
$body$;
CREATE FUNCTION app.greet(name text) RETURNS text LANGUAGE sql IMMUTABLE RETURN 'hello; ' || name;
CREATE FUNCTION app.total() RETURNS bigint LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT count(*) FROM app.orders WHERE CASE WHEN paid THEN true ELSE false END;
END;
