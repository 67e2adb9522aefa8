"""Row-level security: ``@rls`` and ``@policy`` to the flags and policies of a table.

``@rls(select:, insert:, update:, delete:)`` makes one policy for each, called ``<table>_<command>``; ``using`` and
``check`` make one for all commands, ``<table>_all``. What may be inserted is said with WITH CHECK, never with USING.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, cast

from wesley_tui.catalog.model import Policy
from wesley_tui.catalog.naming import default_name
from wesley_tui.sdl.expressions import checked
from wesley_tui.sdl.issues import Issues, Spot
from wesley_tui.sdl.names import name_problem, nearest
from wesley_tui.sdl.privileges import read_roles
from wesley_tui.sdl.usage import Use

__all__ = ["explicit_policies", "policies_of"]

Command = Literal["all", "select", "insert", "update", "delete"]
_COMMANDS = ("all", "select", "insert", "update", "delete")


def policies_of(
    table: str, rls: Use | None, written: Sequence[Use], issues: Issues
) -> tuple[list[Policy], dict[str, Spot]]:
    """All policies, sorted by name, and where each is written."""
    made: dict[str, tuple[Policy, Spot]] = {}
    for policy, spot in [*(_shorthand(table, rls, issues) if rls else ()), *explicit_policies(written, issues)]:
        if policy.name in made:
            issues.error(
                "duplicate-policy", f"two policies of {table} are called {policy.name!r}", spot, "name one of them"
            )
        else:
            made[policy.name] = (policy, spot)
    ordered = sorted(made)
    return [made[name][0] for name in ordered], {name: made[name][1] for name in ordered}


def _shorthand(table: str, rls: Use, issues: Issues) -> list[tuple[Policy, Spot]]:
    roles = _roles(rls, issues)
    result = []
    texts = {name: checked(rls, name, issues) for name in ("select", "insert", "update", "delete", "using", "check")}
    check = texts["check"]
    commands: tuple[Command, ...] = ("select", "insert", "update", "delete")
    for command in commands:
        text = texts[command]
        if text is None:
            continue
        using = None if command == "insert" else text
        with_check = text if command == "insert" else None
        if command == "update" and check is not None and texts["using"] is None:
            with_check = check
        name = default_name(table, (), command)
        result.append((Policy(name, command, True, roles, using, with_check), rls.spot_of(command)))
    if texts["using"] is not None or (check is not None and texts["update"] is None):
        name = default_name(table, (), "all")
        spot = rls.spot_of("using" if texts["using"] is not None else "check")
        result.append((Policy(name, "all", True, roles, texts["using"], check), spot))
    if "roles" in rls.arguments and not result:
        issues.warn(
            "roles-without-policy",
            "roles are given, but no expression makes a policy for them: all but the owner see no rows",
            rls.spot_of("roles"),
            "add select, insert, update, delete, using or check",
        )
    return result


def explicit_policies(written: Sequence[Use], issues: Issues) -> list[tuple[Policy, Spot]]:
    """The policies that ``@policy`` declares, each with its place."""
    result = []
    for use in written:
        name = use.get("name")
        if (problem := name_problem(name)) is not None:
            issues.error(problem[0], problem[1], use.spot_of("name"))
            continue
        command = use.get("for", "all").lower()
        if command not in _COMMANDS:
            near = nearest(command, _COMMANDS)
            issues.error(
                "wrong-argument",
                f"a policy is for one of {', '.join(_COMMANDS)}, not {command!r}",
                use.spot_of("for"),
                f"did you mean {near}?" if near else "",
            )
            continue
        using, check = checked(use, "using", issues), checked(use, "check", issues)
        if command == "insert" and "using" in use.arguments:
            issues.error(
                "insert-using",
                f"the policy {name!r} is for insert: PostgreSQL allows only WITH CHECK there",
                use.spot_of("using"),
                "write check: instead of using:",
            )
        if command in ("select", "delete") and "check" in use.arguments:
            issues.error(
                "policy-check",
                f"the policy {name!r} is for {command}: PostgreSQL allows only USING there",
                use.spot_of("check"),
                "write using: instead of check:",
            )
        policy = Policy(
            name,
            cast(Command, command),
            not use.get("restrictive", False),
            _roles(use, issues),
            using,
            check,
            use.get("comment") or None,
        )
        result.append((policy, use.spot))
    return result


def _roles(use: Use, issues: Issues) -> tuple[str, ...]:
    roles = read_roles(use.get("roles") or ("public",), use.spot_of("roles"), issues)
    # PostgreSQL keeps PUBLIC alone: it covers everybody.
    return ("public",) if "public" in roles else roles
