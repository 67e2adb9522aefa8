-- expect: comparison-with-null delete-without-where not-in-subquery where-always-true
SET lock_timeout = '2s';
SET statement_timeout = '30s';
DELETE FROM a;
DELETE FROM a WHERE true;
UPDATE a SET b = 1 WHERE c = NULL;
DELETE FROM a WHERE b NOT IN (SELECT c FROM d);
