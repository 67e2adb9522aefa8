SET lock_timeout = '2s';
SET statement_timeout = '30s';
ALTER TYPE mood ADD VALUE IF NOT EXISTS 'calm';
