CREATE SEQUENCE invoice_no START 1000;
CREATE TABLE invoice (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, no bigint NOT NULL DEFAULT nextval('invoice_no'));
ALTER SEQUENCE invoice_no OWNED BY invoice.no;
SELECT setval('invoice_no', 2000);
