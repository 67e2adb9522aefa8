-- The third part of what a database holds: what expressions, indexes and columns may lean on, and hardly anybody makes
-- by hand (see introspect.sql for the rules of these files). What carries a password (user mappings, subscriptions) and
-- what is made of C (base types, parsers, languages) stays among the unmanaged.

-- name: own collations
SELECT json_agg(json_build_array(
           c.oid, n.nspname, c.collname, c.collprovider, {deterministic}, c.collcollate, c.collctype,
           {collation_locale}, {collation_rules}))
  FROM pg_collation c
  JOIN pg_namespace n ON n.oid = c.collnamespace
 WHERE c.oid >= 16384 AND {schemas} AND {not_extension pg_collation c.oid}

-- name: text search dictionaries
SELECT json_agg(json_build_array(d.oid, n.nspname, d.dictname, tn.nspname, t.tmplname, d.dictinitoption))
  FROM pg_ts_dict d
  JOIN pg_namespace n ON n.oid = d.dictnamespace
  JOIN pg_ts_template t ON t.oid = d.dicttemplate
  JOIN pg_namespace tn ON tn.oid = t.tmplnamespace
 WHERE d.oid >= 16384 AND {schemas} AND {not_extension pg_ts_dict d.oid}

-- name: text search configurations
SELECT json_agg(json_build_array(
           c.oid, n.nspname, c.cfgname, pn.nspname, p.prsname,
           (SELECT json_agg(json_build_array(
                       (SELECT k.alias FROM ts_token_type(c.cfgparser) k WHERE k.tokid = m.maptokentype),
                       dn.nspname, d.dictname) ORDER BY m.maptokentype, m.mapseqno)
              FROM pg_ts_config_map m
              JOIN pg_ts_dict d ON d.oid = m.mapdict
              JOIN pg_namespace dn ON dn.oid = d.dictnamespace
             WHERE m.mapcfg = c.oid)))
  FROM pg_ts_config c
  JOIN pg_namespace n ON n.oid = c.cfgnamespace
  JOIN pg_ts_parser p ON p.oid = c.cfgparser
  JOIN pg_namespace pn ON pn.oid = p.prsnamespace
 WHERE c.oid >= 16384 AND {schemas} AND {not_extension pg_ts_config c.oid}

-- name: operators
-- One without a function was only named as the commutator or negator of another.
SELECT json_agg(json_build_array(
           o.oid, n.nspname, o.oprname,
           CASE WHEN o.oprleft <> 0 THEN format_type(o.oprleft, NULL) END,
           CASE WHEN o.oprright <> 0 THEN format_type(o.oprright, NULL) END,
           o.oprcode::regproc::text,
           (SELECT json_build_array(xn.nspname, x.oprname)
              FROM pg_operator x JOIN pg_namespace xn ON xn.oid = x.oprnamespace WHERE x.oid = o.oprcom),
           (SELECT json_build_array(xn.nspname, x.oprname)
              FROM pg_operator x JOIN pg_namespace xn ON xn.oid = x.oprnamespace WHERE x.oid = o.oprnegate),
           CASE WHEN o.oprrest <> 0 THEN o.oprrest::regproc::text END,
           CASE WHEN o.oprjoin <> 0 THEN o.oprjoin::regproc::text END, o.oprcanhash, o.oprcanmerge))
  FROM pg_operator o
  JOIN pg_namespace n ON n.oid = o.oprnamespace
 WHERE o.oid >= 16384 AND o.oprcode <> 0 AND {schemas} AND {not_extension pg_operator o.oid}

-- name: operator families
-- CREATE OPERATOR CLASS makes one of its own name where it names none; it stays when the class goes.
SELECT json_agg(json_build_array(f.oid, n.nspname, f.opfname, m.amname))
  FROM pg_opfamily f
  JOIN pg_namespace n ON n.oid = f.opfnamespace
  JOIN pg_am m ON m.oid = f.opfmethod
 WHERE f.oid >= 16384 AND {schemas} AND {not_extension pg_opfamily f.oid}

-- name: operator classes
SELECT json_agg(json_build_array(
           o.oid, n.nspname, o.opcname, m.amname, o.opcdefault, format_type(o.opcintype, NULL),
           fn.nspname, f.opfname, CASE WHEN o.opckeytype <> 0 THEN format_type(o.opckeytype, NULL) END))
  FROM pg_opclass o
  JOIN pg_namespace n ON n.oid = o.opcnamespace
  JOIN pg_am m ON m.oid = o.opcmethod
  JOIN pg_opfamily f ON f.oid = o.opcfamily
  JOIN pg_namespace fn ON fn.oid = f.opfnamespace
 WHERE o.oid >= 16384 AND {schemas} AND {not_extension pg_opclass o.oid}

-- name: members of operator families
-- A member belongs to the class that it depends on internally, else to its family.
SELECT json_agg(json_build_array(
           found.family, d.objid, found.number, found.left_type, found.right_type, found.schema, found.name,
           found.arguments, found.sort_family)
       ORDER BY found.arguments IS NOT NULL, found.number, found.left_type, found.right_type)
  FROM (SELECT 'pg_amop'::regclass AS catalog, a.oid, a.amopfamily AS family, a.amopstrategy AS number,
               format_type(a.amoplefttype, NULL) AS left_type, format_type(a.amoprighttype, NULL) AS right_type,
               n.nspname AS schema, o.oprname AS name, NULL::text AS arguments,
               (SELECT json_build_array(sn.nspname, s.opfname)
                  FROM pg_opfamily s JOIN pg_namespace sn ON sn.oid = s.opfnamespace
                 WHERE s.oid = a.amopsortfamily) AS sort_family
          FROM pg_amop a
          JOIN pg_operator o ON o.oid = a.amopopr
          JOIN pg_namespace n ON n.oid = o.oprnamespace
         WHERE a.oid >= 16384
         UNION ALL
        SELECT 'pg_amproc'::regclass, a.oid, a.amprocfamily, a.amprocnum, format_type(a.amproclefttype, NULL),
               format_type(a.amprocrighttype, NULL), n.nspname, p.proname, oidvectortypes(p.proargtypes), NULL
          FROM pg_amproc a
          JOIN pg_proc p ON p.oid = a.amproc
          JOIN pg_namespace n ON n.oid = p.pronamespace
         WHERE a.oid >= 16384) found
  LEFT JOIN LATERAL (SELECT x.refobjid AS objid FROM pg_depend x
                      WHERE x.classid = found.catalog AND x.objid = found.oid AND x.deptype = 'i'
                        AND x.refclassid = 'pg_opclass'::regclass) d ON true
 WHERE NOT EXISTS (SELECT FROM pg_depend e
                    WHERE e.classid = found.catalog AND e.objid = found.oid AND e.deptype = 'e')

-- name: casts
-- A cast has no schema: it is seen with those of its types and its function.
SELECT json_agg(json_build_array(
           k.oid, format_type(k.castsource, NULL), format_type(k.casttarget, NULL), k.castmethod, k.castcontext,
           p.pronamespace::regnamespace::text, p.proname, oidvectortypes(p.proargtypes)))
  FROM pg_cast k
  JOIN pg_type s ON s.oid = k.castsource
  JOIN pg_type t ON t.oid = k.casttarget
  LEFT JOIN pg_proc p ON p.oid = k.castfunc
 WHERE k.oid >= 16384 AND {not_extension pg_cast k.oid}
   AND EXISTS (SELECT FROM pg_namespace n
                WHERE n.oid IN (s.typnamespace, t.typnamespace, p.pronamespace) AND {schemas})
   AND NOT EXISTS (SELECT FROM pg_depend i
                    WHERE i.classid = 'pg_cast'::regclass AND i.objid = k.oid AND i.deptype = 'i')

-- name: foreign-data wrappers
SELECT json_agg(json_build_array(
           w.oid, w.fdwname, CASE WHEN w.fdwhandler <> 0 THEN w.fdwhandler::regproc::text END,
           CASE WHEN w.fdwvalidator <> 0 THEN w.fdwvalidator::regproc::text END,
           (SELECT json_agg(json_build_array(o.option_name, o.option_value))
              FROM pg_options_to_table(w.fdwoptions) o)))
  FROM pg_foreign_data_wrapper w
 WHERE {not_extension pg_foreign_data_wrapper w.oid}

-- name: servers
SELECT json_agg(json_build_array(
           s.oid, s.srvname, s.srvtype, s.srvversion, w.fdwname,
           (SELECT json_agg(json_build_array(o.option_name, o.option_value))
              FROM pg_options_to_table(s.srvoptions) o)))
  FROM pg_foreign_server s
  JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
 WHERE {not_extension pg_foreign_server s.oid}

-- name: foreign tables
SELECT json_agg(json_build_array(
           c.oid, n.nspname, c.relname, s.srvname,
           (SELECT json_agg(json_build_array(o.option_name, o.option_value))
              FROM pg_options_to_table(f.ftoptions) o),
           (SELECT json_agg(json_build_array(
                       a.attnum, a.attname, format_type(a.atttypid, a.atttypmod),
                       CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation END, a.attnotnull,
                       a.attgenerated, pg_get_expr(d.adbin, d.adrelid),
                       (SELECT json_agg(json_build_array(o.option_name, o.option_value))
                          FROM pg_options_to_table(a.attfdwoptions) o)) ORDER BY a.attnum)
              FROM pg_attribute a
              JOIN pg_type t ON t.oid = a.atttypid
              LEFT JOIN pg_attrdef d ON a.atthasdef AND d.adrelid = a.attrelid AND d.adnum = a.attnum
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
           (SELECT json_agg(json_build_array(k.conname, pg_get_constraintdef(k.oid)) ORDER BY k.conname)
              FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'c')))
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_foreign_table f ON f.ftrelid = c.oid
  JOIN pg_foreign_server s ON s.oid = f.ftserver
 WHERE NOT EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = c.oid)
   AND {schemas} AND {not_extension pg_class c.oid}
