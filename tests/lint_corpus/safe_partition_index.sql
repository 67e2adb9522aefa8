SET lock_timeout = '2s';
CREATE INDEX events_kind ON ONLY events (kind);
CREATE INDEX CONCURRENTLY events_2026_kind ON events_2026 (kind);
ALTER INDEX events_kind ATTACH PARTITION events_2026_kind;
