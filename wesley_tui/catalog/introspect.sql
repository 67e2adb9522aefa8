-- What a database holds, one SELECT per kind; each yields one JSON array of arrays, whose elements
-- wesley_tui/catalog/assemble.py names (an oid is a string in JSON). All of them go to the server as one message, inside one REPEATABLE READ
-- transaction with an empty search_path.
--
-- {words in braces} are replaced by introspect.py: {schemas} by a condition on pg_namespace n, the others by what a
-- column is called, or stands for, on the server's version. Objects of extensions are left out by
-- {not_extension <catalog> <oid>}.

-- name: facts
SELECT json_build_array(
           current_setting('server_version_num')::int,
           current_database(),
           current_user,
           pg_is_in_recovery(),
           current_setting('TimeZone'),
           {system_identifier},
           (SELECT json_agg(extname) FROM pg_extension))

-- name: schemas
SELECT json_agg(json_build_array(n.oid, n.nspname))
  FROM pg_namespace n
 WHERE {schemas} AND {not_extension pg_namespace n.oid}

-- name: collations
SELECT json_agg(json_build_array(c.oid, n.nspname, c.collname))
  FROM pg_collation c
  JOIN pg_namespace n ON n.oid = c.collnamespace

-- name: tables
-- pg_relation_size() waits behind ACCESS EXCLUSIVE, so it is not asked about relations that are locked so.
SELECT json_agg(json_build_array(
           c.oid, n.nspname, c.relname, c.relpersistence = 'u', c.relrowsecurity, c.relforcerowsecurity,
           t.spcname, c.reloptions, toast.reloptions, c.relpages, c.reltuples, {main_bytes},
           CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END,
           CASE c.relreplident WHEN 'd' THEN NULL WHEN 'f' THEN 'full' WHEN 'n' THEN 'nothing'
                ELSE (SELECT x.relname FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
                       WHERE i.indrelid = c.oid AND i.indisreplident) END,
           CASE WHEN am.amname <> 'heap' THEN am.amname END, indexed.pages))
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN (SELECT i.indrelid, sum(x.relpages) AS pages
               FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid GROUP BY 1) indexed ON indexed.indrelid = c.oid
  LEFT JOIN pg_am am ON am.oid = c.relam
  LEFT JOIN pg_tablespace t ON t.oid = c.reltablespace
  LEFT JOIN pg_class toast ON toast.oid = c.reltoastrelid AND toast.reloptions IS NOT NULL
  LEFT JOIN (SELECT DISTINCT relation
               FROM pg_locks
              WHERE locktype = 'relation' AND mode = 'AccessExclusiveLock'
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) locked
         ON locked.relation = c.oid
 WHERE {table} AND {schemas} AND {not_extension pg_class c.oid}

-- name: parents
-- Of partitions and of children by inheritance.
SELECT json_agg(json_build_array(
           h.inhrelid, h.inhparent, pn.nspname, p.relname, c.relispartition,
           CASE WHEN c.relispartition THEN pg_get_expr(c.relpartbound, c.oid) END, {detach_pending},
           CASE WHEN c.relispartition THEN (
               SELECT json_agg(json_build_array('index', x.relname, px.relname))
                 FROM pg_index i
                 JOIN pg_class x ON x.oid = i.indexrelid AND x.relispartition
                 JOIN pg_inherits xh ON xh.inhrelid = x.oid
                 JOIN pg_class px ON px.oid = xh.inhparent
                WHERE i.indrelid = c.oid) END,
           CASE WHEN c.relispartition THEN (
               SELECT json_agg(json_build_array('foreign key', k.conname, pk.conname))
                 FROM pg_constraint k
                 JOIN pg_constraint pk ON pk.oid = k.conparentid AND pk.conrelid = h.inhparent
                WHERE k.conrelid = c.oid AND k.contype = 'f') END,
           (SELECT json_agg(json_build_array('not null', k.conname, a.attname))
              FROM pg_constraint k
              JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
             WHERE k.conrelid = c.oid AND k.contype = 'n' AND NOT k.conislocal))
       ORDER BY h.inhrelid, h.inhseqno)
  FROM pg_inherits h
  JOIN pg_class c ON c.oid = h.inhrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_class p ON p.oid = h.inhparent
  JOIN pg_namespace pn ON pn.oid = p.relnamespace
 WHERE {table} AND {schemas}

-- name: columns
-- A default has no column references, so pg_get_expr() need not look at the table, which it would wait for when
-- somebody holds ACCESS EXCLUSIVE on it; a generation expression has.
SELECT json_agg(json_build_array(
           a.attrelid, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), {not_null}, a.attidentity,
           a.attgenerated,
           CASE WHEN d.oid IS NOT NULL THEN
               pg_get_expr(d.adbin, CASE WHEN a.attgenerated = '' THEN 0::oid ELSE d.adrelid END)
           END,
           a.attcollation, a.attcollation <> t.typcollation,
           CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END,
           CASE WHEN a.attstorage <> t.typstorage OR a.attstattarget >= 0 OR a.attoptions IS NOT NULL
                  OR a.attinhcount > 0 OR {compression} <> '' THEN
               json_build_array(CASE WHEN a.attstorage <> t.typstorage THEN a.attstorage END,
                                nullif({compression}, ''),
                                CASE WHEN a.attstattarget >= 0 THEN a.attstattarget END,
                                a.attoptions, a.attinhcount > 0, a.attislocal)
           END)
       ORDER BY a.attrelid, a.attnum)
  FROM pg_attribute a
  JOIN pg_class c ON c.oid = a.attrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_attrdef d ON a.atthasdef AND d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE a.attnum > 0 AND NOT a.attisdropped
   AND {indexed} AND {schemas}

-- name: names of not null
-- Since 18; those that the server chose are told apart by assemble.py, the plain ones here.
{not_null_names}

-- name: identity sequences
-- Those that are not what the server makes unasked; a name that was cut to 63 bytes is told apart by identity.py.
SELECT json_agg(json_build_array(
           d.refobjid, d.refobjsubid, n.nspname, q.relname, format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement,
           s.seqmin, s.seqmax, s.seqcache, s.seqcycle, c.relname))
  FROM pg_sequence s
  JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.seqrelid
                  AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype = 'i'
  JOIN pg_class q ON q.oid = s.seqrelid
  JOIN pg_class c ON c.oid = d.refobjid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
 WHERE {table} AND {schemas}
   AND (q.relname <> c.relname || '_' || a.attname || '_seq'
        OR (s.seqstart, s.seqincrement, s.seqmin, s.seqcache, s.seqcycle) <> (1, 1, 1, 1, false)
        OR s.seqmax <> CASE s.seqtypid WHEN 'int2'::regtype THEN 32767 WHEN 'int4'::regtype THEN 2147483647
                                       ELSE 9223372036854775807 END)

-- name: constraints
SELECT json_agg(json_build_array(
           k.conrelid, k.oid, k.conname, k.contype, k.conkey, k.condeferrable, k.condeferred, k.convalidated,
           k.connoinherit, k.conindid,
           CASE WHEN k.contype = 'c' THEN pg_get_expr(k.conbin, k.conrelid) END,
           fn.nspname, f.relname,
           CASE WHEN k.contype = 'f' THEN
               (SELECT json_agg(a.attname ORDER BY p.position)
                  FROM unnest(k.confkey) WITH ORDINALITY p (attnum, position)
                  JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = p.attnum)
           END,
           k.confupdtype, k.confdeltype, k.confmatchtype, {delete_columns},
           CASE WHEN k.contype = 'x' THEN
               (SELECT json_agg(json_build_array(opn.nspname, o.oprname) ORDER BY p.position)
                  FROM unnest(k.conexclop) WITH ORDINALITY p (oid, position)
                  JOIN pg_operator o ON o.oid = p.oid
                  JOIN pg_namespace opn ON opn.oid = o.oprnamespace)
           END,
           {enforced}, {period}))
  FROM pg_constraint k
  JOIN pg_class c ON c.oid = k.conrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_class f ON f.oid = k.confrelid
  LEFT JOIN pg_namespace fn ON fn.oid = f.relnamespace
 WHERE k.contype IN ('p', 'u', 'f', 'c', 'x') AND k.conparentid = 0
   AND (k.conislocal OR k.coninhcount = 0)
   AND {table} AND {schemas}

-- name: indexes
-- One expression is printed by pg_get_expr(); of several it would make one list that nobody can take apart. An index
-- that is attached to one of a partitioned table is left out, unless a constraint of the partition's own stands on it.
SELECT json_agg(json_build_array(
           i.indrelid, i.indexrelid, x.relname, am.amname, i.indisunique, i.indisvalid, {nulls_not_distinct},
           i.indnkeyatts, string_to_array(i.indkey::text, ' ')::int[],
           string_to_array(i.indclass::text, ' '),
           string_to_array(i.indcollation::text, ' '),
           string_to_array(i.indoption::text, ' ')::int[],
           CASE WHEN i.indexprs IS NULL THEN NULL
                WHEN cardinality(array_positions(string_to_array(i.indkey::text, ' '), '0')) = 1
                THEN json_build_array(pg_get_expr(i.indexprs, i.indrelid))
                ELSE (SELECT json_agg(pg_get_indexdef(i.indexrelid, p.position::int, false) ORDER BY p.position)
                        FROM unnest(string_to_array(i.indkey::text, ' ')) WITH ORDINALITY p (attnum, position)
                       WHERE p.attnum = '0')
           END,
           CASE WHEN i.indpred IS NOT NULL THEN pg_get_expr(i.indpred, i.indrelid) END,
           x.reloptions,
           CASE WHEN i.indexprs IS NOT NULL
                 AND EXISTS (SELECT FROM unnest(i.indcollation) AS key_collation (oid)
                              WHERE key_collation.oid NOT IN (0, 'pg_catalog."default"'::regcollation))
                THEN pg_get_indexdef(i.indexrelid)
           END,
           ts.spcname, i.indisclustered))
  FROM pg_index i
  JOIN pg_class x ON x.oid = i.indexrelid
  JOIN pg_am am ON am.oid = x.relam
  LEFT JOIN pg_tablespace ts ON ts.oid = x.reltablespace
  JOIN pg_class c ON c.oid = i.indrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE (NOT x.relispartition
        OR EXISTS (SELECT FROM pg_constraint k
                    WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x') AND k.conparentid = 0))
   AND {indexed} AND {schemas}

-- name: index attributes
-- Types and statistics targets of expression keys, and parameters of operator classes.
SELECT json_agg(json_build_array(a.attrelid, a.attnum, a.atttypid, a.attoptions,
                                 CASE WHEN a.attstattarget >= 0 THEN a.attstattarget END))
  FROM pg_attribute a
  JOIN pg_index i ON i.indexrelid = a.attrelid
  JOIN pg_class c ON c.oid = i.indrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE (i.indexprs IS NOT NULL OR a.attoptions IS NOT NULL)
   AND {indexed} AND {schemas}

-- name: opclasses
SELECT json_agg(json_build_array(o.oid, n.nspname, o.opcname, am.amname, o.opcintype, o.opcdefault))
  FROM pg_opclass o
  JOIN pg_namespace n ON n.oid = o.opcnamespace
  JOIN pg_am am ON am.oid = o.opcmethod

-- name: policies
SELECT json_agg(json_build_array(
           p.polrelid, p.oid, p.polname, p.polcmd, p.polpermissive,
           (SELECT json_agg(coalesce(r.rolname, 'public'))
              FROM unnest(p.polroles) AS role (oid)
              LEFT JOIN pg_roles r ON r.oid = role.oid),
           pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)))
  FROM pg_policy p
  JOIN pg_class c ON c.oid = p.polrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE {table} AND {schemas}

-- name: enums
SELECT json_agg(json_build_array(
           t.oid, n.nspname, t.typname,
           (SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid)))
  FROM pg_type t
  JOIN pg_namespace n ON n.oid = t.typnamespace
 WHERE t.typtype = 'e' AND {schemas} AND {not_extension pg_type t.oid}

-- name: comments
-- Objects of the system have an oid below 16384 (FirstNormalObjectId); schema public has one of them.
SELECT json_agg(json_build_array(d.classoid::regclass::text, d.objoid, d.objsubid, d.description))
  FROM pg_description d
 WHERE (d.objoid >= 16384 AND d.classoid <> 'pg_catalog.pg_extension'::regclass)
    OR (d.classoid = 'pg_catalog.pg_namespace'::regclass AND d.objoid = (SELECT p.oid FROM pg_namespace p WHERE p.nspname = 'public')
        AND d.description <> 'standard public schema')
