/* a /* nested */ comment; DROP TABLE a; */
SELECT 'a;b', E'it\'s; fine', "odd;name", $tag$ ; $tag$ FROM "weird table" WHERE id = 1; -- DROP TABLE b;
SELECT U&'d\0061t\+000061', B'101', X'1FF' WHERE 1 = 2;
