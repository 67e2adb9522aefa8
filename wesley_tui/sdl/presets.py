"""Ready-made row-level security: ``@tenant``, ``@owner`` and ``@rls(preset:)``.

Who asks is said by the application, at the start of its transaction, in settings that the helper functions of schema
``wesley_policy`` read:

    SELECT set_config('app.tenant_id', '…', true), set_config('app.user_id', '…', true),
           set_config('app.roles', '…', true)

A setting that is absent or empty is NULL, and NULL sees nothing: whoever forgets to say who asks is shut out.

The helpers are not in schema ``wesley``, which belongs to Wesley's own ledger and is invisible to plans: they are part
of the schema as much as the policies that call them, and are read, compared and dropped like everything else. Their
``search_path`` is fixed, and policies call them in a sub-select, so that they run once in a statement.

Isolation is RESTRICTIVE: a tenant's rows stay its own whatever other policies allow. Filters (``soft-delete``,
``time-window``) are restrictive, too. Restrictive policies alone let nobody in, so a table without any permissive
policy gets one. What may be inserted or become of a row is said WITH CHECK; INSERT never has USING.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

from wesley_tui.catalog.model import Index, IndexKey, Policy, PrimaryKey, QName, SqlObject, Table, Unique
from wesley_tui.catalog.naming import default_name, qualified, quote_ident, quote_literal
from wesley_tui.sdl.issues import Issues, Spot
from wesley_tui.sdl.names import nearest

__all__ = ["POLICY_SCHEMA", "Preset", "Secured", "preset_issues", "secure"]

POLICY_SCHEMA = "wesley_policy"
Command = Literal["all", "select", "insert", "update", "delete"]
_TENANT = f"{POLICY_SCHEMA}.current_tenant()"
_USER = f"{POLICY_SCHEMA}.current_user_id()"


class Preset(NamedTuple):
    """One preset on one table, with its options checked."""

    name: str
    columns: Mapping[str, str]
    """Option → column of the table."""
    texts: Mapping[str, str]
    other: QName | None
    """The membership table, or the tree."""
    roles: tuple[str, ...]
    """Database roles that the policies are for."""
    spot: Spot


class Secured(NamedTuple):
    """A table with its policies, and the functions that they call."""

    table: Table
    functions: tuple[SqlObject, ...]


class _Rules:
    """Collects what the presets of one table come to."""

    def __init__(self, table: Table, tables: Mapping[QName, Table]) -> None:
        self.table = table
        self.tables = tables
        self.policies: list[Policy] = []
        self.functions: dict[str, SqlObject] = {}
        self.indexed: list[str] = []

    def policy(
        self,
        preset: Preset,
        command: Command,
        using: str | None,
        check: str | None = None,
        *,
        restrictive: bool = False,
        roles: tuple[str, ...] = (),
    ) -> None:
        name = default_name(self.table.name.name, (preset.name.replace("-", "_"),), command)
        self.policies.append(Policy(name, command, not restrictive, roles or preset.roles, using, check))

    def use(self, function: SqlObject) -> None:
        self.functions[function.name.name] = function

    def type_of(self, column: str, table: QName | None = None) -> str:
        owner = self.table if table is None else self.tables.get(table)
        found = owner.column(column) if owner is not None else None
        return found.type if found is not None else "text"

    def tenant(self, sql_type: str) -> str:
        """The tenant who asks, as a value of this type, asked for once in a statement."""
        self.use(_helper("current_tenant"))
        return _asked(_TENANT, sql_type)

    def user(self, sql_type: str) -> str:
        self.use(_helper("current_user_id"))
        return _asked(_USER, sql_type)

    def signed_in(self) -> str:
        self.use(_helper("current_user_id"))
        return f"(SELECT {_USER} IS NOT NULL)"


def _asked(call: str, sql_type: str) -> str:
    return f"(SELECT {call})" if sql_type == "text" else f"(SELECT {call}::{sql_type})"


def secure(table: Table, presets: Sequence[Preset], tables: Mapping[QName, Table]) -> Secured:
    """The table with the policies and indexes of its presets. ``tables`` are all declared ones, for their types."""
    rules = _Rules(table, tables)
    for preset in presets:
        _PRESETS[preset.name](rules, preset)
    policies = [*table.policies, *rules.policies]
    if not any(policy.permissive for policy in policies):
        roles = presets[0].roles
        name = default_name(table.name.name, (), "access")
        policies.append(Policy(name, "all", True, roles, "true", None))
    indexes = list(table.indexes)
    for column in rules.indexed:
        if not _is_indexed(replace(table, indexes=tuple(indexes)), column):
            indexes.append(Index(default_name(table.name.name, (column,), "idx"), (IndexKey(column),)))
    return Secured(
        replace(
            table,
            policies=tuple(sorted(policies, key=lambda policy: policy.name)),
            indexes=tuple(sorted(indexes, key=lambda index: index.name)),
            rls_enabled=True,
        ),
        tuple(function for _, function in sorted(rules.functions.items())),
    )


def preset_issues(presets: Sequence[Preset], secured: Secured, tables: Mapping[QName, Table]) -> Issues:
    """What is wrong with the presets of a table, seen with all tables: other tables that lack what they need."""
    issues = Issues()
    for preset in presets:
        other = tables.get(preset.other) if preset.other is not None else None
        if preset.other is not None and other is None:
            issues.warn(
                "undeclared-reference", f"{preset.other} is not declared here: the table must exist", preset.spot
            )
        wanted = ("membership_tenant", "membership_user") if preset.name == "tenant" else ("key", "parent")
        for option in wanted if other is not None else ():
            column = preset.texts[option]
            if other is not None and other.column(column) is None:
                near = nearest(column, [item.name for item in other.columns])
                issues.error(
                    "unknown-column",
                    f"the preset {preset.name} needs the column {column!r} of {other.name}, which has none",
                    preset.spot,
                    f'did you mean {near}? write options: {{{option}: "{near}"}}' if near else f"say it with {option}",
                )
        if preset.name == "tenant" and other is not None and not issues:
            mine = secured.table.column(preset.columns["column"])
            theirs = other.column(preset.texts["membership_tenant"])
            if mine is not None and theirs is not None and mine.type != theirs.type:
                issues.error(
                    "wrong-type",
                    f"{mine.name} is {mine.type}, and {other.name}.{theirs.name}, which says who belongs to it, is "
                    f"{theirs.type}",
                    preset.spot,
                    "name the column with membership_tenant, or give both one type",
                )
    names = [policy.name for policy in secured.table.policies]
    for name in sorted({name for name in names if names.count(name) > 1}):
        issues.error(
            "duplicate-policy", f"{secured.table.name} has a policy {name!r} already", presets[0].spot, "rename yours"
        )
    return issues


def _is_indexed(table: Table, column: str) -> bool:
    keys = [item.columns[0] for item in table.constraints if isinstance(item, PrimaryKey | Unique)]
    keys += [index.keys[0].column or "" for index in table.indexes if index.where is None]
    return column in keys


# -- the presets ----------------------------------------------------------------------------------------------------


def _owner(rules: _Rules, preset: Preset) -> None:
    column = preset.columns["column"]
    own = f"{quote_ident(column)} = {rules.user(rules.type_of(column))}"
    rules.indexed.append(column)
    _each(rules, preset, own)


def _each(rules: _Rules, preset: Preset, condition: str) -> None:
    rules.policy(preset, "select", condition)
    rules.policy(preset, "insert", None, condition)
    rules.policy(preset, "update", condition, condition)
    rules.policy(preset, "delete", condition)


def _tenant(rules: _Rules, preset: Preset) -> None:
    column = preset.columns["column"]
    sql_type = rules.type_of(column)
    if preset.other is not None:
        function = _memberships(rules, preset, preset.other, sql_type)
        condition = f"{quote_ident(column)} IN (SELECT {qualified(function.name)}())"
    else:
        condition = f"{quote_ident(column)} = {rules.tenant(sql_type)}"
    rules.indexed.append(column)
    rules.policy(preset, "all", condition, condition, restrictive=True)


def _memberships(rules: _Rules, preset: Preset, table: QName, sql_type: str) -> SqlObject:
    """The tenants of the user who asks. It reads the table with the rights of its own owner: users need none on it."""
    tenant, user = preset.texts["membership_tenant"], preset.texts["membership_user"]
    asked = rules.user(rules.type_of(user, table))
    function = _function(
        _name_for("tenants_in", table),
        f"SETOF {sql_type}",
        f"SELECT m.{quote_ident(tenant)} FROM {qualified(table)} AS m WHERE m.{quote_ident(user)} = {asked}",
        f"Tenants that the user who asks belongs to, by {table}",
        definer=True,
    )
    rules.use(function)
    return function


def _public_read(rules: _Rules, preset: Preset) -> None:
    rules.policy(preset, "select", "true")
    write = preset.texts["write"]
    if write == "nobody":
        return
    if write == "owner":
        column = preset.columns["column"]
        condition = f"{quote_ident(column)} = {rules.user(rules.type_of(column))}"
        rules.indexed.append(column)
    else:
        condition = rules.signed_in()
    rules.policy(preset, "insert", None, condition)
    rules.policy(preset, "update", condition, condition)
    rules.policy(preset, "delete", condition)


def _authenticated(rules: _Rules, preset: Preset) -> None:
    condition = rules.signed_in()
    rules.policy(preset, "all", condition, condition)


def _admin_only(rules: _Rules, preset: Preset) -> None:
    role = preset.texts.get("role")
    if role is not None:
        rules.policy(preset, "all", "true", "true", roles=(role,))
        return
    rules.use(_helper("has_role"))
    condition = f"(SELECT {POLICY_SCHEMA}.has_role({quote_literal(preset.texts['claim'])}))"
    rules.policy(preset, "all", condition, condition)


def _soft_delete(rules: _Rules, preset: Preset) -> None:
    column = quote_ident(preset.columns["column"])
    # An UPDATE that has a WHERE must leave a row that may still be read. What is deleted now stays visible until its
    # transaction ends, or nobody could delete anything.
    alive = f"{column} IS NULL OR {column} >= now()"
    rules.policy(preset, "select", alive, restrictive=True)
    rules.policy(preset, "update", f"{column} IS NULL", "true", restrictive=True)
    rules.policy(preset, "delete", "false", restrictive=True)


def _time_window(rules: _Rules, preset: Preset) -> None:
    start, end = quote_ident(preset.columns["from"]), quote_ident(preset.columns["to"])
    # Inclusive at its end, so that a window can be closed with now() (see soft-delete).
    open_now = f"({start} IS NULL OR {start} <= now()) AND ({end} IS NULL OR {end} >= now())"
    rules.policy(preset, "select", open_now, restrictive=True)
    rules.policy(preset, "update", open_now, "true", restrictive=True)
    rules.policy(preset, "delete", open_now, restrictive=True)


def _hierarchical(rules: _Rules, preset: Preset) -> None:
    column, tree = preset.columns["column"], preset.other
    assert tree is not None
    sql_type = rules.type_of(column)
    key, parent = quote_ident(preset.texts["key"]), quote_ident(preset.texts["parent"])
    root = rules.tenant(rules.type_of(preset.texts["key"], tree))
    function = _function(
        _name_for("below_in", tree),
        f"SETOF {sql_type}",
        f"WITH RECURSIVE below AS (\n"
        f"    SELECT t.{key} FROM {qualified(tree)} AS t WHERE t.{key} = {root}\n"
        f"    UNION\n"
        f"    SELECT t.{key} FROM {qualified(tree)} AS t JOIN below AS b ON t.{parent} = b.{key}\n"
        f"  )\n"
        f"  SELECT below.{key} FROM below",
        f"The tenant who asks and everything below it, by {tree}",
        definer=True,
    )
    rules.use(function)
    rules.indexed.append(column)
    condition = f"{quote_ident(column)} IN (SELECT {qualified(function.name)}())"
    rules.policy(preset, "all", condition, condition, restrictive=True)


_PRESETS = {
    "owner": _owner,
    "tenant": _tenant,
    "public-read": _public_read,
    "authenticated": _authenticated,
    "admin-only": _admin_only,
    "soft-delete": _soft_delete,
    "time-window": _time_window,
    "hierarchical": _hierarchical,
}


# -- the helpers ----------------------------------------------------------------------------------------------------


def _helper(name: str) -> SqlObject:
    """One of the functions that every preset shares."""
    return next(function for function in _HELPERS if function.name.name == name)


def _name_for(what: str, table: QName) -> str:
    return default_name(what, () if table.schema == "public" else (table.schema,), table.name)


def _function(
    name: str, returns: str, body: str, comment: str, *, definer: bool = False, arguments: tuple[str, ...] = ()
) -> SqlObject:
    rights = " SECURITY DEFINER" if definer else " PARALLEL SAFE"
    names = ", ".join(f"wanted {argument}" for argument in arguments)
    qualified_name = QName(POLICY_SCHEMA, name)
    return SqlObject(
        "function",
        qualified_name,
        (
            f"CREATE FUNCTION {qualified(qualified_name)}({names}) RETURNS {returns}\n"
            f"LANGUAGE sql STABLE{rights} SET search_path TO 'pg_catalog', 'pg_temp'\n"
            f"AS $wesley$\n  {body}\n$wesley$",
        ),
        arguments=", ".join(arguments),
        comment=comment,
    )


def _helpers() -> Iterator[SqlObject]:
    for name, setting, what in (
        ("current_tenant", "app.tenant_id", "The tenant who asks"),
        ("current_user_id", "app.user_id", "The user who asks"),
    ):
        yield _function(
            name,
            "text",
            f"SELECT nullif(current_setting('{setting}', true), '')",
            f"{what}: the setting {setting}; NULL when nobody said",
        )
    yield _function(
        "has_role",
        "boolean",
        "SELECT coalesce(wanted = ANY (string_to_array(current_setting('app.roles', true), ',')), false)",
        "Whether the setting app.roles, a list with commas, has this role",
        arguments=("text",),
    )


_HELPERS = tuple(_helpers())
