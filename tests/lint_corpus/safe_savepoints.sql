START TRANSACTION;
SAVEPOINT before_insert;
INSERT INTO settings (key, value) VALUES ('b', '2');
ROLLBACK TO SAVEPOINT before_insert;
RELEASE SAVEPOINT before_insert;
END;
