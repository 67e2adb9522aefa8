CREATE TABLE item (id bigint PRIMARY KEY, sku varchar(20), price numeric(8,2), at timestamptz(3));
INSERT INTO item VALUES (1, 'x', 1, now());
ALTER TABLE item ALTER COLUMN sku TYPE varchar(40), ALTER COLUMN price TYPE numeric(12,2), ALTER COLUMN at TYPE timestamptz;
