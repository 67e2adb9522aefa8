BEGIN;
SET LOCAL lock_timeout = '2s';
DROP POLICY IF EXISTS tenant ON app.orders;
CREATE POLICY tenant ON app.orders USING (tenant_id = current_setting('app.tenant')::bigint);
COMMIT;
