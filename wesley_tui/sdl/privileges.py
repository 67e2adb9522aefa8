"""Privileges: ``@grant`` and ``GRANT …`` to the lines of an access control list."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from wesley_tui.catalog.model import Grant
from wesley_tui.sdl.addresses import Address, address_of_node, read_address
from wesley_tui.sdl.expressions import sql_spot
from wesley_tui.sdl.issues import Issues, Spot
from wesley_tui.sdl.names import name_problem, nearest
from wesley_tui.sdl.sqltext import SqlError, parse_one
from wesley_tui.sdl.usage import Use

__all__ = ["Granting", "all_privileges", "grant_lines", "read_granting", "read_roles", "sorted_grants"]

_TABLE = ("DELETE", "INSERT", "REFERENCES", "SELECT", "TRIGGER", "TRUNCATE", "UPDATE")
_ALL: Mapping[str, tuple[str, ...]] = {
    "table": _TABLE,
    "view": _TABLE,
    "materialized view": _TABLE,
    "foreign table": _TABLE,
    "server": ("USAGE",),
    "foreign-data wrapper": ("USAGE",),
    "column": ("INSERT", "REFERENCES", "SELECT", "UPDATE"),
    "sequence": ("SELECT", "UPDATE", "USAGE"),
    "schema": ("CREATE", "USAGE"),
    "function": ("EXECUTE",),
    "procedure": ("EXECUTE",),
    "routine": ("EXECUTE",),
    "aggregate": ("EXECUTE",),
    "type": ("USAGE",),
    "enum": ("USAGE",),
    "domain": ("USAGE",),
    "composite type": ("USAGE",),
    "range type": ("USAGE",),
}
"""``ACL_ALL_RIGHTS_…`` of ``acl.h``, without MAINTAIN, which servers before 17 do not know."""
_KNOWN = frozenset(("ALL", "MAINTAIN", *(privilege for several in _ALL.values() for privilege in several)))


class Granting(NamedTuple):
    """One ``@grant``, before it is known what kind of object it is about."""

    address: Address | None
    """None for the type that it stands on."""
    roles: tuple[str, ...]
    privileges: tuple[str, ...]
    """In capitals; ``ALL`` stands for what the kind has."""
    columns: tuple[str, ...]
    grantable: bool
    spot: Spot
    at: Spot
    """Where the object is named."""
    revoked: bool = False


def all_privileges(kind: str) -> tuple[str, ...]:
    """What ``ALL PRIVILEGES`` means for an object of this kind."""
    return _ALL.get(kind, ())


def grant_lines(granting: Granting, kind: str) -> list[Grant]:
    """The lines that it adds to the object of this kind."""
    lines = []
    for privilege in granting.privileges:
        several = all_privileges("column" if granting.columns else kind) if privilege == "ALL" else (privilege,)
        for one in several:
            for role in granting.roles:
                lines += [
                    Grant(role, one, granting.grantable, column, granting.revoked)
                    for column in granting.columns or (None,)
                ]
    return lines


def sorted_grants(lines: Iterable[Grant]) -> tuple[Grant, ...]:
    """Each line once, in the order of records."""
    key = operator.attrgetter("grantee", "privilege")
    return tuple(sorted(set(lines), key=lambda line: (line.column or "", *key(line), line.grantable, line.revoked)))


def read_roles(roles: Iterable[str], spot: Spot, issues: Issues) -> tuple[str, ...]:
    """Roles as identifiers, sorted; ``public`` alone covers everybody."""
    found = set(roles)
    for role in found:
        problem = name_problem(role)
        if problem is not None:
            issues.error(problem[0], problem[1], spot)
        elif role[0] in "'\"" and role[-1] == role[0] and len(role) > 1:
            issues.error(
                "quoted-role",
                f"the role {role} is written with quotes of SQL inside the text",
                spot,
                f'write "{role[1:-1]}": quotes are added where they are needed',
            )
    return tuple(sorted(found))


def read_granting(use: Use, issues: Issues, *, on_schema: bool) -> list[Granting]:
    """What one ``@grant`` or ``@revoke`` says; several with ``sql`` that names several objects."""
    if "sql" in use.arguments:
        if not on_schema or len(use.arguments) > 1:
            issues.error("wrong-argument", "@grant takes sql alone, and on the schema", use.spot_of("sql"))
            return []
        return _from_sql(use, issues)
    if not on_schema and "on" in use.arguments:
        issues.error("wrong-argument", "on a type the grant is about that type", use.spot_of("on"), "leave on: away")
        return []
    address = None
    if on_schema:
        if "on" not in use.arguments:
            issues.error(
                "missing-argument",
                f"@{use.name} on the schema needs on: on what?",
                use.spot,
                'on: "function f(integer)"',
            )
            return []
        try:
            address = read_address(use.get("on"))
        except SqlError as error:
            issues.error(
                "wrong-address",
                f"@{use.name}(on:) names no object: {error}",
                sql_spot(use, "on", error.offset),
                "table users · function f(integer) · schema app · sequence s · type mood",
            )
            return []
    roles = "from" if use.name == "revoke" else "to"
    for needed in (roles, "privileges"):
        if not use.get(needed):
            issues.error("missing-argument", f"@{use.name} needs {needed}", use.spot)
            return []
    return [
        Granting(
            address,
            read_roles(use.get(roles), use.spot_of(roles), issues),
            _privileges(use.get("privileges"), use, issues),
            tuple(use.get("columns") or ()),
            bool(use.get("grantable", False)),
            use.spot,
            use.spot_of("on"),
            use.name == "revoke",
        )
    ]


def _privileges(words: Sequence[str], use: Use, issues: Issues) -> tuple[str, ...]:
    result = []
    for word in words:
        privilege = word.strip().upper().removesuffix(" PRIVILEGES")
        if privilege not in _KNOWN:
            near = nearest(privilege, _KNOWN)
            issues.error(
                "wrong-privilege",
                f"{word!r} is no privilege of PostgreSQL",
                use.spot_of("privileges"),
                f"did you mean {near}?" if near else ", ".join(sorted(_KNOWN)),
            )
        else:
            result.append(privilege)
    return tuple(result)


def _from_sql(use: Use, issues: Issues) -> list[Granting]:
    try:
        node = parse_one("", use.get("sql"), "")["stmts"][0]["stmt"].get("GrantStmt")
        if node is None or not node.get("is_grant") or node.get("targtype") != "ACL_TARGET_OBJECT":
            raise SqlError("@grant holds one GRANT … ON … TO …", 0)
        addresses = [address_of_node(str(node["objtype"]), item) for item in node["objects"]]
    except SqlError as error:
        issues.error("wrong-statement", f"@grant(sql:): {error}", sql_spot(use, "sql", error.offset))
        return []
    roles = tuple(sorted(item["RoleSpec"].get("rolename", "public") for item in node["grantees"]))
    grantable = bool(node.get("grant_option"))
    result = []
    for address in addresses:
        for privilege in [item["AccessPriv"] for item in node.get("privileges", ())] or [{"priv_name": "all"}]:
            columns = tuple(column["String"]["sval"] for column in privilege.get("cols", ()))
            word = privilege.get("priv_name", "all").upper()
            spot = use.spot_of("sql")
            result.append(Granting(address, roles, (word,), columns, grantable, spot, spot))
    return result
