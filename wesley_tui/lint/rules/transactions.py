"""Transactions and timeouts: what one statement does to the next."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wesley_tui.lint.rules.reading import actions, nodes
from wesley_tui.lint.rules.registry import Check, rule
from wesley_tui.lint.rules.simple import when
from wesley_tui.lint.subject import Subject
from wesley_tui.planner.effects.context import names_in
from wesley_tui.planner.plan import LockMode

_T = "Transactions and timeouts"
_WRITES = "UpdateStmt DeleteStmt InsertStmt MergeStmt CopyStmt"
_ZERO = re.compile(r"0+(\.0+)?\s*[a-z]*", re.IGNORECASE)


rule(
    "transaction-nesting",
    _T,
    "warning",
    "BEGIN inside a transaction",
    on="TransactionStmt",
    why="PostgreSQL has no nested transactions: the second BEGIN only warns, and the first COMMIT ends everything.",
    fix="SAVEPOINT, or leave BEGIN to the migration tool.",
    bad="BEGIN;\nBEGIN;\nCOMMIT;",
    good="BEGIN;\nSAVEPOINT a;\nCOMMIT;",
)(
    when(
        lambda node, s: node.get("kind") in ("TRANS_STMT_BEGIN", "TRANS_STMT_START") and s.flags.get("nested", False),
        "a transaction is open already",
    )
)

rule(
    "commit-without-begin",
    _T,
    "warning",
    "COMMIT or ROLLBACK without BEGIN",
    on="TransactionStmt",
    why="There is nothing to end: the statements before it have been committed one by one.",
    fix="BEGIN before the statements that belong together.",
    bad="COMMIT;",
    good="BEGIN;\nCOMMIT;",
)(
    when(
        lambda node, s: node.get("kind") in ("TRANS_STMT_COMMIT", "TRANS_STMT_ROLLBACK") and not s.transaction.explicit,
        "no transaction is open",
    )
)

rule(
    "prepared-transaction",
    _T,
    "warning",
    "PREPARE TRANSACTION",
    on="TransactionStmt",
    why="It keeps its locks across disconnects and restarts until somebody remembers to end it.",
    fix="COMMIT.",
    bad="BEGIN;\nPREPARE TRANSACTION 'x';",
    good="BEGIN;\nCOMMIT;",
)(when(lambda node, s: node.get("kind") == "TRANS_STMT_PREPARE", "its locks outlive the session"))


@rule(
    "not-allowed-in-transaction",
    _T,
    "error",
    "A statement that PostgreSQL refuses in a transaction",
    why="The statement fails, and the whole transaction with it.",
    fix="Take it out of BEGIN … COMMIT.",
    bad="BEGIN;\nVACUUM users;\nCOMMIT;",
    good="VACUUM users;",
)
def _(s: Subject) -> Iterator[str]:
    covered = s.node.tag in ("IndexStmt", "ReindexStmt") or (s.node.tag == "DropStmt")
    if s.transaction.explicit and not s.effects.in_transaction and not covered:
        yield "it fails inside a transaction block"


@rule(
    "ddl-and-backfill-in-one-transaction",
    _T,
    "error",
    "DDL and a write of rows in one transaction",
    on=_WRITES,
    why="The lock of the DDL is held while the rows are written: everybody waits as long.",
    fix="COMMIT after the DDL, then write the rows in batches.",
    bad="BEGIN;\nALTER TABLE users ADD COLUMN a bigint;\nUPDATE users SET a = 1 WHERE id < 100;\nCOMMIT;",
    good="BEGIN;\nALTER TABLE users ADD COLUMN a bigint;\nCOMMIT;\nUPDATE users SET a = 1 WHERE id < 100;",
)
def _(s: Subject) -> Iterator[str]:
    held = [name for name, mode in s.transaction.exclusive.items() if mode >= LockMode.ShareLock]
    if held and s.effects.writes and s.transaction.explicit:
        if s.writes_little and not set(s.effects.writes) & set(held):
            return
        select = s.node.selectStmt
        if s.node.tag == "InsertStmt" and (select is None or select.valuesLists is not None):
            return
        yield f"{', '.join(held)} stays locked while the rows are written"


@rule(
    "long-statement-under-lock",
    _T,
    "error",
    "A scan while the transaction holds a strong lock",
    why="Everybody who waits for the lock waits for the scan too.",
    fix="COMMIT first; or do the long part before the lock is taken.",
    bad="BEGIN;\nALTER TABLE users ADD COLUMN a bigint;\nALTER TABLE orders VALIDATE CONSTRAINT c;\nCOMMIT;",
    good="ALTER TABLE users ADD COLUMN a bigint;\nALTER TABLE orders VALIDATE CONSTRAINT c;",
)
def _(s: Subject) -> Iterator[str]:
    growing = s.others((*s.effects.rewrites, *s.effects.scans))
    if s.transaction.explicit and growing and s.transaction.exclusive:
        held = ", ".join(sorted(s.transaction.exclusive))
        yield f"{held} stays locked while {', '.join(growing)} is read"


def _is_bounded(s: Subject) -> bool:
    """Whoever waits, waits no longer than ``lock_timeout``."""
    value = s.settings.get("lock_timeout")
    return value is not None and not _ZERO.fullmatch(value)


@rule(
    "several-tables-locked",
    _T,
    "warning",
    "Strong locks on several tables in one transaction",
    why="The first table waits for the second lock; two such transactions in another order deadlock.",
    fix="One table per transaction; or SET LOCAL lock_timeout, and try again when it fails.",
    bad="BEGIN;\nALTER TABLE users ADD COLUMN a bigint;\nALTER TABLE orders ADD COLUMN a bigint;\nCOMMIT;",
    good="ALTER TABLE users ADD COLUMN a bigint;\nALTER TABLE orders ADD COLUMN a bigint;",
)
def _(s: Subject) -> Iterator[str]:
    if not s.transaction.explicit:
        return
    strong = {name for name in s.others(s.effects.locks) if s.effects.locks[name] is LockMode.AccessExclusiveLock}
    before = {name for name, mode in s.transaction.exclusive.items() if mode is LockMode.AccessExclusiveLock}
    bounded = _is_bounded(s) and not s.others((*s.effects.rewrites, *s.effects.scans))
    if strong - before and before and not bounded:
        awaited = ", ".join(sorted(strong - before))
        yield f"{', '.join(sorted(before))} stays closed while the lock on {awaited} is awaited"


@rule(
    "enum-value-used-in-transaction",
    _T,
    "error",
    "A new enum value used in the transaction that adds it",
    on="SelectStmt InsertStmt UpdateStmt DeleteStmt AlterTableStmt CreateStmt MergeStmt IndexStmt ViewStmt",
    why="PostgreSQL refuses it (55P04) until the value is committed.",
    fix="COMMIT after ALTER TYPE … ADD VALUE.",
    bad="BEGIN;\nALTER TYPE mood ADD VALUE 'calm';\nUPDATE users SET mood = 'calm' WHERE id = 1;\nCOMMIT;",
    good="ALTER TYPE mood ADD VALUE 'calm';\nUPDATE users SET mood = 'calm' WHERE id = 1;",
)
def _(s: Subject) -> Iterator[str]:
    if not (s.transaction.explicit and s.transaction.enum_values):
        return
    labels = {label: name for name, found in s.transaction.enum_values.items() for label in found}
    used = {item.sval.sval for item in nodes(s) if item.tag == "A_Const" and item.sval is not None}
    for label in sorted(used & labels.keys()):
        yield f"{label!r} of {labels[label]} is not committed yet"


def _blocks(s: Subject) -> bool:
    return any(s.effects.locks[name] >= LockMode.ShareRowExclusiveLock for name in s.others(s.effects.locks))


@rule(
    "missing-lock-timeout",
    _T,
    "info",
    "A strong lock without lock_timeout",
    why="While the statement waits behind a long query, everybody else waits behind the statement.",
    fix="SET lock_timeout = '2s' (SET LOCAL inside a transaction) before it, and try again when it fails.",
    bad="ALTER TABLE users ADD COLUMN a bigint;",
    good="SET lock_timeout = '2s';\nSET statement_timeout = '30s';\nALTER TABLE users ADD COLUMN a bigint;",
)
def _(s: Subject) -> Iterator[str]:
    if not s.flags.get("lock_timeout") and "lock_timeout" not in s.settings and _blocks(s):
        s.flags["lock_timeout"] = True
        yield "it may wait for its lock without end, and everybody behind it"


@rule(
    "missing-statement-timeout",
    _T,
    "info",
    "A strong lock without statement_timeout",
    why="Nothing ends the statement when it takes longer than anybody thought.",
    fix="SET statement_timeout = '30s' before it; longer for what runs CONCURRENTLY.",
    bad="ALTER TABLE users ADD COLUMN a bigint;",
    good="SET lock_timeout = '2s';\nSET statement_timeout = '30s';\nALTER TABLE users ADD COLUMN a bigint;",
)
def _(s: Subject) -> Iterator[str]:
    if not s.flags.get("statement_timeout") and "statement_timeout" not in s.settings and _blocks(s):
        s.flags["statement_timeout"] = True
        yield "nothing ends it when it takes too long"


def _value_of(s: Subject) -> str:
    for item in s.node.args or ():
        if item.sval is not None:
            return str(item.sval.sval or "")
        if item.ival is not None:
            return str(item.ival.ival or 0)
    return ""


def _zero_where_it_matters(name: str) -> Check:
    """Raised by the first statement that locks what others use: dumps begin with these settings and harm nobody."""

    def check(s: Subject) -> Iterator[str]:
        value = s.settings.get(name)
        if value is not None and _ZERO.fullmatch(value) and not s.flags.get(f"zero {name}") and _blocks(s):
            s.flags[f"zero {name}"] = True
            yield f"{name} was set to 0: it waits without end"

    return check


for _name in ("lock_timeout", "statement_timeout"):
    rule(
        f"zero-{_name.replace('_', '-')}",
        _T,
        "warning",
        f"A strong lock under {_name} = 0",
        why="Zero means: wait without end.",
        fix="A few seconds.",
        bad=f"SET {_name} = 0;\nALTER TABLE users ADD COLUMN a bigint;",
        good=f"SET {_name} = '5s';\nALTER TABLE users ADD COLUMN a bigint;",
    )(_zero_where_it_matters(_name))


@rule(
    "uncommitted-transaction",
    _T,
    "warning",
    "BEGIN without COMMIT",
    on="TransactionStmt",
    why="At the end of the script psql rolls everything back, or a client keeps the locks for as long as it stays.",
    fix="COMMIT at the end.",
    bad="BEGIN;\nALTER TABLE users ADD COLUMN a bigint;",
    good="BEGIN;\nALTER TABLE users ADD COLUMN a bigint;\nCOMMIT;",
)
def _(s: Subject) -> Iterator[str]:
    if s.node.get("kind") in ("TRANS_STMT_BEGIN", "TRANS_STMT_START") and s.outline.last_end < s.position:
        yield "nothing ends the transaction"


@rule(
    "long-lock-timeout",
    _T,
    "warning",
    "A lock_timeout that is too long",
    on="VariableSetStmt",
    why="Everybody behind the statement waits as long as it does.",
    fix="A few seconds, and several attempts.",
    bad="SET lock_timeout = '5min';",
    good="SET lock_timeout = '5s';",
)
def _(s: Subject) -> Iterator[str]:
    if str(s.node.name or "").lower() == "lock_timeout":
        found = re.fullmatch(r"(\d+)\s*(ms|s|min|h|d)?", _value_of(s))
        if found is not None:
            unit = {"ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000, None: 1}[found.group(2)]
            if int(found.group(1)) * unit > 30_000:
                yield f"everybody waits up to {_value_of(s)} behind it"


rule(
    "set-local-outside-transaction",
    _T,
    "info",
    "SET LOCAL outside a transaction",
    on="VariableSetStmt",
    why="It has no effect: the transaction that it belongs to ends with it.",
    fix="BEGIN first, or SET without LOCAL.",
    bad="SET LOCAL lock_timeout = '2s';",
    good="BEGIN;\nSET LOCAL lock_timeout = '2s';\nCOMMIT;",
)(when(lambda node, s: bool(node.is_local) and not s.transaction.explicit, "it has no effect"))


def _calls(s: Subject, *names: str) -> list[str]:
    return [
        names_in(item.funcname)[-1]
        for item in nodes(s)
        if item.tag == "FuncCall" and names_in(item.funcname)[-1] in names
    ]


rule(
    "sleeping-in-transaction",
    _T,
    "warning",
    "pg_sleep in a transaction",
    on="SelectStmt",
    why="Locks and the snapshot are held while nothing happens.",
    fix="Sleep in the client, between transactions.",
    bad="BEGIN;\nSELECT pg_sleep(10);\nCOMMIT;",
    good="SELECT pg_sleep(1);",
)(
    when(
        lambda node, s: s.transaction.explicit and bool(_calls(s, "pg_sleep", "pg_sleep_for")),
        "everything it holds waits with it",
    )
)

rule(
    "session-advisory-lock",
    _T,
    "info",
    "A session-level advisory lock",
    on="SelectStmt",
    why="It outlives the transaction, and behind a pooler it belongs to whoever gets the connection next.",
    fix="pg_advisory_xact_lock().",
    bad="SELECT pg_advisory_lock(1);",
    good="SELECT pg_advisory_xact_lock(1);",
)(when(lambda node, s: bool(_calls(s, "pg_advisory_lock", "pg_try_advisory_lock")), "it outlives the transaction"))


@rule(
    "terminating-backends",
    _T,
    "warning",
    "pg_terminate_backend in a migration",
    on="SelectStmt",
    why="Other clients lose their work and their connection.",
    fix="lock_timeout and another attempt.",
    bad="SELECT pg_terminate_backend(pid) FROM pg_stat_activity;",
    good="SET lock_timeout = '2s';\nALTER TABLE users ADD COLUMN a bigint;",
)
def _(s: Subject) -> Iterator[str]:
    if _calls(s, "pg_terminate_backend", "pg_cancel_backend"):
        yield "other clients lose what they are doing"


@rule(
    "several-foreign-keys-in-transaction",
    _T,
    "warning",
    "Several foreign keys in one transaction",
    on="AlterTableStmt",
    why="Each locks two tables against writers; together they lock all of them until the end.",
    fix="One foreign key per transaction.",
    bad="BEGIN;\nALTER TABLE a ADD CONSTRAINT x FOREIGN KEY (u) REFERENCES u (id) NOT VALID;\n"
    "ALTER TABLE b ADD CONSTRAINT y FOREIGN KEY (v) REFERENCES v (id) NOT VALID;\nCOMMIT;",
    good="ALTER TABLE a ADD CONSTRAINT x FOREIGN KEY (u) REFERENCES u (id) NOT VALID;\n"
    "ALTER TABLE b ADD CONSTRAINT y FOREIGN KEY (v) REFERENCES v (id) NOT VALID;",
)
def _(s: Subject) -> Iterator[str]:
    keys = [c for c in actions(s, "AddConstraint") if c.get("def").contype == "CONSTR_FOREIGN"]
    earlier = [name for name, mode in s.transaction.exclusive.items() if mode is LockMode.ShareRowExclusiveLock]
    if s.transaction.explicit and keys and earlier and not _is_bounded(s):
        yield f"{', '.join(sorted(earlier))} stays closed to writers meanwhile"
