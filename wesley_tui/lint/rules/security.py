"""Rights, roles and row-level security."""

from __future__ import annotations

from collections.abc import Iterator

from wesley_tui.lint.rules.reading import actions, option_names
from wesley_tui.lint.rules.registry import rule
from wesley_tui.lint.rules.simple import altering, dropping_of_table, when
from wesley_tui.lint.subject import Subject
from wesley_tui.planner.effects.context import names_in
from wesley_tui.planner.effects.tree import Node

_T = "Security"
_ALTER = "AlterTableStmt"
_GOOD = "GRANT SELECT ON users TO app;"


@rule(
    "security-definer-without-search-path",
    _T,
    "error",
    "SECURITY DEFINER without search_path",
    on="CreateFunctionStmt",
    why="Whoever calls it decides by the search_path which tables and functions it uses, with the owner's rights.",
    fix="SET search_path = app, pg_temp (pg_temp last) in the function.",
    bad="CREATE FUNCTION f() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';",
    good="CREATE FUNCTION f() RETURNS bigint LANGUAGE sql SECURITY DEFINER\n"
    "    SET search_path = app, pg_temp AS 'SELECT 1';",
)
def _(s: Subject) -> Iterator[str]:
    definer = path = False
    for option in s.node.options or ():
        if option.defname == "security" and option.arg is not None and option.arg.boolval:
            definer = True
        if option.defname == "set" and option.arg is not None and option.arg.name == "search_path":
            path = True
    if definer and not path:
        yield "its caller decides what it uses with the rights of its owner"


def _of_new(s: Subject) -> bool:
    """Everything that the GRANT speaks of was made by the script itself."""
    names = []
    for item in s.node.objects or ():
        if isinstance(item, Node) and item.relname is not None:
            names.append(s.name(item))
        else:
            parts = names_in(item)
            if not parts:
                return False
            names.append(s.context.resolve(parts[-2] if len(parts) > 1 else None, parts[-1]))
    return bool(names) and all(s.is_new(name) for name in names)


@rule(
    "grant-to-public",
    _T,
    "warning",
    "GRANT … TO PUBLIC",
    on="GrantStmt AlterDefaultPrivilegesStmt",
    why="Every role has it, also those that are made later.",
    fix="Grant to a role that stands for who needs it.",
    bad="GRANT SELECT ON users TO PUBLIC;",
    good=_GOOD,
)
def _(s: Subject) -> Iterator[str]:
    grant = s.node.action if s.node.tag == "AlterDefaultPrivilegesStmt" else s.node
    # Everybody may name what is in a schema, or use a type or a language; that opens no data.
    harmless = grant.objtype in ("OBJECT_SCHEMA", "OBJECT_TYPE", "OBJECT_DOMAIN", "OBJECT_LANGUAGE", "OBJECT_DATABASE")
    if harmless or (s.node.tag == "GrantStmt" and _of_new(s)):
        return
    if grant.is_grant and any(role.roletype == "ROLESPEC_PUBLIC" for role in grant.grantees or ()):
        yield "every role has it, also those to come"


rule(
    "grant-all",
    _T,
    "info",
    "GRANT ALL",
    on="GrantStmt",
    why="ALL includes TRUNCATE, REFERENCES and TRIGGER, which let a role empty the table or run code as others.",
    fix="Name the privileges that are needed.",
    bad="GRANT ALL ON users TO app;",
    good=_GOOD,
)(
    when(
        lambda node, s: bool(node.is_grant) and not node.privileges and node.objtype == "OBJECT_TABLE",
        "more than anybody needs",
    )
)

rule(
    "grant-option",
    _T,
    "info",
    "WITH GRANT OPTION",
    on="GrantStmt",
    why="The role may pass it on, and revoking needs CASCADE.",
    fix="Grant to each role yourself.",
    bad="GRANT SELECT ON users TO app WITH GRANT OPTION;",
    good=_GOOD,
)(when(lambda node, s: bool(node.grant_option) and bool(node.is_grant), "the role may pass it on"))

rule(
    "revoking-privileges",
    _T,
    "warning",
    "REVOKE",
    on="GrantStmt",
    why="Clients of the role fail at their next statement.",
    fix="Make sure from the log or pg_stat_statements that nobody uses it.",
    bad="REVOKE SELECT ON users FROM app;",
    good=_GOOD,
)(
    when(
        lambda node, s: (
            not node.is_grant
            and not _of_new(s)
            and any(role.roletype != "ROLESPEC_PUBLIC" for role in node.grantees or ())
        ),
        "clients that use the privilege fail",
    )
)


@rule(
    "powerful-role",
    _T,
    "error",
    "A role with SUPERUSER, BYPASSRLS or REPLICATION",
    on="CreateRoleStmt AlterRoleStmt",
    why="Nothing in the database holds it back.",
    fix="A plain role with the grants that it needs.",
    bad="CREATE ROLE app SUPERUSER;",
    good="CREATE ROLE app LOGIN;",
)
def _(s: Subject) -> Iterator[str]:
    for name, value in option_names(s.node.options).items():
        if name in ("superuser", "bypassrls", "isreplication") and value is not None and value.boolval:
            yield f"{name.removeprefix('is')}: nothing in the database holds it back"


@rule(
    "password-in-script",
    _T,
    "error",
    "A password in the script",
    on="CreateRoleStmt AlterRoleStmt",
    why="It is in the repository, in the server's log and in pg_stat_statements.",
    fix="\\password in psql, or a SCRAM verifier that was made elsewhere.",
    bad="CREATE ROLE app LOGIN PASSWORD 'secret';",
    good="CREATE ROLE app LOGIN;",
)
def _(s: Subject) -> Iterator[str]:
    value = option_names(s.node.options).get("password")
    if value is not None and value.sval and not str(value.sval).startswith("SCRAM-SHA-256$"):
        yield "the password is readable in the repository and in the log"


rule(
    "disabling-row-security",
    _T,
    "error",
    "DISABLE ROW LEVEL SECURITY",
    on=_ALTER,
    why="Everybody with a grant sees and writes every row from the commit on.",
    fix="A policy that allows what is needed.",
    bad="ALTER TABLE users DISABLE ROW LEVEL SECURITY;",
    good="ALTER TABLE users FORCE ROW LEVEL SECURITY;",
)(altering("everybody with a grant sees every row of {table}", "DisableRowSecurity"))

rule(
    "no-force-row-security",
    _T,
    "warning",
    "NO FORCE ROW LEVEL SECURITY",
    on=_ALTER,
    why="The owner is not bound by the policies any more; often it is the role of the application.",
    fix="Leave it forced, and give the application a role that does not own the table.",
    bad="ALTER TABLE users NO FORCE ROW LEVEL SECURITY;",
    good="ALTER TABLE users FORCE ROW LEVEL SECURITY;",
)(altering("the owner of {table} sees every row", "NoForceRowSecurity"))


@rule(
    "row-security-without-policy",
    _T,
    "error",
    "ENABLE ROW LEVEL SECURITY without a policy",
    on=_ALTER,
    why="Everybody but the owner sees no row from the commit on.",
    fix="CREATE POLICY first.",
    bad="ALTER TABLE users ENABLE ROW LEVEL SECURITY;",
    good="CREATE TABLE t (id bigint PRIMARY KEY);\nALTER TABLE t ENABLE ROW LEVEL SECURITY;",
)
def _(s: Subject) -> Iterator[str]:
    for _command in actions(s, "EnableRowSecurity"):
        if s.effects.breaks and s.target is not None and s.flags.get(f"policy {s.target}") is None:
            yield f"everybody but the owner of {s.target} sees no row, unless a policy exists already"


@rule(
    "permissive-policy",
    _T,
    "warning",
    "A policy that allows everything",
    on="CreatePolicyStmt AlterPolicyStmt",
    why="Permissive policies are joined by OR: one that is true makes the others void.",
    fix="Say the condition, or AS RESTRICTIVE.",
    bad="CREATE POLICY p ON users USING (true);",
    good="CREATE POLICY p ON users USING (owner = current_user);",
)
def _(s: Subject) -> Iterator[str]:
    if s.node.tag == "CreatePolicyStmt":
        s.flags[f"policy {s.target}"] = True
    restrictive = s.node.tag == "CreatePolicyStmt" and not s.node.permissive
    if s.node.cmd_name == "select" or s.on_new:
        # What everybody may read is said so on purpose; and nobody relies yet on how a new table is guarded.
        return
    for part in (s.node.qual, s.node.with_check):
        if (
            part is not None
            and part.tag == "A_Const"
            and part.boolval is not None
            and part.boolval.boolval
            and not restrictive
        ):
            yield f"every row of {s.target} passes"
            return


rule(
    "ban-drop-policy",
    _T,
    "warning",
    "Dropping a policy",
    on="DropStmt",
    why="Rows are seen and written by other rules from the commit on; without any policy nobody sees one.",
    fix="Create the new policy in the same transaction.",
    bad="DROP POLICY p ON users;",
    good="CREATE POLICY p ON users USING (owner = current_user);",
)(dropping_of_table("POLICY", "rows are seen and written by other rules"))

rule(
    "ban-drop-role",
    _T,
    "warning",
    "Dropping a role",
    on="DropRoleStmt",
    why="Clients that log in as it fail at their next connection.",
    fix="ALTER ROLE … NOLOGIN, wait, then drop.",
    bad="DROP ROLE app;",
    good="ALTER ROLE app NOLOGIN;",
)(when(lambda node, s: True, "clients that log in as it fail"))


rule(
    "changing-policy",
    _T,
    "info",
    "Changing a policy",
    on="AlterPolicyStmt",
    why="From the commit on other rows are seen and written, by sessions that are open as well.",
    fix="Try it with SET ROLE in a transaction that is rolled back, for each role that it speaks of.",
    bad="ALTER POLICY own ON users USING (tenant = current_setting('app.tenant')::bigint);",
    good="CREATE POLICY own_v2 ON users USING (tenant = current_setting('app.tenant')::bigint);",
)(when(lambda node, s: not s.on_new, "who sees which rows of {target} changes at once"))

rule(
    "changing-role-options",
    _T,
    "info",
    "Changing what a role may do, or its settings",
    on="AlterRoleStmt AlterRoleSetStmt",
    why="Sessions that are open keep the old settings, those to come have the new ones: clients behave in two ways.",
    fix="Have the clients connect again at a time of your choosing.",
    bad="ALTER ROLE app SET statement_timeout = '5s';",
    good="CREATE ROLE app_v2 LOGIN IN ROLE app;",
)(when(lambda node, s: True, "it holds for sessions to come, not for those that are open"))

rule(
    "changing-database-options",
    _T,
    "info",
    "Changing the settings of a database",
    on="AlterDatabaseStmt AlterDatabaseSetStmt",
    why="It holds for every role, and only for sessions to come: clients behave in two ways until all connect again.",
    fix="ALTER ROLE … IN DATABASE … for the one role that needs it.",
    bad="ALTER DATABASE shop SET search_path = app;",
    good="CREATE ROLE report LOGIN;",
)(when(lambda node, s: True, "every role has it in its next session"))


rule(
    "creating-policy",
    _T,
    "info",
    "A new policy",
    on="CreatePolicyStmt",
    why="Permissive policies widen what is seen and written, restrictive ones narrow it, for sessions that are open as "
    "well; without ENABLE ROW LEVEL SECURITY it does nothing.",
    fix="Try it with SET ROLE in a transaction that is rolled back; ENABLE ROW LEVEL SECURITY after it.",
    bad="CREATE POLICY own ON users FOR SELECT USING (owner = current_user);",
    good="CREATE TABLE notes (id bigint PRIMARY KEY, owner name);\n"
    "CREATE POLICY own ON notes FOR SELECT USING (owner = current_user);",
)(when(lambda node, s: not s.on_new, "who sees which rows of {target} changes at once"))
