"""Hand-made plans for the tests of the terminal: every class, every kind of step, every wave."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from wesley_tui.planner.plan import Backfill, HazardClass, LockMode, Plan, Step, StepCheck, StepKind, Wave, WaveName

AX = LockMode.AccessExclusiveLock
SUX = LockMode.ShareUpdateExclusiveLock
SRX = LockMode.ShareRowExclusiveLock
RX = LockMode.RowExclusiveLock


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def plan_of(*waves: tuple[WaveName, list[Step]]) -> Plan:
    """Number the steps, and make an identity that depends on what they do."""
    ordinal = 0
    numbered: list[Wave] = []
    for name, steps in waves:
        members: list[Step] = []
        for step in steps:
            ordinal += 1
            members.append(replace(step, ordinal=ordinal, step_sha=sha(f"{ordinal} {step.op} {step.object}")))
        numbered.append(Wave(name, tuple(members)))
    identity = sha(repr([(wave.name, [step.step_sha for step in wave.steps]) for wave in numbered]))
    return Plan(identity, sha("base"), sha("target"), tuple(numbered), server_version_num=180004)


def step(op: str, object_: str, sql: str, hazard: int, **changes: object) -> Step:
    made = Step("", 0, op, object_, StepKind.TRANSACTIONAL, (sql,), HazardClass(hazard), estimate_ms=12)
    return replace(made, **changes)  # type: ignore[arg-type]


ADD_COLUMN = step(
    "add_column",
    "public.users.email",
    "ALTER TABLE public.users ADD COLUMN email text",
    1,
    locks={"public.users": AX},
    who_waits="Readers and writers of public.users wait while the catalog is changed: milliseconds, whatever its size.",
    why=("A nullable column without a default is a change of the catalog only: no row is written.",),
    undo=("ALTER TABLE public.users DROP COLUMN email",),
)
ADD_INDEX = step(
    "add_index_concurrently",
    "public.users.users_email_idx",
    "CREATE INDEX CONCURRENTLY users_email_idx ON public.users (email)",
    1,
    kind=StepKind.AUTOCOMMIT,
    locks={"public.users": SUX},
    scans=("public.users",),
    statement_timeout_ms=0,
    estimate_ms=900,
    who_waits="Nobody: readers and writers go on while the index is built.",
    why=("CONCURRENTLY reads the table twice and waits for older transactions, but blocks no writer.",),
    undo=("DROP INDEX CONCURRENTLY public.users_email_idx",),
)
ADD_FOREIGN_KEY = step(
    "add_foreign_key_not_valid",
    "public.orders.orders_user_id_fkey",
    "ALTER TABLE public.orders ADD CONSTRAINT orders_user_id_fkey FOREIGN KEY (user_id) "
    "REFERENCES public.users (id) NOT VALID",
    1,
    locks={"public.orders": SRX, "public.users": SRX},
    who_waits="Writers of public.orders and public.users wait while the constraint is recorded: milliseconds.",
    why=(
        "NOT VALID skips the check of existing rows; VALIDATE does it later without blocking writers.",
        "The referenced table is locked as strongly as the referencing one.",
    ),
    prechecks=(StepCheck("public.users (id) must be unique", "SELECT true"),),
    postchecks=(StepCheck("orders_user_id_fkey must exist", "SELECT true"),),
    undo=("ALTER TABLE public.orders DROP CONSTRAINT orders_user_id_fkey",),
)
BACKFILL = step(
    "backfill",
    "public.users.email",
    "",
    2,
    kind=StepKind.BACKFILL,
    statements=(),
    locks={"public.users": RX},
    estimate_ms=42_000,
    who_waits="A writer of the same row waits for one batch, 20 ms on average.",
    why=("100 k rows are written once each, in batches of 1000 by primary key.",),
    backfill=Backfill(
        "public.users",
        ("id",),
        "UPDATE public.users SET email = lower(legacy_email) WHERE id > $1",
        "SELECT count(*) FROM public.users WHERE email IS NULL",
    ),
    loses="",
)
VALIDATE = step(
    "validate_constraint",
    "public.orders.orders_user_id_fkey",
    "ALTER TABLE public.orders VALIDATE CONSTRAINT orders_user_id_fkey",
    2,
    locks={"public.orders": SUX, "public.users": LockMode.RowShareLock},
    scans=("public.orders",),
    estimate_ms=800,
    statement_timeout_ms=0,
    who_waits="Nobody: readers and writers go on while existing rows are checked.",
    why=("VALIDATE CONSTRAINT takes SHARE UPDATE EXCLUSIVE, which does not conflict with writers.",),
)
SET_NOT_NULL = step(
    "set_not_null",
    "public.users.email",
    "ALTER TABLE public.users ALTER COLUMN email SET NOT NULL",
    1,
    locks={"public.users": AX},
    who_waits="Readers and writers of public.users wait for milliseconds: the validated check spares the scan.",
    why=("A validated CHECK (email IS NOT NULL) proves it: PostgreSQL 12 and later skip the scan.",),
)
DROP_COLUMN = step(
    "drop_column",
    "public.users.legacy_email",
    "ALTER TABLE public.users DROP COLUMN legacy_email",
    3,
    locks={"public.users": AX},
    loses="the values of 100 k rows",
    breaks="clients that still select legacy_email",
    who_waits="Readers and writers of public.users wait while the catalog is changed: milliseconds.",
    why=("Dropping a column loses its values for good.",),
)
COMMENT = step(
    "set_comment",
    "public.users",
    "COMMENT ON TABLE public.users IS 'People who can sign in'",
    0,
    locks={"public.users": SUX},
    who_waits="Nobody.",
)

SAFE = plan_of(
    ("EXPAND", [ADD_COLUMN, COMMENT, ADD_INDEX, ADD_FOREIGN_KEY]),
    ("BACKFILL", [BACKFILL]),
    ("VALIDATE", [VALIDATE, SET_NOT_NULL]),
)
FULL = plan_of(
    ("EXPAND", [ADD_COLUMN, COMMENT, ADD_INDEX, ADD_FOREIGN_KEY]),
    ("BACKFILL", [BACKFILL]),
    ("VALIDATE", [VALIDATE, SET_NOT_NULL]),
    ("CONTRACT", [DROP_COLUMN]),
)
EMPTY = plan_of()


def hostile_plan() -> Plan:
    """Names that a terminal or a markup parser would obey."""
    names = [
        "public.[red]users[/red]",
        "public.\x1b[31mevil",
        "public.\u202eresu",
        "public.😀.emoji",
        "public.a\nb\tc",
        "[/]",
    ]
    steps = [
        replace(
            step("add_column", name, f"SELECT '{name}'", index % 4),
            locks={name: AX},
            who_waits=name,
            why=(name,),
            loses=name,
        )
        for index, name in enumerate(names)
    ]
    return plan_of(("EXPAND", steps))


def big_plan(number: int) -> Plan:
    """A plan of ``number`` steps."""
    steps = [
        step("add_column", f"public.t{n}.c", f"ALTER TABLE public.t{n} ADD COLUMN c int", 1, locks={f"public.t{n}": AX})
        for n in range(number)
    ]
    return plan_of(("EXPAND", steps))
