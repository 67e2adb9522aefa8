-- expect: renaming-column renaming-table
SET lock_timeout = '2s';
SET statement_timeout = '30s';
ALTER TABLE users RENAME COLUMN a TO b;
ALTER TABLE users RENAME TO people;
