-- written on another system
CREATE TABLE notes (
  id bigint PRIMARY KEY,
  body text
);
CREATE INDEX notes_body ON notes (body);
