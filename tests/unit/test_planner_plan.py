"""What a plan looks like: forms, waves, dependencies, hazards, timeouts; without a server."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.planner_cases import ORDERS, USERS, plan_between, rich_plan, table
from wesley_tui.catalog.intent import Intent
from wesley_tui.catalog.model import (
    Catalog,
    Check,
    Column,
    Enum,
    ForeignKey,
    Generated,
    Index,
    IndexKey,
    PrimaryKey,
    QName,
    Table,
)
from wesley_tui.planner.build import PlanOptions
from wesley_tui.planner.effects import EffectContext, advance, effects_of
from wesley_tui.planner.explain import explain_text, verdict
from wesley_tui.planner.format import format_sql
from wesley_tui.planner.plan import WAVE_NAMES, HazardClass, LockMode, Plan, StepKind
from wesley_tui.planner.volatility import is_volatile

PUBLIC = frozenset({"public"})


def catalog(*tables: Table, enums: tuple[Enum, ...] = ()) -> Catalog:
    return Catalog(PUBLIC, {item.name: item for item in tables}, {item.name: item for item in enums})


def test_nothing_to_do() -> None:
    plan = plan_between(catalog(table(USERS)), catalog(table(USERS)))
    assert plan.waves == ()
    assert plan.hazard is HazardClass.H0
    assert explain_text(plan).startswith("Nothing to do")


def test_the_same_input_gives_the_same_plan() -> None:
    rich_plan.cache_clear()
    first = rich_plan()
    rich_plan.cache_clear()
    assert rich_plan() == first


def test_statistics_do_not_change_the_identity() -> None:
    live, desired = catalog(table(USERS)), catalog(table(USERS, Column("a", "text")))
    few, many = plan_between(live, desired, rows=100_000), plan_between(live, desired, rows=90_000_000)
    assert few.plan_id == many.plan_id
    assert [step.step_sha for step in few.steps] == [step.step_sha for step in many.steps]


def test_another_base_is_another_plan() -> None:
    desired = catalog(table(USERS, Column("a", "text")), table(ORDERS))
    one = plan_between(catalog(table(USERS), table(ORDERS)), desired)
    other = plan_between(catalog(table(USERS), replace(table(ORDERS), comment="x")), desired)
    same_step = {(step.op, step.object): step.step_sha for step in other.steps}
    (step,) = one.steps
    assert same_step[(step.op, step.object)] != step.step_sha


def test_waves_stand_in_order_and_dependencies_point_back() -> None:
    plan = rich_plan()
    assert [wave.name for wave in plan.waves] == [name for name in WAVE_NAMES if name in {w.name for w in plan.waves}]
    seen: set[str] = set()
    for position, step in enumerate(plan.steps, 1):
        assert step.ordinal == position
        assert set(step.depends_on) <= seen
        seen.add(step.step_sha)


def test_steps_on_one_table_follow_each_other() -> None:
    plan = rich_plan()
    last: dict[str, str] = {}
    for step in plan.steps:
        for name, mode in step.locks.items():
            if mode >= LockMode.RowExclusiveLock:
                assert name not in last or last[name] in _ancestors(plan, step.step_sha)
                last[name] = step.step_sha


def _ancestors(plan: Plan, sha: str) -> set[str]:
    depends = {step.step_sha: step.depends_on for step in plan.steps}
    found: set[str] = set()
    pending = list(depends[sha])
    while pending:
        item = pending.pop()
        if item not in found:
            found.add(item)
            pending.extend(depends[item])
    return found


def test_losing_steps_are_in_the_last_wave() -> None:
    plan = rich_plan()
    for wave in plan.waves:
        for step in wave.steps:
            if step.op.startswith(("retire", "drop_table", "drop_column", "drop_index")):
                assert wave.name == "CONTRACT"


@pytest.mark.parametrize(("profile", "lock", "statement"), [("production", 5000, 30_000), ("chaos", 2000, 10_000)])
def test_profiles(profile: str, lock: int, statement: int) -> None:
    desired = catalog(table(USERS, Column("a", "text"), indexes=(Index("i", (IndexKey("a"),)),)))
    plan = plan_between(catalog(table(USERS)), desired, options=PlanOptions(profile=profile))
    column, index = plan.steps
    assert (column.lock_timeout_ms, column.statement_timeout_ms) == (lock, statement)
    assert (index.lock_timeout_ms, index.statement_timeout_ms) == (lock, 0)


def test_an_unknown_profile_is_refused() -> None:
    with pytest.raises(ValueError, match="production, chaos"):
        plan_between(catalog(), catalog(), options=PlanOptions(profile="yolo"))


def test_a_tiny_table_lowers_the_class_and_says_so() -> None:
    generated = catalog(table(USERS, Column("n", "bigint", generated=Generated("id + 1"))))
    (step,) = plan_between(catalog(table(USERS)), generated, rows=80).steps
    assert step.hazard is HazardClass.H1
    assert "tiny" in step.why[0]
    (step,) = plan_between(catalog(table(USERS)), generated, rows=1_000_000).steps
    assert step.hazard is HazardClass.H3


def test_a_foreign_key_waits_for_the_key_that_it_needs() -> None:
    """The primary key needs NOT NULL proven, so both it and the foreign key move to VALIDATE."""
    people = Table(USERS, (Column("id", "bigint"), Column("no", "bigint", not_null=True)), ())
    keyed = Table(
        USERS,
        (Column("id", "bigint", not_null=True), Column("no", "bigint", not_null=True)),
        (PrimaryKey("users_pkey", ("id",)),),
    )
    orders = table(ORDERS, Column("user_id", "bigint"))
    wanted = table(ORDERS, Column("user_id", "bigint"), constraints=(ForeignKey("f", ("user_id",), USERS, ("id",)),))
    plan = plan_between(catalog(people, orders), catalog(keyed, wanted))
    order = [step.op for step in plan.steps]
    assert order.index("set_not_null") < order.index("add_primary_key_using_index")
    assert order.index("add_primary_key_using_index") < order.index("add_foreign_key_not_valid")
    assert order.index("add_foreign_key_not_valid") < len(order) - 1
    assert order[-1] in ("validate_constraint", "drop_constraint")


def test_a_long_chain_of_new_tables_is_no_problem() -> None:
    names = [QName("public", f"t{i}") for i in range(300)]
    tables = [
        table(
            name,
            Column("next", "bigint"),
            constraints=(ForeignKey(f"{name.name}_fk", ("next",), names[(i + 1) % len(names)], ("id",)),),
        )
        for i, name in enumerate(names)
    ]
    plan = plan_between(catalog(), catalog(*tables))
    assert plan.hazard is HazardClass.H0
    assert [step.op for step in plan.steps] == ["create_table"] * 300 + ["add_foreign_key"] * 300


def test_a_name_that_an_index_of_another_table_wants_is_free_from_the_beginning() -> None:
    live = catalog(table(USERS, Column("a", "text"), indexes=(Index("taken", (IndexKey("a"),)),)), table(ORDERS))
    desired = catalog(
        table(USERS, Column("a", "text")), table(ORDERS, indexes=(Index("taken", (IndexKey("id"),), unique=True),))
    )
    plan = plan_between(live, desired)
    assert [step.op for step in plan.steps] == ["rename_index", "add_index_concurrently", "drop_index_concurrently"]
    assert [wave.name for wave in plan.waves] == ["EXPAND", "CONTRACT"]


def test_a_name_that_is_freed_late_is_taken_later_still() -> None:
    """Clients use a table by its name until it goes."""
    taken = QName("public", "taken")
    live = catalog(table(taken), table(ORDERS))
    desired = catalog(table(ORDERS, indexes=(Index("taken", (IndexKey("id"),)),)))
    steps = list(plan_between(live, desired, options=PlanOptions(adopt_all=True)).steps)
    assert [step.op for step in steps] == ["retire_table", "add_index_concurrently"]
    assert steps[1].depends_on == (steps[0].step_sha,)


def test_volatile_without_a_key_says_why_it_is_dangerous() -> None:
    """Only a partitioned table: others are walked by blocks."""
    keyless = Table(USERS, (Column("a", "text"),))
    wanted = Table(USERS, (Column("a", "text"), Column("u", "uuid", default="gen_random_uuid()")))
    steps = list(plan_between(catalog(keyless), catalog(wanted)).steps)
    assert [step.op for step in steps] == ["add_column", "set_default", "backfill_sql"]
    assert steps[2].backfill is not None
    assert steps[2].backfill.key == ("ctid",)
    before, after = (replace(item, partition_by="RANGE (a)") for item in (keyless, wanted))
    (step,) = plan_between(catalog(before), catalog(after)).steps
    assert step.hazard is HazardClass.H3
    assert any("key" in text for text in step.why)


@pytest.mark.parametrize(
    ("expression", "volatile"),
    [
        ("'x'::text", False), ("now()", False), ("CURRENT_TIMESTAMP", False), ("lower('A')", False), ("1 + 2", False),
        ("ARRAY[1, 2]", False), ("'{}'::jsonb", False), ("pg_catalog.now()", False), ("CURRENT_USER", False),
        ("gen_random_uuid()", True), ("random()", True), ("nextval('s'::regclass)", True), ("clock_timestamp()", True),
        ("public.mine()", True), ("lower(public.mine())", True), ("uuid_generate_v4()", True), ("timeofday()", True),
        ("not an expression", True),
    ],
)  # fmt: skip
def test_volatility(expression: str, volatile: bool) -> None:
    assert is_volatile(expression) is volatile


def test_effects_follow_what_came_before() -> None:
    """A proof that an earlier statement made lets SET NOT NULL skip the scan; a table of the same file is new."""
    context = EffectContext(catalog=catalog(table(USERS, Column("a", "text"))))
    set_not_null = "ALTER TABLE users ALTER COLUMN a SET NOT NULL"
    assert effects_of(set_not_null, context).scans == ("public.users",)
    context = advance("ALTER TABLE users ADD CONSTRAINT c CHECK (a IS NOT NULL) NOT VALID", context)
    assert effects_of(set_not_null, context).scans == ("public.users",)
    context = advance("ALTER TABLE users VALIDATE CONSTRAINT c", context)
    assert effects_of(set_not_null, context).scans == ()
    context = advance("CREATE TABLE fresh (id bigint PRIMARY KEY)", context)
    assert QName("public", "fresh") in context.created


def test_effects_without_a_catalog_are_cautious() -> None:
    effects = effects_of("ALTER TABLE a.b ALTER COLUMN c TYPE varchar(20)", EffectContext())
    assert effects.locks == {"a.b": LockMode.AccessExclusiveLock}
    assert effects.rewrites == ("a.b",)
    assert effects_of("DROP INDEX i", EffectContext()).unknown


def test_a_check_that_the_author_wrote_proves_not_null() -> None:
    check = Check("mine", "a IS NOT NULL")
    live = catalog(table(USERS, Column("a", "text"), constraints=(check,)))
    desired = catalog(table(USERS, Column("a", "text", not_null=True), constraints=(check,)))
    assert [step.op for step in plan_between(live, desired).steps] == ["set_not_null"]


def test_backfills_lock_rows_only() -> None:
    step = next(step for step in rich_plan().steps if step.kind is StepKind.BACKFILL)
    assert step.locks == {"public.users": LockMode.RowExclusiveLock}
    assert step.hazard is HazardClass.H2
    assert step.estimate_ms > 10_000


def test_every_step_has_what_an_operator_needs() -> None:
    for step in rich_plan().steps:
        assert step.why
        assert step.who_waits
        assert step.prechecks or step.postchecks or step.op == "comment"
        assert step.kind is not StepKind.AUTOCOMMIT or (step.leftover_check and step.leftover_cleanup)
        if step.hazard is HazardClass.H3:
            assert step.loses or step.breaks or step.rewrites or step.scans


def test_the_verdict_speaks_to_everybody() -> None:
    live = catalog(table(USERS))
    words = {
        "SAFE": table(USERS, Column("a", "text")),
        "SAFE, WITH WORK": table(USERS, constraints=(Check("c", "id > 0"),)),
        "DANGER": replace(table(USERS), unlogged=True),
    }
    for word, desired in words.items():
        assert verdict(plan_between(live, catalog(desired))).split(":")[0] == word


def test_renames_come_first_and_keep_their_size() -> None:
    accounts = QName("public", "accounts")
    wanted = catalog(table(accounts, indexes=(Index("i", (IndexKey("id"),)),)))
    live = catalog(replace(table(USERS), constraints=(PrimaryKey("accounts_pkey", ("id",)),)))
    plan = plan_between(live, wanted, intent=Intent(renamed_tables={accounts: USERS}))
    rename, index = plan.steps
    assert (rename.op, rename.hazard) == ("rename_table", HazardClass.H3)
    assert index.estimate_ms > 1000
    assert "table public.users" in plan.scope


def test_sql_is_laid_out_for_the_eye_and_never_fails() -> None:
    assert format_sql("select  1") == "SELECT 1"
    assert format_sql("not sql at all") == "not sql at all"
    for step in rich_plan().steps:
        for statement in step.statements:
            assert format_sql(statement)
