"""Views, functions, types, triggers, sequences and what clients know by name."""

from __future__ import annotations

from collections.abc import Iterator

from wesley_tui.lint.rules.reading import dropped, option_names
from wesley_tui.lint.rules.registry import rule
from wesley_tui.lint.rules.simple import dropping, dropping_of_table, renaming, when
from wesley_tui.lint.subject import Subject

_T = "Objects"
_GOOD = "CREATE VIEW v AS SELECT id FROM users;"


def _drop(id: str, kind: str, what: str, sql: str, why: str, good: str = _GOOD) -> None:
    rule(
        id,
        _T,
        "error",
        f"Dropping {what}",
        why=why,
        on="DropStmt",
        bad=sql,
        good=good,
        fix="Let every client stop using it first.",
    )(dropping(kind, "clients that still use {name} fail"))


_drop(
    "ban-drop-view",
    "VIEW",
    "a view",
    "DROP VIEW v;",
    "Clients that read it fail; so do functions that name it.",
    "BEGIN;\nDROP VIEW v;\nCREATE VIEW v AS SELECT id, name FROM users;\nCOMMIT;",
)
_drop(
    "ban-drop-materialized-view",
    "MATVIEW",
    "a materialized view",
    "DROP MATERIALIZED VIEW v;",
    "Its rows and indexes are gone, and clients that read it fail.",
    "CREATE MATERIALIZED VIEW v_new AS SELECT id FROM users;",
)
_drop(
    "ban-drop-sequence",
    "SEQUENCE",
    "a sequence",
    "DROP SEQUENCE s;",
    "Where it stood is lost, and nextval() of it fails.",
    "COMMENT ON SEQUENCE s IS 'unused since release 42';",
)
_drop(
    "ban-drop-function",
    "FUNCTION",
    "a function",
    "DROP FUNCTION f(int);",
    "Clients and triggers that call it fail.",
    "CREATE OR REPLACE FUNCTION f() RETURNS bigint LANGUAGE sql AS 'SELECT 1';",
)
_drop(
    "ban-drop-procedure",
    "PROCEDURE",
    "a procedure",
    "DROP PROCEDURE p();",
    "Clients that call it fail.",
    "CREATE OR REPLACE PROCEDURE p() LANGUAGE sql AS 'SELECT 1';",
)
_drop(
    "ban-drop-type",
    "TYPE",
    "a type",
    "DROP TYPE mood;",
    "Clients and functions that name it fail.",
    "ALTER TYPE mood ADD VALUE 'calm' AFTER 'sad';",
)
_drop(
    "ban-drop-domain",
    "DOMAIN",
    "a domain",
    "DROP DOMAIN positive;",
    "Clients and functions that name it fail.",
    "ALTER DOMAIN positive ADD CONSTRAINT p CHECK (VALUE > 0) NOT VALID;",
)
_drop(
    "ban-drop-extension",
    "EXTENSION",
    "an extension",
    "DROP EXTENSION pg_trgm;",
    "Every type, operator and index method that it brought is gone.",
    "CREATE EXTENSION IF NOT EXISTS pg_trgm;",
)
_drop(
    "ban-drop-schema",
    "SCHEMA",
    "a schema",
    "DROP SCHEMA app;",
    "Clients that have it in their search_path fail.",
    "REVOKE USAGE ON SCHEMA app FROM PUBLIC;",
)

rule(
    "ban-drop-trigger",
    _T,
    "warning",
    "Dropping a trigger",
    on="DropStmt",
    why="What it guards or keeps up to date is left alone from the commit on; ACCESS EXCLUSIVE for a moment.",
    fix="Be sure that nothing relies on it.",
    bad="DROP TRIGGER audit ON users;",
    good="BEGIN;\n"
    "DROP TRIGGER audit ON users;\n"
    "CREATE TRIGGER audit AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION f();\n"
    "COMMIT;",
)(dropping_of_table("TRIGGER", "what it guards is left alone"))

rule(
    "creating-trigger",
    _T,
    "info",
    "Creating a trigger",
    on="CreateTrigStmt",
    why="Every write of the table pays for it from the commit on; SHARE ROW EXCLUSIVE lets writers wait for a moment.",
    fix="Keep it short, with a WHEN that spares the rows it has nothing to do with.",
    bad="CREATE TRIGGER audit AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION f();",
    good="CREATE TRIGGER audit AFTER UPDATE ON users FOR EACH ROW\n"
    "    WHEN (OLD.a IS DISTINCT FROM NEW.a) EXECUTE FUNCTION f();",
)(
    when(
        lambda node, s: bool(node.row) and node.whenClause is None and not s.on_new,
        "every write of {target} pays for it",
    )
)

rule(
    "renaming-enum-value",
    _T,
    "error",
    "Renaming an enum value",
    on="AlterEnumStmt",
    why="Clients that send the old label fail at once.",
    fix="Add the new value, move rows and clients, and stop using the old one.",
    bad="ALTER TYPE mood RENAME VALUE 'sad' TO 'blue';",
    good="ALTER TYPE mood ADD VALUE 'blue';",
)(when(lambda node, s: node.oldVal is not None, "clients that still say the old label fail"))

rule(
    "renaming-object",
    _T,
    "error",
    "Renaming what clients know by name",
    on="RenameStmt",
    why="Every client that uses the old name fails at the moment of the commit.",
    fix="Create it under the new name beside the old one, and drop the old one later.",
    bad="ALTER VIEW v RENAME TO w;",
    good="CREATE VIEW w AS SELECT id FROM v;",
)(
    renaming(
        "clients that use the old name of {name} fail",
        "VIEW",
        "MATVIEW",
        "SEQUENCE",
        "TYPE",
        "DOMAIN",
        "FUNCTION",
        "PROCEDURE",
        "ROUTINE",
        "SCHEMA",
        "DATABASE",
        "ROLE",
        "ATTRIBUTE",
    )
)

rule(
    "domain-constraint-proven",
    _T,
    "error",
    "A domain's constraint without NOT VALID",
    on="AlterDomainStmt",
    why="Every table that uses the domain is read under SHARE: nobody writes meanwhile.",
    fix="ADD CONSTRAINT … NOT VALID, then VALIDATE CONSTRAINT at a quiet time.",
    bad="ALTER DOMAIN positive ADD CONSTRAINT p CHECK (VALUE > 0);",
    good="ALTER DOMAIN positive ADD CONSTRAINT p CHECK (VALUE > 0) NOT VALID;",
)(
    when(
        lambda node, s: node.subtype == "O" or (node.subtype == "C" and not node.get("def").skip_validation),
        "every table that uses the domain is closed to writers and read",
    )
)

rule(
    "domain-validate",
    _T,
    "warning",
    "VALIDATE CONSTRAINT of a domain",
    on="AlterDomainStmt",
    why="Unlike that of a table it takes SHARE: nobody writes the tables that use the domain meanwhile.",
    fix="At a quiet time, with lock_timeout and statement_timeout.",
    bad="ALTER DOMAIN positive VALIDATE CONSTRAINT p;",
    good="ALTER DOMAIN positive SET DEFAULT 1;",
)(when(lambda node, s: node.subtype == "V", "tables that use the domain are closed to writers"))

rule(
    "altering-composite-type",
    _T,
    "warning",
    "Changing a composite type",
    on="AlterTableStmt",
    why="Values of the type change their shape for every client and function that reads them.",
    fix="A new type beside the old one.",
    bad="ALTER TYPE point DROP ATTRIBUTE z;",
    good="CREATE TYPE point AS (x bigint);",
)(
    when(
        lambda node, s: node.objtype == "OBJECT_TYPE" and any(item.subtype != "AT_AddColumn" for item in node.cmds),
        "values of {target} change their shape",
    )
)


@rule(
    "restarting-sequence",
    _T,
    "warning",
    "Restarting a sequence",
    on="AlterSeqStmt TruncateStmt",
    why="Numbers that were given out come again: inserts fail, or two things have one number.",
    fix="setval() to the maximum that exists.",
    bad="ALTER SEQUENCE s RESTART WITH 1;",
    good="ALTER SEQUENCE s INCREMENT BY 10;",
)
def _(s: Subject) -> Iterator[str]:
    if s.node.restart_seqs or any(item.defname == "restart" for item in s.node.options or ()):
        yield "numbers that were given out come again"


rule(
    "cycling-sequence",
    _T,
    "warning",
    "A sequence that cycles",
    on="CreateSeqStmt AlterSeqStmt",
    why="After the last number comes the first, which is taken.",
    fix="NO CYCLE and bigint.",
    bad="CREATE SEQUENCE s CYCLE;",
    good="CREATE SEQUENCE s;",
)(
    when(
        lambda node, s: any(
            item.defname == "cycle" and (item.arg is None or (item.arg.boolval is not None and bool(item.arg.boolval)))
            for item in node.options or ()
        ),
        "after the last number comes the first",
    )
)

rule(
    "creating-rule",
    _T,
    "warning",
    "CREATE RULE",
    on="RuleStmt",
    why="It rewrites queries before they are planned, with volatile functions evaluated twice; ACCESS EXCLUSIVE.",
    fix="A trigger, or an updatable view.",
    bad="CREATE RULE r AS ON INSERT TO users DO INSTEAD NOTHING;",
    good="CREATE TRIGGER r BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION f();",
)(when(lambda node, s: not s.on_new, "queries of {target} mean something else from now on"))

rule(
    "untrusted-language",
    _T,
    "warning",
    "A function in an untrusted language",
    on="CreateFunctionStmt",
    why="It may do whatever the operating system user of PostgreSQL may do.",
    fix="SQL or PL/pgSQL.",
    bad="CREATE FUNCTION f() RETURNS text LANGUAGE plpython3u AS 'return 1';",
    good="CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS 'SELECT 1';",
)(
    when(
        lambda node, s: (
            getattr(option_names(node.options).get("language"), "sval", "") in ("c", "plpython3u", "plperlu", "pltclu")
        ),
        "it may do whatever the server's user may do",
    )
)

rule(
    "event-trigger",
    _T,
    "info",
    "CREATE EVENT TRIGGER",
    on="CreateEventTrigStmt",
    why="It runs for every DDL of everybody, and an error in it stops all of them.",
    fix="Only with a way to disable it (PostgreSQL 17: event_triggers = off).",
    bad="CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION f();",
    good="ALTER EVENT TRIGGER e DISABLE;",
)(when(lambda node, s: True, "it runs for the DDL of everybody"))

rule(
    "updating-extension",
    _T,
    "warning",
    "ALTER EXTENSION … UPDATE",
    on="AlterExtensionStmt AlterExtensionContentsStmt",
    why="The extension's script may do anything, also lock tables that use it.",
    fix="Read the script of the new version, and rehearse it.",
    bad="ALTER EXTENSION postgis UPDATE;",
    good="CREATE EXTENSION IF NOT EXISTS postgis;",
)(when(lambda node, s: node.tag == "AlterExtensionStmt" or node.action == -1, "what it brings may change or go"))

rule(
    "publication-for-all-tables",
    _T,
    "warning",
    "A publication FOR ALL TABLES",
    on="CreatePublicationStmt",
    why="Updates of every table without a replica identity fail from the commit on, also of tables yet to come.",
    fix="Name the tables, or a schema.",
    bad="CREATE PUBLICATION p FOR ALL TABLES;",
    good="CREATE PUBLICATION p FOR TABLE users;",
)(when(lambda node, s: bool(node.for_all_tables), "updates of tables without a replica identity fail"))


@rule(
    "ban-drop-publication",
    _T,
    "error",
    "Dropping a publication or subscription",
    on="DropStmt DropSubscriptionStmt",
    why="Subscribers fail or stand still, and their slot keeps WAL until the disk is full.",
    fix="Drop the subscriptions first.",
    bad="DROP PUBLICATION p;",
    good="CREATE PUBLICATION p FOR TABLE users;",
)
def _(s: Subject) -> Iterator[str]:
    if s.node.tag == "DropSubscriptionStmt":
        yield f"{s.node.subname} receives nothing any more"
    else:
        for name in dropped(s, "PUBLICATION"):
            yield f"subscribers of {name} fail or stand still"


rule(
    "publication-loses-table",
    _T,
    "warning",
    "ALTER PUBLICATION … DROP or SET TABLE",
    on="AlterPublicationStmt",
    why="Tables that it leaves out send nothing more; subscribers do not notice.",
    fix="ADD TABLE, and REFRESH PUBLICATION on the subscriber.",
    bad="ALTER PUBLICATION p DROP TABLE users;",
    good="ALTER PUBLICATION p ADD TABLE users;",
)(
    when(
        lambda node, s: node.action in ("AP_DropObjects", "AP_SetObjects"),
        "tables that it leaves out send nothing more",
    )
)


rule(
    "ban-drop-operator",
    _T,
    "error",
    "Dropping an operator, a cast, a collation or an aggregate",
    on="DropStmt",
    why="Queries, indexes and constraints are written with it; clients that say it fail at their next statement.",
    fix="Make sure from pg_stat_statements that no query uses it.",
    bad="DROP OPERATOR === (int, int);",
    good="COMMENT ON OPERATOR === (int, int) IS 'unused since release 42';",
)(
    when(
        lambda node, s: (
            node.removeType.removeprefix("OBJECT_")
            in ("OPERATOR", "OPCLASS", "OPFAMILY", "CAST", "COLLATION", "AGGREGATE", "ROUTINE", "LANGUAGE")
        ),
        "queries that use it fail",
    )
)

rule(
    "enum-value-without-place",
    _T,
    "info",
    "ADD VALUE without BEFORE or AFTER",
    on="AlterEnumStmt",
    why="The label becomes the last one, and the order of an enum can never be changed: ORDER BY and < follow it.",
    fix="Say BEFORE or AFTER.",
    bad="ALTER TYPE mood ADD VALUE 'calm';",
    good="ALTER TYPE mood ADD VALUE 'calm' AFTER 'sad';",
)(
    when(
        lambda node, s: node.newVal is not None and node.oldVal is None and node.newValNeighbor is None,
        "it is the last",
    )
)

rule(
    "creating-enum",
    _T,
    "info",
    "A new enum",
    on="CreateEnumStmt",
    why="Labels can be added and renamed, but neither removed nor reordered without writing every row again.",
    fix="Where labels come and go: a table of them and a foreign key, or text with a CHECK.",
    bad="CREATE TYPE mood AS ENUM ('sad', 'happy');",
    good="CREATE TABLE mood (label text PRIMARY KEY);",
)(when(lambda node, s: True, "its labels can neither be removed nor reordered"))

rule(
    "domain-with-constraint",
    _T,
    "info",
    "A domain with a constraint",
    on="CreateDomainStmt",
    why="Changing the rule later reads every table that uses the domain, and adding a column of it writes every row.",
    fix="A CHECK on each column that needs it, which can be added NOT VALID and proven later.",
    bad="CREATE DOMAIN positive AS bigint CHECK (VALUE > 0);",
    good="CREATE DOMAIN amount AS bigint;",
)(
    when(
        lambda node, s: any(item.contype in ("CONSTR_CHECK", "CONSTR_NOTNULL") for item in node.constraints or ()),
        "its rule is hard to change once tables use it",
    )
)

rule(
    "changing-function-options",
    _T,
    "info",
    "Changing the properties of a function",
    on="AlterFunctionStmt",
    why="Other rights, search_path or volatility at once, for every caller and every index that uses it.",
    fix="CREATE OR REPLACE FUNCTION with the whole definition, so that it can be reviewed.",
    bad="ALTER FUNCTION f(int) SECURITY DEFINER;",
    good="CREATE OR REPLACE FUNCTION f(n int) RETURNS int LANGUAGE sql STABLE AS 'SELECT n';",
)(
    when(
        # COST and ROWS are estimates: nobody is allowed or shown anything else by them.
        lambda node, s: any(item.defname not in ("cost", "rows") for item in node.actions),
        "it holds for every caller at once",
    )
)

rule(
    "changing-view-options",
    _T,
    "info",
    "Changing the options of a view",
    on="AlterTableStmt",
    why="security_invoker and security_barrier decide whose rights count and which rows can leak.",
    fix="CREATE OR REPLACE VIEW … WITH (…), so that definition and options are reviewed together.",
    bad="ALTER VIEW v SET (security_barrier = true);",
    good="CREATE VIEW v WITH (security_barrier = true) AS SELECT id FROM users;",
)(
    when(
        lambda node, s: (
            node.objtype == "OBJECT_VIEW"
            and not s.on_new
            and any(command.subtype in ("AT_SetRelOptions", "AT_ResetRelOptions") for command in node.cmds)
        ),
        "{target} answers by other rules at once",
    )
)


rule(
    "moving-object",
    _T,
    "error",
    "SET SCHEMA of a view, function, type or sequence",
    on="AlterObjectSchemaStmt",
    why="Clients that name the old schema, or find the object by their search_path, fail.",
    fix="Make it anew in the new schema, and drop the old one when nobody uses it any more.",
    bad="ALTER FUNCTION f(int) SET SCHEMA api;",
    good="CREATE FUNCTION api.f(n int) RETURNS int LANGUAGE sql AS 'SELECT n';",
)(when(lambda node, s: node.objectType != "OBJECT_TABLE" and not s.on_new, "clients that use it by its old name fail"))
