-- The second part of what a database holds: the kinds that are kept as SQL (see introspect.sql for the rules of these
-- files). Most databases have few of them, and an empty kind costs next to nothing.

-- name: extensions
-- plpgsql comes with every database, and has an oid of the system.
SELECT json_agg(json_build_array(e.oid, e.extname, n.nspname))
  FROM pg_extension e
  JOIN pg_namespace n ON n.oid = e.extnamespace
 WHERE e.oid >= 16384

-- name: sequences
-- Those of identity columns depend on their column internally, and are a part of it.
SELECT json_agg(json_build_array(
           c.oid, n.nspname, c.relname, c.relpersistence = 'u', format_type(s.seqtypid, NULL), s.seqstart,
           s.seqincrement, s.seqmax, s.seqmin, s.seqcache, s.seqcycle, d.refobjid, d.refobjsubid))
  FROM pg_sequence s
  JOIN pg_class c ON c.oid = s.seqrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid
                       AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
 WHERE d.deptype IS DISTINCT FROM 'i' AND c.relpersistence <> 't'
   AND {schemas} AND {not_extension pg_class c.oid}

-- name: domains
SELECT json_agg(json_build_array(
           t.oid, n.nspname, t.typname, format_type(t.typbasetype, t.typtypmod),
           CASE WHEN t.typcollation <> b.typcollation THEN t.typcollation END, t.typdefault, t.typnotnull,
           (SELECT json_agg(json_build_array(k.oid, k.conname, pg_get_constraintdef(k.oid), k.convalidated)
                            ORDER BY k.conname)
              FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c')))
  FROM pg_type t
  JOIN pg_type b ON b.oid = t.typbasetype
  JOIN pg_namespace n ON n.oid = t.typnamespace
 WHERE t.typtype = 'd' AND {schemas} AND {not_extension pg_type t.oid}

-- name: composite types
SELECT json_agg(json_build_array(
           t.oid, n.nspname, t.typname, c.oid,
           (SELECT json_agg(json_build_array(a.attnum, a.attname, format_type(a.atttypid, a.atttypmod),
                                             CASE WHEN a.attcollation <> y.typcollation THEN a.attcollation END)
                            ORDER BY a.attnum)
              FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)))
  FROM pg_type t
  JOIN pg_class c ON c.oid = t.typrelid AND c.relkind = 'c'
  JOIN pg_namespace n ON n.oid = t.typnamespace
 WHERE t.typtype = 'c' AND {schemas} AND {not_extension pg_type t.oid}

-- name: range types
SELECT json_agg(json_build_array(
           t.oid, n.nspname, t.typname, format_type(r.rngsubtype, NULL),
           CASE WHEN NOT o.opcdefault THEN json_build_array(opn.nspname, o.opcname) END,
           CASE WHEN r.rngcollation <> s.typcollation THEN r.rngcollation END,
           CASE WHEN r.rngcanonical <> 0 THEN r.rngcanonical::regproc::text END,
           CASE WHEN r.rngsubdiff <> 0 THEN r.rngsubdiff::regproc::text END,
           {multirange}))
  FROM pg_range r
  JOIN pg_type t ON t.oid = r.rngtypid
  JOIN pg_type s ON s.oid = r.rngsubtype
  JOIN pg_opclass o ON o.oid = r.rngsubopc
  JOIN pg_namespace opn ON opn.oid = o.opcnamespace
  JOIN pg_namespace n ON n.oid = t.typnamespace
 WHERE r.rngtypid >= 16384 AND {schemas} AND {not_extension pg_type t.oid}

-- name: routines
-- The constructors of range types depend on their type internally.
SELECT json_agg(json_build_array(
           p.oid, n.nspname, p.proname, p.prokind, oidvectortypes(p.proargtypes),
           CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid) END))
  FROM pg_proc p
  JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE {schemas} AND p.oid >= 16384
   AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype IN ('e', 'i'))

-- name: aggregates
SELECT json_agg(json_build_array(
           p.oid, pg_get_function_arguments(p.oid), a.aggkind, a.aggnumdirectargs,
           ARRAY(SELECT format_type(u.type, NULL)
                   FROM unnest(p.proargtypes) WITH ORDINALITY u (type, position) ORDER BY u.position),
           a.aggtransfn::regproc::text, format_type(a.aggtranstype, NULL), a.aggtransspace,
           CASE WHEN a.aggfinalfn <> 0 THEN a.aggfinalfn::regproc::text END, a.aggfinalextra, a.aggfinalmodify,
           CASE WHEN a.aggcombinefn <> 0 THEN a.aggcombinefn::regproc::text END,
           CASE WHEN a.aggserialfn <> 0 THEN a.aggserialfn::regproc::text END,
           CASE WHEN a.aggdeserialfn <> 0 THEN a.aggdeserialfn::regproc::text END,
           a.agginitval,
           CASE WHEN a.aggmtransfn <> 0 THEN a.aggmtransfn::regproc::text END,
           CASE WHEN a.aggminvtransfn <> 0 THEN a.aggminvtransfn::regproc::text END,
           CASE WHEN a.aggmtranstype <> 0 THEN format_type(a.aggmtranstype, NULL) END, a.aggmtransspace,
           CASE WHEN a.aggmfinalfn <> 0 THEN a.aggmfinalfn::regproc::text END, a.aggmfinalextra, a.aggmfinalmodify,
           a.aggminitval,
           (SELECT format('OPERATOR(%I.%s)', o.nspname, s.oprname)
              FROM pg_operator s JOIN pg_namespace o ON o.oid = s.oprnamespace WHERE s.oid = a.aggsortop),
           p.proparallel))
  FROM pg_aggregate a
  JOIN pg_proc p ON p.oid = a.aggfnoid
  JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE p.oid >= 16384 AND {schemas} AND {not_extension pg_proc p.oid}

-- name: views
-- pg_get_viewdef() takes ACCESS SHARE on what the view reads.
SELECT json_agg(json_build_array(
           c.oid, n.nspname, c.relname, c.relkind, c.reloptions, pg_get_viewdef(c.oid), c.relispopulated,
           ts.spcname, CASE WHEN am.amname <> 'heap' THEN am.amname END,
           (SELECT json_agg(json_build_array(a.attnum, a.attname) ORDER BY a.attnum)
              FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0),
           (SELECT json_agg(json_build_array(a.attname, pg_get_expr(d.adbin, 0)) ORDER BY a.attnum)
              FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
             WHERE d.adrelid = c.oid)))
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_am am ON am.oid = c.relam
  LEFT JOIN pg_tablespace ts ON ts.oid = c.reltablespace
 WHERE c.relkind IN ('v', 'm') AND c.relpersistence <> 't' AND {schemas} AND {not_extension pg_class c.oid}

-- name: triggers
-- Clones on partitions have a parent; the triggers behind foreign keys are internal.
SELECT json_agg(json_build_array(
           t.oid, c.oid, n.nspname, c.relname, t.tgname, pg_get_triggerdef(t.oid), t.tgenabled, {table} OR c.relkind = 'v'))
  FROM pg_trigger t
  JOIN pg_class c ON c.oid = t.tgrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE NOT t.tgisinternal AND {trigger_parent} = 0
   AND c.relpersistence <> 't' AND {schemas} AND {not_extension pg_trigger t.oid} AND {not_extension pg_class c.oid}

-- name: rules
SELECT json_agg(json_build_array(
           r.oid, r.ev_class, n.nspname, c.relname, r.rulename, CASE WHEN r.rulename <> '_RETURN' THEN
           pg_get_ruledef(r.oid) END, r.ev_enabled, {table} OR c.relkind = 'v'))
  FROM pg_rewrite r
  JOIN pg_class c ON c.oid = r.ev_class
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE r.oid >= 16384 AND c.relpersistence <> 't' AND {schemas} AND {not_extension pg_class c.oid}

-- name: statistics
SELECT json_agg(json_build_array(
           s.oid, n.nspname, s.stxname, pg_get_statisticsobjdef(s.oid), {statistics_target}))
  FROM pg_statistic_ext s
  JOIN pg_namespace n ON n.oid = s.stxnamespace
 WHERE {schemas} AND {not_extension pg_statistic_ext s.oid}

-- name: publications
SELECT json_agg(json_build_array(
           p.oid, p.pubname, p.puballtables, p.pubinsert, p.pubupdate, p.pubdelete, p.pubtruncate,
           {publication_root}, {publication_generated},
           (SELECT json_agg(json_build_array(tn.nspname, c.relname, {publication_columns}, {publication_filter},
                                             c.relkind = 'r'
                                             AND EXISTS (SELECT FROM pg_inherits h WHERE h.inhparent = c.oid))
                            ORDER BY tn.nspname, c.relname)
              FROM pg_publication_rel m
              JOIN pg_class c ON c.oid = m.prrelid
              JOIN pg_namespace tn ON tn.oid = c.relnamespace
             WHERE m.prpubid = p.oid),
           {publication_schemas}))
  FROM pg_publication p
 WHERE {not_extension pg_publication p.oid}

-- name: event triggers
SELECT json_agg(json_build_array(
           t.oid, t.evtname, t.evtevent, t.evttags, n.nspname, p.proname, t.evtenabled))
  FROM pg_event_trigger t
  JOIN pg_proc p ON p.oid = t.evtfoid
  JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE n.nspname NOT IN ({own_schemas}) AND {not_extension pg_event_trigger t.oid}

-- name: default privileges
-- Of one schema they come on top of the built-in ones, of the whole database they take their place.
SELECT json_agg(json_build_array(
           r.rolname, coalesce(n.nspname, ''), d.defaclobjtype,
           (SELECT json_agg(json_build_array(coalesce(g.rolname, 'public'), x.privilege_type, x.is_grantable))
              FROM aclexplode(d.defaclacl) x LEFT JOIN pg_roles g ON g.oid = x.grantee),
           CASE WHEN n.oid IS NULL THEN
               (SELECT json_agg(json_build_array(coalesce(g.rolname, 'public'), x.privilege_type, x.is_grantable))
                  FROM aclexplode(acldefault(CASE d.defaclobjtype WHEN 'S' THEN 's' ELSE d.defaclobjtype END,
                                             d.defaclrole)) x
                  LEFT JOIN pg_roles g ON g.oid = x.grantee)
           END))
  FROM pg_default_acl d
  JOIN pg_roles r ON r.oid = d.defaclrole
  LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
 WHERE d.defaclnamespace = 0 OR ({schemas})

-- name: grants
-- Privileges of owners are theirs anyway.
SELECT json_agg(json_build_array(
           o.class, o.oid, o.part,
           (SELECT json_agg(json_build_array(coalesce(r.rolname, 'public'), x.privilege_type, x.is_grantable))
              FROM aclexplode(o.acl) x
              LEFT JOIN pg_roles r ON r.oid = x.grantee
             WHERE x.grantee <> o.owner)))
  FROM (SELECT 'pg_class' AS class, c.oid, 0 AS part, c.relacl AS acl, c.relowner AS owner
          FROM pg_class c
         WHERE c.relacl IS NOT NULL AND c.oid >= 16384 AND c.relkind NOT IN ('t', 'i', 'I')
         UNION ALL
        SELECT 'pg_class', c.oid, a.attnum, a.attacl, c.relowner
          FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
         WHERE a.attacl IS NOT NULL AND c.oid >= 16384 AND NOT a.attisdropped
         UNION ALL
        SELECT 'pg_proc', p.oid, 0, p.proacl, p.proowner
          FROM pg_proc p WHERE p.proacl IS NOT NULL AND p.oid >= 16384
         UNION ALL
        SELECT 'pg_type', t.oid, 0, t.typacl, t.typowner
          FROM pg_type t WHERE t.typacl IS NOT NULL AND t.oid >= 16384
         UNION ALL
        SELECT 'pg_foreign_data_wrapper', w.oid, 0, w.fdwacl, w.fdwowner
          FROM pg_foreign_data_wrapper w WHERE w.fdwacl IS NOT NULL
         UNION ALL
        SELECT 'pg_foreign_server', s.oid, 0, s.srvacl, s.srvowner
          FROM pg_foreign_server s WHERE s.srvacl IS NOT NULL
         UNION ALL
        SELECT 'pg_namespace', n.oid, 0, n.nspacl, n.nspowner
          FROM pg_namespace n WHERE n.nspacl IS NOT NULL AND {schemas}) o

-- name: dependencies
-- Who needs whom, by oid. What is in a table anyway (an index and its columns, a constraint and its columns) is left
-- out; of a type, its element counts, and the relation that a row type belongs to.
SELECT json_agg(json_build_array(
           d.classid::regclass::text, CASE WHEN a.oid IS NULL THEN d.objid ELSE a.adrelid END,
           CASE WHEN coalesce(e.typrelid, t.typrelid, 0) <> 0 THEN 'pg_class' ELSE d.refclassid::regclass::text END,
           CASE WHEN coalesce(e.typrelid, t.typrelid, 0) <> 0 THEN coalesce(e.typrelid, t.typrelid)
                ELSE coalesce(e.oid, t.oid, d.refobjid) END,
           d.refobjsubid,
           (SELECT x.refobjid FROM pg_depend x
             WHERE x.classid = d.refclassid AND x.objid = coalesce(e.oid, t.oid, d.refobjid)
               AND x.deptype = 'e')))
  FROM pg_depend d
  LEFT JOIN pg_attrdef a ON d.classid = 'pg_attrdef'::regclass AND a.oid = d.objid
  LEFT JOIN pg_type t ON d.refclassid = 'pg_type'::regclass AND t.oid = d.refobjid
  LEFT JOIN pg_type e ON t.typcategory = 'A' AND e.oid = t.typelem
 WHERE d.objid >= 16384 AND d.refobjid >= 16384 AND d.deptype IN ('n', 'a')
   AND (d.classid IN ('pg_rewrite'::regclass, 'pg_proc'::regclass)
        OR (d.classid IN ('pg_attrdef'::regclass, 'pg_policy'::regclass) AND d.deptype = 'n')
        OR d.refclassid IN ('pg_proc'::regclass, 'pg_type'::regclass, 'pg_opclass'::regclass, 'pg_collation'::regclass,
                            'pg_operator'::regclass, 'pg_cast'::regclass, 'pg_ts_config'::regclass,
                            'pg_ts_dict'::regclass, 'pg_foreign_data_wrapper'::regclass,
                            'pg_foreign_server'::regclass)
        OR (d.classid = 'pg_extension'::regclass AND d.refclassid = 'pg_extension'::regclass)
        OR d.classid IN ('pg_statistic_ext'::regclass, 'pg_publication_rel'::regclass))
   AND d.refclassid IN ('pg_proc'::regclass, 'pg_type'::regclass, 'pg_opclass'::regclass, 'pg_class'::regclass,
                        'pg_extension'::regclass, 'pg_collation'::regclass, 'pg_operator'::regclass,
                        'pg_cast'::regclass, 'pg_ts_config'::regclass, 'pg_ts_dict'::regclass,
                        'pg_foreign_data_wrapper'::regclass, 'pg_foreign_server'::regclass)
   AND NOT EXISTS (SELECT FROM pg_depend x
                    WHERE x.classid = d.classid AND x.objid = d.objid AND x.deptype = 'e')

-- name: unmanaged
-- Everything that has no record, each kind in PostgreSQL's words, so that nobody takes silence for absence.
SELECT json_agg(json_build_array(kind, coalesce(schema, ''), name))
  FROM (SELECT CASE WHEN c.relkind = 'f' THEN 'foreign table that inherits'
                    WHEN c.relkind = 'r' THEN 'typed table'
                    ELSE format('relation of kind %s', c.relkind) END AS kind,
               n.nspname AS schema, c.relname::text AS name
          FROM pg_class c
          JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind NOT IN ('i', 'I', 't', 'v', 'm', 'S', 'c') AND NOT ({table}) AND c.relpersistence <> 't'
           AND (c.relkind <> 'f' OR EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = c.oid))
           AND {schemas} AND {not_extension pg_class c.oid}
         UNION ALL
        SELECT CASE WHEN t.typisdefined THEN 'base type' ELSE 'shell type' END, n.nspname, t.typname
          FROM pg_type t
          JOIN pg_namespace n ON n.oid = t.typnamespace
         WHERE t.typtype IN ('b', 'p') AND t.typcategory <> 'A'
           AND {schemas} AND {not_extension pg_type t.oid}
         UNION ALL
        SELECT 'conversion', n.nspname, o.conname
          FROM pg_conversion o
          JOIN pg_namespace n ON n.oid = o.connamespace
         WHERE o.oid >= 16384 AND {schemas} AND {not_extension pg_conversion o.oid}
         UNION ALL
        SELECT 'text search parser', n.nspname, o.prsname
          FROM pg_ts_parser o
          JOIN pg_namespace n ON n.oid = o.prsnamespace
         WHERE o.oid >= 16384 AND {schemas} AND {not_extension pg_ts_parser o.oid}
         UNION ALL
        SELECT 'text search template', n.nspname, o.tmplname
          FROM pg_ts_template o
          JOIN pg_namespace n ON n.oid = o.tmplnamespace
         WHERE o.oid >= 16384 AND {schemas} AND {not_extension pg_ts_template o.oid}
         UNION ALL
        SELECT 'transform', '', format('%s LANGUAGE %s', format_type(o.trftype, NULL), l.lanname)
          FROM pg_transform o
          JOIN pg_language l ON l.oid = o.trflang
         WHERE o.oid >= 16384 AND {not_extension pg_transform o.oid}
         UNION ALL
        SELECT 'language', '', o.lanname
          FROM pg_language o
         WHERE o.oid >= 16384 AND {not_extension pg_language o.oid}
         UNION ALL
        SELECT 'access method', '', o.amname
          FROM pg_am o
         WHERE o.oid >= 16384 AND {not_extension pg_am o.oid}
         UNION ALL
        SELECT 'user mapping', '', format('%s SERVER %s', o.usename, o.srvname)
          FROM pg_user_mappings o
         UNION ALL
        SELECT 'subscription', '', o.subname
          FROM pg_subscription o
         WHERE o.subdbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
         UNION ALL
        SELECT 'security label', '', format('%s on %s', l.label, pg_describe_object(l.classoid, l.objoid, l.objsubid))
          FROM pg_seclabel l) found

-- name: declarations
-- The table exists only where Wesley has run, and may be out of the reader's reach: a statement that names it would fail
-- everywhere else. ts_stat() runs a query that is a text, and here only when the table is there and readable; what it
-- returns are the words of the answer.
SELECT CASE WHEN c.readable THEN
           (SELECT json_agg(json_build_array(substr(t.word, 129), left(t.word, 64), substr(t.word, 65, 64)))
              FROM ts_stat('SELECT array_to_tsvector(ARRAY[declared_sha || live_sha || path])
                              FROM wesley.declarations
                             WHERE octet_length(path) < 1500 AND declared_sha || live_sha ~ ''^[0-9a-f]*$''
                               AND length(declared_sha) = 64 AND length(live_sha) = 64') t)
       END
  FROM (SELECT bool_or(has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')) AS readable
          FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = 'wesley' AND c.relname = 'declarations' AND c.relkind = 'r') c
