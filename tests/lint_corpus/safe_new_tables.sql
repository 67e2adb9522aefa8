SET lock_timeout = '2s';
SET statement_timeout = '30s';
BEGIN;
CREATE TABLE tag (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL);
CREATE TABLE tagging (
    tag_id bigint REFERENCES tag (id), item_id bigint, PRIMARY KEY (tag_id, item_id)
);
CREATE INDEX tagging_item ON tagging (item_id);
ALTER TABLE tag ADD CONSTRAINT tag_name_key UNIQUE (name);
INSERT INTO tag (name) VALUES ('a'), ('b');
COMMIT;
