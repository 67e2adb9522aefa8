"""Lines of access control lists, gathered to as few ``@grant`` as say the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from wesley_tui.catalog.model import Grant
from wesley_tui.sdl.render import Arguments

__all__ = ["grant_directives"]

_Key = tuple[tuple[str, ...], tuple[str, ...], bool]


def grant_directives(
    grants: Iterable[Grant],
    *,
    on: str | None = None,
    columns: Callable[[Iterable[str]], list[str]] = list,
) -> Iterator[tuple[str, Arguments]]:
    """(``grant`` or ``revoke``, arguments), in a stable order: roles with the same privileges together.

    ``on`` names the object where the directive does not stand on it; ``columns`` spells columns.
    """
    grants = list(grants)
    place: Arguments = [("on", on)] if on is not None else []
    gathered: dict[_Key, list[str]] = {}
    for (role, grantable), lines in _by_role(line for line in grants if not line.revoked).items():
        for privileges, names in lines:
            gathered.setdefault((privileges, names, grantable), []).append(role)
    for (privileges, names, grantable), roles in sorted(gathered.items(), key=lambda item: (item[0][1], item[1])):
        arguments: Arguments = [*place, ("to", sorted(roles)), ("privileges", list(privileges))]
        if names:
            arguments.append(("columns", columns(names)))
        if grantable:
            arguments.append(("grantable", True))
        yield "grant", arguments
    for role in sorted({line.grantee for line in grants if line.revoked}):
        taken = sorted({line.privilege for line in grants if line.revoked and line.grantee == role})
        yield "revoke", [*place, ("from", [role]), ("privileges", taken)]


def _by_role(grants: Iterable[Grant]) -> dict[tuple[str, bool], list[tuple[tuple[str, ...], tuple[str, ...]]]]:
    """(role, grantable) → (privileges, columns); privileges on the same columns together."""
    columns: dict[tuple[str, bool, str], set[str | None]] = {}
    for line in grants:
        columns.setdefault((line.grantee, line.grantable, line.privilege), set()).add(line.column)
    groups: dict[tuple[str, bool, tuple[str, ...]], list[str]] = {}
    for (role, grantable, privilege), names in columns.items():
        if None in names:
            groups.setdefault((role, grantable, ()), []).append(privilege)
        parts = tuple(sorted(name for name in names if name is not None))
        if parts:
            groups.setdefault((role, grantable, parts), []).append(privilege)
    result: dict[tuple[str, bool], list[tuple[tuple[str, ...], tuple[str, ...]]]] = {}
    for (role, grantable, parts), privileges in groups.items():
        result.setdefault((role, grantable), []).append((tuple(sorted(privileges)), parts))
    return result
