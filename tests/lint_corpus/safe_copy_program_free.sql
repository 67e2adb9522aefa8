BEGIN;
COPY countries (code, name) FROM STDIN WITH (FORMAT csv);
"it","Italy; the ""boot"""
"es","Spain"
\.
COMMIT;
