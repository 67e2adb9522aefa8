"""Statements that read and write rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wesley_tui.lint.rules.reading import nodes
from wesley_tui.lint.rules.registry import rule
from wesley_tui.lint.rules.simple import when
from wesley_tui.lint.subject import Subject
from wesley_tui.planner.effects.context import names_in
from wesley_tui.planner.effects.tree import Node

_T = "Data"
_DML = "SelectStmt UpdateStmt DeleteStmt InsertStmt MergeStmt"

rule(
    "update-without-where",
    _T,
    "error",
    "UPDATE without WHERE",
    on="UpdateStmt",
    why="Every row is written and stays locked until the end; the table doubles in size.",
    fix="Batches along the primary key, each its own transaction.",
    bad="UPDATE users SET a = 1;",
    good="UPDATE users SET a = 1 WHERE id BETWEEN 1 AND 1000;",
)(when(lambda node, s: node.whereClause is None and not s.on_new, "every row of {target} is written"))

rule(
    "delete-without-where",
    _T,
    "error",
    "DELETE without WHERE",
    on="DeleteStmt",
    why="Every row is gone, and locked until the end.",
    fix="Batches along the primary key; or TRUNCATE, when it is meant.",
    bad="DELETE FROM users;",
    good="DELETE FROM users WHERE id BETWEEN 1 AND 1000;",
)(when(lambda node, s: node.whereClause is None and not s.on_new, "every row of {target} is deleted"))


def _constant_true(node: Any) -> bool:
    """True for every row, whatever it holds (``id = id`` is, save for NULL)."""
    if not isinstance(node, Node):
        return False
    if node.tag == "A_Const":
        return bool(node.boolval is not None and node.boolval.boolval)
    if node.tag == "BoolExpr" and node.boolop == "NOT_EXPR":
        return _constant_false(node.args[0])
    if node.tag == "BoolExpr":
        parts = [_constant_true(part) for part in node.args]
        return all(parts) if node.boolop == "AND_EXPR" else any(parts)
    if node.tag == "NullTest" and node.arg.tag == "A_Const":
        return bool(bool(node.arg.isnull) == (node.nulltesttype == "IS_NULL"))
    if node.tag == "A_Expr" and node.get("kind") == "AEXPR_OP" and isinstance(node.rexpr, Node):
        same = bool(_without_place(node.lexpr) == _without_place(node.rexpr))
        known = bool(node.lexpr is not None and node.lexpr.tag in ("A_Const", "ColumnRef"))
        return known and same and names_in(node.get("name"))[-1] in ("=", "<=", ">=")
    return False


def _constant_false(node: Any) -> bool:
    return bool(node.tag == "A_Const" and node.boolval is not None and not node.boolval.boolval)


def _without_place(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_place(item) for key, item in value.items() if key != "location"}
    return [_without_place(item) for item in value] if isinstance(value, list) else value


def _value(node: Any) -> Any:
    return {name: value for name, value in node.items() if name != "location"}


rule(
    "where-always-true",
    _T,
    "error",
    "WHERE that is always true",
    on="UpdateStmt DeleteStmt",
    why="It looks like a condition and is none: every row is written or gone.",
    fix="Write the condition that is meant.",
    bad="DELETE FROM users WHERE 1 = 1;",
    good="DELETE FROM users WHERE id = 1;",
)(when(lambda node, s: _constant_true(node.whereClause) and not s.on_new, "every row of {target} is meant"))


@rule(
    "large-in-list",
    _T,
    "warning",
    "A long IN list",
    on=_DML,
    why="Planning time grows with the list, and the statement does not fit a log line or a cache.",
    fix="= ANY ($1) with an array, or a join with a temporary table.",
    bad="SELECT id FROM users WHERE id IN (" + ", ".join(map(str, range(501))) + ");",
    good="SELECT id FROM users WHERE id IN (1, 2, 3);",
)
def _(s: Subject) -> Iterator[str]:
    for item in nodes(s):
        if item.tag == "A_Expr" and item.get("kind") == "AEXPR_IN" and len(item.rexpr or ()) > 500:
            yield f"{len(item.rexpr)} values"


@rule(
    "not-in-subquery",
    _T,
    "info",
    "NOT IN (SELECT …)",
    on=_DML,
    why="One NULL in the subquery and no row matches; and it cannot become an anti-join.",
    fix="NOT EXISTS (SELECT …).",
    bad="SELECT id FROM users WHERE id NOT IN (SELECT user_id FROM orders);",
    good="SELECT id FROM users u WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.user_id = u.id);",
)
def _(s: Subject) -> Iterator[str]:
    for item in nodes(s):
        if item.tag == "BoolExpr" and item.boolop == "NOT_EXPR":
            inner = item.args[0]
            if inner.tag == "SubLink" and inner.subLinkType == "ANY_SUBLINK":
                yield "a single NULL makes the answer empty"


@rule(
    "comparison-with-null",
    _T,
    "error",
    "= NULL",
    on=_DML,
    why="It is never true: the statement finds nothing.",
    fix="IS NULL, IS NOT NULL, IS DISTINCT FROM.",
    bad="SELECT id FROM users WHERE email = NULL;",
    good="SELECT id FROM users WHERE email IS NULL;",
)
def _(s: Subject) -> Iterator[str]:
    for item in nodes(s):
        if item.tag == "A_Expr" and item.get("kind") == "AEXPR_OP" and item.name[-1].sval in ("=", "<>", "!="):
            for side in (item.lexpr, item.rexpr):
                if getattr(side, "tag", "") == "A_Const" and side.isnull:
                    yield "a comparison with NULL is never true"


rule(
    "insert-without-columns",
    _T,
    "info",
    "INSERT without a list of columns",
    on="InsertStmt",
    why="A column that is added or moved changes what the statement means.",
    fix="Name the columns.",
    bad="INSERT INTO users VALUES (1, 'a');",
    good="INSERT INTO users (id, name) VALUES (1, 'a');",
)(
    when(
        lambda node, s: not node.cols and node.selectStmt is not None and not s.on_new,
        "the order of columns in {target} decides",
    )
)

rule(
    "bulk-insert-select",
    _T,
    "warning",
    "INSERT … SELECT of a whole table",
    on="InsertStmt",
    why="One transaction of unknown length: its snapshot keeps VACUUM from cleaning up, its WAL delays standbys.",
    fix="Batches along the primary key, each its own transaction.",
    bad="INSERT INTO archive (id) SELECT id FROM users;",
    good="INSERT INTO archive (id) SELECT id FROM users WHERE id BETWEEN 1 AND 1000;",
)(
    when(
        lambda node, s: (
            node.selectStmt is not None
            and bool(node.selectStmt.fromClause)
            and node.selectStmt.whereClause is None
            and node.selectStmt.limitCount is None
            and all(item.tag == "RangeVar" and not s.is_new(s.name(item)) for item in node.selectStmt.fromClause)
        ),
        "all rows are copied in one transaction",
    )
)


def _has_star(query: Any) -> bool:
    return any(
        target.val is not None and target.val.tag == "ColumnRef" and target.val.fields[-1].tag == "A_Star"
        for target in query.targetList or ()
    )


rule(
    "select-star-in-view",
    _T,
    "info",
    "SELECT * in a view",
    on="ViewStmt CreateTableAsStmt",
    why="The columns are fixed when the view is made: later ones are missing, and CREATE OR REPLACE fails.",
    fix="Name the columns.",
    bad="CREATE VIEW v AS SELECT * FROM users;",
    good="CREATE VIEW v AS SELECT id, name FROM users;",
)(
    when(
        lambda node, s: node.query.tag == "SelectStmt" and node.objtype != "OBJECT_TABLE" and _has_star(node.query),
        "columns that come later are not in it",
    )
)

rule(
    "copy-program",
    _T,
    "error",
    "COPY … PROGRAM",
    on="CopyStmt",
    why="A shell command runs on the server, as the operating system user of PostgreSQL.",
    fix="\\copy from the client.",
    bad="COPY users FROM PROGRAM 'curl example.com';",
    good="COPY users (id) FROM stdin;\n1\n\\.\n",
)(when(lambda node, s: bool(node.is_program), "a shell command runs on the server"))

rule(
    "copy-server-file",
    _T,
    "warning",
    "COPY with a file of the server",
    on="CopyStmt",
    why="The file lies on the server, and reading or writing it needs more rights than a migration should have.",
    fix="\\copy from the client, or COPY … FROM stdin.",
    bad="COPY users FROM '/srv/users.csv';",
    good="COPY users (id) FROM stdin;\n1\n\\.\n",
)(when(lambda node, s: bool(node.filename) and not node.is_program, "the file is the server's"))


rule(
    "limit-without-order",
    _T,
    "info",
    "LIMIT without ORDER BY in a write",
    on="UpdateStmt DeleteStmt InsertStmt",
    why="Which rows are meant differs from run to run.",
    fix="ORDER BY the primary key.",
    bad="DELETE FROM users WHERE id IN (SELECT id FROM users WHERE old LIMIT 100);",
    good="DELETE FROM users WHERE id IN (SELECT id FROM users WHERE old ORDER BY id LIMIT 100);",
)(
    when(
        lambda node, s: any(
            item.tag == "SelectStmt" and item.limitCount is not None and not item.sortClause for item in nodes(s)
        ),
        "which rows are meant is left to chance",
    )
)

rule(
    "natural-join",
    _T,
    "info",
    "NATURAL JOIN",
    on=_DML + " ViewStmt",
    why="A column that is added to either table changes the condition.",
    fix="JOIN … ON or USING.",
    bad="SELECT a.id FROM a NATURAL JOIN b;",
    good="SELECT a.id FROM a JOIN b ON b.a_id = a.id;",
)(when(lambda node, s: any(item.isNatural for item in nodes(s)), "a new column changes what is joined"))

rule(
    "opaque-code",
    _T,
    "warning",
    "DO, CALL or EXECUTE that cannot be read",
    on="DoStmt CallStmt ExecuteStmt",
    why="What it locks and writes cannot be read from outside: SQL that is put together at run time, other languages.",
    fix="Plain statements, or batches driven by the client.",
    bad="DO $$ BEGIN EXECUTE format('UPDATE %I SET a = 1', 'users'); END $$;",
    good="UPDATE users SET a = 1 WHERE id = 1;",
)(
    when(
        lambda node, s: bool(s.effects.unknown),
        "nobody can tell from outside what it does",
    )
)


@rule(
    "duplicate-column-assignment",
    _T,
    "error",
    "A column that gets two values",
    on="UpdateStmt InsertStmt",
    why="PostgreSQL refuses it: multiple assignments to same column.",
    fix="Say each column once.",
    bad="UPDATE users SET name = 'a', name = 'b' WHERE id = 1;",
    good="UPDATE users SET name = 'b' WHERE id = 1;",
)
def _(s: Subject) -> Iterator[str]:
    names = [
        item.name
        for item in (s.node.targetList if s.node.tag == "UpdateStmt" else s.node.cols) or ()
        if item.name is not None and not item.indirection
    ]
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            yield f"{name} of {s.target} is assigned {names.count(name)} times"
