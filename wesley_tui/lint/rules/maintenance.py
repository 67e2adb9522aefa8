"""Maintenance and the whole server."""

from __future__ import annotations

from collections.abc import Iterator

from wesley_tui.lint.rules.registry import rule
from wesley_tui.lint.rules.simple import when
from wesley_tui.lint.subject import Subject
from wesley_tui.planner.effects.maintenance import options_of

_T = "Maintenance"

rule(
    "vacuum-full",
    _T,
    "error",
    "VACUUM FULL",
    on="VacuumStmt",
    why="The table is written again under ACCESS EXCLUSIVE.",
    fix="Plain VACUUM; pg_repack or pg_squeeze when space has to come back.",
    bad="VACUUM FULL users;",
    good="VACUUM (ANALYZE) users;",
)(when(lambda node, s: options_of(node.options).get("full", False), "nobody reads or writes while it is written again"))

rule(
    "cluster",
    _T,
    "error",
    "CLUSTER",
    on="ClusterStmt",
    why="The table is written again under ACCESS EXCLUSIVE.",
    fix="pg_repack, or a new table filled in order and swapped in.",
    bad="CLUSTER users USING users_email;",
    good="CREATE INDEX CONCURRENTLY users_email_covering ON users (email) INCLUDE (name);",
)(when(lambda node, s: not s.on_new, "nobody reads or writes while it is written again"))

rule(
    "refresh-without-concurrently",
    _T,
    "error",
    "REFRESH MATERIALIZED VIEW without CONCURRENTLY",
    on="RefreshMatViewStmt",
    why="Readers of the view wait until the query has run (ACCESS EXCLUSIVE).",
    fix="REFRESH MATERIALIZED VIEW CONCURRENTLY, which needs a unique index.",
    bad="REFRESH MATERIALIZED VIEW totals;",
    good="REFRESH MATERIALIZED VIEW CONCURRENTLY totals;",
)(when(lambda node, s: not node.concurrent and not s.on_new, "readers of {target} wait until the query has run"))

rule(
    "ban-drop-database",
    _T,
    "error",
    "DROP DATABASE",
    on="DropdbStmt",
    why="Everything is gone.",
    fix="Not in a migration.",
    bad="DROP DATABASE shop;",
    good="ALTER DATABASE shop ALLOW_CONNECTIONS false;",
)(when(lambda node, s: True, "everything in it is gone"))

rule(
    "drop-tablespace",
    _T,
    "error",
    "DROP TABLESPACE",
    on="DropTableSpaceStmt",
    why="It cannot be rolled back, and belongs to the whole server.",
    fix="Not in a migration.",
    bad="DROP TABLESPACE fast;",
    good="COMMENT ON TABLESPACE fast IS 'empty since release 42';",
)(when(lambda node, s: True, "it cannot be rolled back"))

rule(
    "drop-owned",
    _T,
    "error",
    "DROP OWNED",
    on="DropOwnedStmt",
    why="Every object of the role is dropped, with its data; nobody can tell from the text which those are.",
    fix="REASSIGN OWNED first, and look at what is left.",
    bad="DROP OWNED BY old_app;",
    good="ALTER ROLE old_app NOLOGIN;",
)(when(lambda node, s: True, "every object of the role is dropped"))

rule(
    "reassign-owned",
    _T,
    "warning",
    "REASSIGN OWNED",
    on="ReassignOwnedStmt",
    why="Every object of the role is locked ACCESS EXCLUSIVE in one transaction.",
    fix="ALTER … OWNER TO, a few objects at a time.",
    bad="REASSIGN OWNED BY a TO b;",
    good="ALTER TABLE users OWNER TO b;",
)(when(lambda node, s: True, "every object of the role is locked"))

rule(
    "alter-system",
    _T,
    "warning",
    "ALTER SYSTEM",
    on="AlterSystemStmt",
    why="It changes the whole server, outside of any transaction, when the configuration is next read.",
    fix="Leave it to whoever runs the server, or ALTER DATABASE … SET.",
    bad="ALTER SYSTEM SET work_mem = '1GB';",
    good="SET work_mem = '64MB';",
)(when(lambda node, s: True, "the whole server changes"))

rule(
    "checkpoint",
    _T,
    "info",
    "CHECKPOINT",
    on="CheckPointStmt",
    why="All dirty pages are written at once, at the expense of everybody.",
    fix="Leave checkpoints to the server.",
    bad="CHECKPOINT;",
    good="SELECT num_timed, num_requested FROM pg_stat_checkpointer;",
)(when(lambda node, s: True, "the disks are busy for everybody"))

_DANGEROUS = {
    "session_replication_role": ("replica",),
    "zero_damaged_pages": ("on", "true", "1"),
    "ignore_checksum_failure": ("on", "true", "1"),
    "check_function_bodies": (),
}


@rule(
    "dangerous-setting",
    _T,
    "error",
    "Settings that switch protection off",
    on="VariableSetStmt",
    why="session_replication_role = replica stops foreign keys and triggers; zero_damaged_pages destroys data.",
    fix="Leave them as they are; NOT VALID and batches make them needless.",
    bad="SET session_replication_role = replica;",
    good="SET work_mem = '64MB';",
)
def _(s: Subject) -> Iterator[str]:
    name = str(s.node.name or "").lower()
    values = [str(item.sval.sval).lower() for item in s.node.args or () if item.sval is not None]
    if any(value in _DANGEROUS.get(name, ()) for value in values):
        yield f"{name} = {values[0]} switches protection off"


@rule(
    "weaker-durability",
    _T,
    "warning",
    "synchronous_commit off",
    on="VariableSetStmt",
    why="A crash loses what was committed in the last moments, also of the migration itself.",
    fix="Leave it on; batches of some thousand rows cost few commits.",
    bad="SET synchronous_commit = off;",
    good="SET work_mem = '64MB';",
)
def _(s: Subject) -> Iterator[str]:
    name = str(s.node.name or "").lower()
    values = [str(item.sval.sval or item.ival) for item in s.node.args or () if item.sval is not None]
    if name in ("synchronous_commit", "fsync", "full_page_writes") and values and values[0].lower() in ("off", "false"):
        yield "what was committed last may be lost in a crash"
