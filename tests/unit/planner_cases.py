"""One plan with a step of nearly every kind, made without a server."""

from __future__ import annotations

from functools import lru_cache

from wesley_tui.catalog.intent import Intent
from wesley_tui.catalog.model import (
    Catalog,
    Check,
    Column,
    Enum,
    ForeignKey,
    Index,
    IndexKey,
    Policy,
    PrimaryKey,
    QName,
    Table,
    Unique,
)
from wesley_tui.catalog.snapshot import Snapshot, TableSize
from wesley_tui.diff.compare import compare
from wesley_tui.planner.build import PlanOptions, build_plan
from wesley_tui.planner.plan import Plan

__all__ = ["ORDERS", "USERS", "plan_between", "rich_plan", "table"]

USERS, ORDERS, MOOD = QName("public", "users"), QName("public", "orders"), QName("public", "mood")


def table(name: QName, *columns: Column, **fields: tuple[object, ...]) -> Table:
    """A table with a bigint primary key ``id``."""
    constraints = (PrimaryKey(f"{name.name}_pkey", ("id",)), *fields.pop("constraints", ()))
    return Table(name, (Column("id", "bigint", not_null=True), *columns), constraints, **fields)  # type: ignore[arg-type]


def plan_between(
    live: Catalog,
    desired: Catalog,
    *,
    intent: Intent | None = None,
    options: PlanOptions | None = None,
    rows: float = 1_000_000,
    major: int = 18,
) -> Plan:
    """The plan for tables of ``rows`` rows, 100 bytes each."""
    size = TableSize(relpages=int(rows / 80), reltuples=rows, main_bytes=int(rows / 80) * 8192)
    snapshot = Snapshot(live, server_version_num=major * 10000, sizes=dict.fromkeys(live.tables, size))
    options = options or PlanOptions()
    diff = compare(live, desired, intent or Intent(), adopt_all=options.adopt_all)
    return build_plan(snapshot, desired, diff, options)


@lru_cache
def rich_plan() -> Plan:
    live = Catalog(
        frozenset({"public"}),
        {
            item.name: item
            for item in (
                table(
                    USERS,
                    Column("email", "text"),
                    Column("old", "text", not_null=True),
                    Column("age", "integer"),
                    indexes=(Index("users_email_idx", (IndexKey("email"),)),),
                ),
                table(ORDERS, Column("user_id", "bigint")),
                table(QName("public", "left_over")),
            )
        },
        {MOOD: Enum(MOOD, ("sad", "happy"))},
    )
    desired = Catalog(
        frozenset({"public"}),
        {
            item.name: item
            for item in (
                table(
                    USERS,
                    Column("email", "text", not_null=True),
                    Column("older", "text"),
                    Column("age", "bigint"),
                    Column("token", "uuid", not_null=True, default="gen_random_uuid()"),
                    Column("mood", "public.mood", default="'so-so'"),
                    constraints=(Unique("users_email_key", ("email",)), Check("users_age_check", "age > 0")),
                    policies=(Policy("own", using="true"),),
                    indexes=(Index("users_email_idx", (IndexKey(expression="lower(email)"),)),),
                ),
                table(
                    ORDERS,
                    Column("user_id", "bigint"),
                    constraints=(ForeignKey("orders_user_id_fkey", ("user_id",), USERS, ("id",)),),
                ),
                table(QName("public", "fresh")),
            )
        },
        {MOOD: Enum(MOOD, ("sad", "so-so", "happy"))},
    )
    return plan_between(live, desired, options=PlanOptions(source="type User @table { id: ID! @pk }"))
