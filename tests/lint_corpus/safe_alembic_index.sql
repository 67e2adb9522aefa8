-- Running upgrade ae1027a6acf -> b3
CREATE INDEX CONCURRENTLY ix_account_name ON account (name);
UPDATE alembic_version SET version_num='b3' WHERE alembic_version.version_num = 'ae1027a6acf';
