CREATE TABLE countries (code text PRIMARY KEY, name text NOT NULL);
COPY countries (code, name) FROM stdin;
de	Germany; Deutschland
fr	France -- la République
us	'United' States
\.
ANALYZE countries;
