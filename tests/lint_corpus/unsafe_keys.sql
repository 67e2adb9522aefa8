-- expect: adding-foreign-key-constraint adding-primary-key disallowed-unique-constraint foreign-key-without-index
SET lock_timeout = '2s';
SET statement_timeout = '30s';
ALTER TABLE a ADD PRIMARY KEY (id);
ALTER TABLE a ADD CONSTRAINT u UNIQUE (b);
ALTER TABLE a ADD CONSTRAINT f FOREIGN KEY (c) REFERENCES d (id);
