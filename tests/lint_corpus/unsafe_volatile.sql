-- expect: adding-field-with-default adding-serial-column prefer-identity
SET lock_timeout = '2s';
SET statement_timeout = '30s';
ALTER TABLE a ADD COLUMN t uuid DEFAULT gen_random_uuid();
ALTER TABLE a ADD COLUMN s bigserial;
