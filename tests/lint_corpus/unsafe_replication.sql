-- expect: ban-drop-publication publication-for-all-tables replica-identity
SET lock_timeout = '2s';
SET statement_timeout = '30s';
CREATE PUBLICATION p FOR ALL TABLES;
ALTER TABLE a REPLICA IDENTITY FULL;
DROP PUBLICATION q;
