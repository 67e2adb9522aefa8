SET lock_timeout = '2s';
SET statement_timeout = '30s';
CREATE POLICY own ON users USING (owner = current_user);
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
