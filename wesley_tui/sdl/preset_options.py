"""The options of row-level security presets, as people write them, checked against the table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from wesley_tui.catalog.model import QName
from wesley_tui.sdl.environment import Environment
from wesley_tui.sdl.issues import Issues, Spot
from wesley_tui.sdl.names import nearest, snake_case
from wesley_tui.sdl.partitions import parent_name
from wesley_tui.sdl.presets import Preset
from wesley_tui.sdl.privileges import read_roles
from wesley_tui.sdl.usage import Use

__all__ = ["PRESETS", "Option", "PresetSpec", "presets_of"]


class Option(NamedTuple):
    name: str
    kind: str
    """``column`` of this table, ``table``, or ``text``."""
    doc: str
    default: str | None = None
    required: bool = False
    aliases: tuple[str, ...] = ()


class PresetSpec(NamedTuple):
    name: str
    doc: str
    options: tuple[Option, ...]


PRESETS: tuple[PresetSpec, ...] = (
    PresetSpec(
        "owner",
        "Rows belong to users: each sees and changes its own.",
        (Option("column", "column", "Whose row it is.", "owner_id", aliases=("owner_column",)),),
    ),
    PresetSpec(
        "tenant",
        "Rows belong to tenants, and stay there whatever other policies allow.",
        (
            Option("column", "column", "Whose row it is.", "tenant_id", aliases=("tenant_column", "by")),
            Option("membership_table", "table", "Who belongs to which tenants.", aliases=("membership",)),
            Option("membership_tenant", "text", "Its column with the tenant; default: the same name as here."),
            Option("membership_user", "text", "Its column with the user.", "user_id"),
        ),
    ),
    PresetSpec(
        "public-read",
        "Everybody reads.",
        (
            Option("write", "text", "Who writes: `nobody` (default), `authenticated`, or `owner` with `column`."),
            Option("column", "column", "Whose row it is.", aliases=("owner_column",)),
        ),
    ),
    PresetSpec("authenticated", "Whoever is signed in may do everything; nobody else anything.", ()),
    PresetSpec(
        "admin-only",
        "Only administrators.",
        (
            Option("claim", "text", "A word in the setting `app.roles`.", "admin"),
            Option("role", "text", "Instead: a role of the database."),
        ),
    ),
    PresetSpec(
        "soft-delete",
        "Rows that are marked as deleted are gone for everybody; DELETE is for nobody.",
        (Option("column", "column", "When it was deleted; null while it lives.", "deleted_at"),),
    ),
    PresetSpec(
        "time-window",
        "Rows are there from one time to another.",
        (
            Option("from", "column", "Since when; null: since ever.", "valid_from", aliases=("from_column",)),
            Option("to", "column", "Until when; null: for ever.", "valid_to", aliases=("to_column",)),
        ),
    ),
    PresetSpec(
        "hierarchical",
        "Rows belong to the nodes of a tree: a tenant sees its own and those below.",
        (
            Option("column", "column", "The node that the row belongs to.", "unit_id", aliases=("unit_column",)),
            Option("tree", "table", "The table of the tree.", required=True, aliases=("table", "tree_table")),
            Option("key", "text", "Key of the tree.", "id"),
            Option("parent", "text", "Its column with the parent.", "parent_id", aliases=("parent_column",)),
        ),
    ),
)
_BY_NAME = {spec.name: spec for spec in PRESETS}


def presets_of(
    table: QName,
    uses: Mapping[str, Sequence[Use]],
    columns: Mapping[str, object],
    fields: Mapping[str, str],
    failed: frozenset[str],
    environment: Environment,
    issues: Issues,
) -> tuple[Preset, ...]:
    """Every preset that a type asks for, in a fixed order; wrong ones are reported and left out."""
    reader = _Reader(table, columns, fields, failed, environment, issues)
    rls = uses["rls"][0] if uses.get("rls") else None
    roles: tuple[str, ...] = ("public",)
    if rls is not None and "roles" in rls.arguments:
        roles = read_roles(rls.get("roles"), rls.spot_of("roles"), issues)
        roles = ("public",) if "public" in roles else roles
    found: list[Preset | None] = []
    for use in uses.get("tenant", ()):
        texts = {
            "column": use.get("by"),
            **({"membership_table": use.get("membership")} if use.get("membership") else {}),
        }
        found.append(reader.read("tenant", texts, {"column": use.spot_of("by")}, use.spot, roles))
    for use in uses.get("owner", ()):
        texts = {"column": use.get("column")}
        found.append(reader.read("owner", texts, {"column": use.spot_of("column")}, use.spot, roles))
    if rls is not None and "preset" in rls.arguments:
        name = rls.get("preset").lower().replace("_", "-")
        if name not in _BY_NAME:
            near = nearest(name, _BY_NAME)
            issues.error(
                "unknown-preset",
                f"there is no preset {rls.get('preset')!r}",
                rls.spot_of("preset"),
                f"did you mean {near}?" if near else f"there are {', '.join(_BY_NAME)}",
            )
        elif name in ("tenant", "owner") and uses.get(name):
            issues.error("repeated-directive", f"@{name} says this already", rls.spot_of("preset"), "keep one of them")
        else:
            spots = _option_spots(rls)
            found.append(reader.read(name, dict(rls.get("options") or ()), spots, rls.spot_of("preset"), roles))
    elif rls is not None and "options" in rls.arguments:
        issues.error("wrong-argument", "options are those of a preset, and there is none", rls.spot_of("options"))
    return tuple(preset for preset in found if preset is not None)


def _option_spots(use: Use) -> dict[str, Spot]:
    value = use.values.get("options")
    if value is None or value.kind != "object":
        return {}
    return {snake_case(name): Spot(use.spot.part, item.at) for name, item in value.value}


class _Reader:
    def __init__(
        self,
        table: QName,
        columns: Mapping[str, object],
        fields: Mapping[str, str],
        failed: frozenset[str],
        environment: Environment,
        issues: Issues,
    ) -> None:
        self._table = table
        self._columns = columns
        self._fields = fields
        self._failed = failed
        self._environment = environment
        self._issues = issues

    def read(
        self, name: str, given: Mapping[str, str], spots: Mapping[str, Spot], spot: Spot, roles: tuple[str, ...]
    ) -> Preset | None:
        spec = _BY_NAME[name]
        before = len(self._issues)
        by_name = {word: option for option in spec.options for word in (option.name, *option.aliases)}
        values: dict[str, tuple[str, Spot]] = {}
        for word, value in given.items():
            known_option = by_name.get(snake_case(word))
            if known_option is None:
                near = nearest(snake_case(word), by_name)
                known = ", ".join(item.name for item in spec.options) or "none"
                self._issues.error(
                    "unknown-option",
                    f"the preset {name} has no option {word!r}",
                    spots.get(snake_case(word), spot),
                    f"did you mean {near}?" if near else f"it has {known}",
                )
            else:
                values[known_option.name] = value, spots.get(snake_case(word), spot)
        columns: dict[str, str] = {}
        texts: dict[str, str] = {}
        other: QName | None = None
        for option in spec.options:
            text: str | None = option.default
            place = spot
            if option.name in values:
                text, place = values[option.name]
            if text is None:
                if option.required:
                    self._issues.error("missing-argument", f"the preset {name} needs the option {option.name}", spot)
            elif option.kind == "column":
                column = self._column(text, name, place, default=option.name not in values)
                if column is not None:
                    columns[option.name] = column
            elif option.kind == "table":
                other = self._other(text, place)
            else:
                texts[option.name] = text
        if name == "tenant" and columns:
            texts.setdefault("membership_tenant", columns["column"])
        if name == "public-read":
            self._public_read(texts, columns, values, spot)
        if len(self._issues) > before:
            return None
        return Preset(name, columns, texts, other, roles, spot)

    def _public_read(
        self, texts: dict[str, str], columns: Mapping[str, str], values: Mapping[str, tuple[str, Spot]], spot: Spot
    ) -> None:
        write = texts.setdefault("write", "owner" if columns else "nobody")
        if write not in ("nobody", "owner", "authenticated"):
            near = nearest(write, ("nobody", "owner", "authenticated"))
            self._issues.error(
                "wrong-argument",
                f"write is nobody, owner or authenticated, not {write!r}",
                values["write"][1],
                f"did you mean {near}?" if near else "",
            )
        elif write == "owner" and not columns:
            self._issues.error("missing-argument", "write: owner needs column: whose row is it?", spot)

    def _column(self, text: str, preset: str, spot: Spot, *, default: bool) -> str | None:
        column = self._fields.get(text, text)
        if column in self._columns:
            return column
        if column not in self._failed and text not in self._failed:
            near = nearest(text, [*self._fields, *self._columns])
            self._issues.error(
                "unknown-column",
                f"the preset {preset} is about the column {text!r}, and table {self._table.name!r} has none"
                + (" (that is its default)" if default else ""),
                spot,
                f"did you mean {near}?" if near else "say which column in options",
            )
        return None

    def _other(self, text: str, spot: Spot) -> QName | None:
        name = parent_name(text, self._environment)
        if name is None or (text[:1].isupper() and self._environment.type(text) is None):
            near = self._environment.nearest_type(text)
            self._issues.error(
                "unknown-type", f"{text!r} is no table of this schema", spot, f"did you mean {near}?" if near else ""
            )
            return None
        if name == self._table:
            self._issues.error(
                "circular-policy",
                f"a policy on {name} that reads {name} asks itself for ever",
                spot,
                "keep memberships, or the tree, in a table of their own",
            )
            return None
        return name
