SET lock_timeout = '2s';
SET statement_timeout = '30s';
COPY country (code, name) FROM stdin;
DE	Germany; 'x'
FR	France
\.
