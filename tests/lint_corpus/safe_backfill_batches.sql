UPDATE users SET full_name = first || ' ' || last WHERE id BETWEEN 1 AND 5000;
UPDATE users SET full_name = first || ' ' || last WHERE id BETWEEN 5001 AND 10000;
DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at < now() ORDER BY id LIMIT 5000);
INSERT INTO archive (id, body) SELECT id, body FROM messages WHERE id BETWEEN 1 AND 1000;
