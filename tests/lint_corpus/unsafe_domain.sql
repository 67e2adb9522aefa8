-- expect: domain-constraint-proven
SET lock_timeout = '2s';
SET statement_timeout = '30s';
ALTER DOMAIN d ADD CONSTRAINT c CHECK (VALUE > 0);
ALTER DOMAIN d SET NOT NULL;
