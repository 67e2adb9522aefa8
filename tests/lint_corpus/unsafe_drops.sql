-- expect: ban-drop-schema ban-drop-table ban-drop-view ban-truncate ban-truncate-cascade drop-cascade
SET lock_timeout = '2s';
SET statement_timeout = '30s';
DROP TABLE a CASCADE;
TRUNCATE b CASCADE;
DROP SCHEMA c;
DROP VIEW d;
