-- expect: attaching-partition-without-check detach-without-concurrently
SET lock_timeout = '2s';
SET statement_timeout = '30s';
ALTER TABLE m DETACH PARTITION m_1;
ALTER TABLE m ATTACH PARTITION m_2 FOR VALUES IN (1);
