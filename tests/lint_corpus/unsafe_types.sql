-- expect: ban-char-field int-primary-key prefer-identity prefer-jsonb prefer-numeric-over-money prefer-text-field prefer-timestamptz
SET lock_timeout = '2s';
SET statement_timeout = '30s';
CREATE TABLE t (id serial PRIMARY KEY, a char(3), b timestamp, c json, d varchar(9), e money);
