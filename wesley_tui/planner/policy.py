"""Policies: what a plan may do, as data in TOML, and who may do it how often.

A policy has ``[limits]`` (how steps run) and ``[rules]`` (what is refused, what a person must confirm). Two come with
the program, ``production`` and ``chaos``; one's own is ``based_on`` one of them and says what differs. This module
reads them; :mod:`wesley_tui.planner.verdicts` judges by them.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib.resources import files
from typing import Any

from wesley_tui.planner.plan import WAVE_NAMES, HazardClass

__all__ = ["BUILT_IN", "Policy", "PolicyError", "Profile", "Rules", "built_in_policies", "read_policy"]

BUILT_IN = ("production", "chaos")
_MAX_CHARACTERS = 1_000_000


class PolicyError(ValueError):
    """A policy cannot be read: ``str()`` says where, what is wrong, and what to write."""

    def __init__(self, source: str, line: int, column: int, message: str) -> None:
        self.source, self.line, self.column = source, line, column
        super().__init__(f"{source}:{line}:{column}: {message}")


@dataclass(frozen=True, slots=True)
class Profile:
    """The limits of a policy."""

    name: str
    lock_timeout_ms: int
    """The longest a step waits for a lock: whoever comes after it in the queue waits as long."""
    statement_timeout_ms: int
    """The longest a statement runs; index builds and proofs are exempt (0) and watched instead."""
    rewrite_bytes: int = 65_536
    """Up to this size (8 pages) a table may be written again in place when a column changes its type: it takes no
    longer than a change of the catalog. Larger ones get a shadow column."""


@dataclass(frozen=True, slots=True)
class Rules:
    """None, or nothing: the rule does not exist."""

    max_hazard: HazardClass | None = None
    """Steps of a higher class are refused."""
    confirm_hazard: HazardClass | None = None
    """From this class on a step needs a person's confirmation (``--unsafe``)."""
    max_steps_per_wave: int | None = None
    max_steps: int | None = None
    allow_tables: tuple[str, ...] = ()
    """Patterns ``schema.table``; when there is one, a step may lock or write no other table."""
    deny_tables: tuple[str, ...] = ()
    allow_ops: tuple[str, ...] = ()
    """Patterns of operations; when there is one, no other runs."""
    deny_ops: tuple[str, ...] = ()
    allow_functions: tuple[str, ...] = ()
    """Functions with side effects that a ``backfill_sql`` may call."""
    max_rows: int | None = None
    """Rows that a step fills or sorts at most, as estimated."""
    max_written_bytes: int | None = None
    """Bytes that a step writes at most, as estimated."""
    max_step_ms: int | None = None
    """Estimated duration of a step."""
    max_plan_ms: int | None = None
    """Estimated duration of all steps together."""
    max_lock_ms: int | None = None
    """A step that would wait longer for a lock is refused (a hand-written plan may ask for more)."""
    max_stmt_ms: int | None = None
    max_rows_per_second: int | None = None
    """A backfill must be throttled to this rate or less."""
    require_window: tuple[str, ...] = ()
    """Waves whose steps run only within a window (``--window``)."""
    cooldown_s: int | None = None
    """Seconds since the last run ended, whoever started it."""
    plans_per_user_per_day: int | None = None
    """Plans that one person may run within 24 hours."""


@dataclass(frozen=True, slots=True)
class Policy:
    name: str
    based_on: str
    """The built-in policy whose name a plan carries as its profile."""
    limits: Profile
    rules: Rules = field(default_factory=Rules)
    origin: Mapping[str, str] = field(default_factory=dict)
    """Rule → name of the policy that says it."""


@lru_cache(maxsize=1)
def built_in_policies() -> Mapping[str, Policy]:
    folder = files("wesley_tui.planner").joinpath("policies")
    return {
        name: read_policy(f"{name}.toml", folder.joinpath(f"{name}.toml").read_text(encoding="utf-8"))
        for name in BUILT_IN
    }


_LIMITS = {"max_lock_ms": "lock_timeout_ms", "max_stmt_ms": "statement_timeout_ms", "rewrite_bytes": "rewrite_bytes"}
_BOUNDS: Mapping[str, tuple[int, int]] = {
    "max_lock_ms": (50, 30_000),
    "max_stmt_ms": (1_000, 300_000),
    "rewrite_bytes": (0, 2**40),
    "max_steps_per_wave": (1, 10_000),
    "max_steps": (1, 100_000),
    "max_rows": (0, 2**60),
    "max_written_bytes": (0, 2**60),
    "max_step_ms": (1, 2**40),
    "max_plan_ms": (1, 2**40),
    "max_rows_per_second": (1, 10_000_000),
    "cooldown_s": (0, 31_536_000),
    "plans_per_user_per_day": (0, 100_000),
}
_RULES = tuple(item.name for item in dataclasses.fields(Rules))
_TABLE = re.compile(r"[^.\s]+\.[^.\s]+")
_OPERATION = re.compile(r"[a-z0-9_*?]+")


def read_policy(source: str, text: str) -> Policy:
    """The policy in ``text``; raises :class:`PolicyError` with line and column."""
    if len(text) > _MAX_CHARACTERS:
        raise PolicyError(source, 1, 1, f"{len(text):,} characters: a policy has at most {_MAX_CHARACTERS:,}")
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        end = text.count("\n") + 1, len(text) - text.rfind("\n")
        line, column = (int(place[1]), int(place[2])) if place else end
        message = re.sub(r"\s*\(at .*\)$", "", str(error))
        raise PolicyError(source, line, column, f"{message}: this is not TOML") from None
    except (RecursionError, ValueError) as error:
        raise PolicyError(source, 1, 1, f"this cannot be read: {error}") from None
    return _Reader(source, text).policy(data)


class _Reader:
    def __init__(self, source: str, text: str) -> None:
        self._source = source
        self._lines = text.split("\n")

    def error(self, key: str, message: str) -> PolicyError:
        """At the line of ``key``; the first one when it stands nowhere."""
        pattern = re.compile(rf'\s*\[?\s*"?{re.escape(key)}"?\s*[=\].]')
        for number, line in enumerate(self._lines, 1):
            if pattern.match(line):
                return PolicyError(self._source, number, len(line) - len(line.lstrip()) + 1, message)
        return PolicyError(self._source, 1, 1, message)

    def policy(self, data: Mapping[str, Any]) -> Policy:
        self._known(data, ("name", "based_on", "limits", "rules"), "a policy")
        name = data.get("name")
        if not isinstance(name, str) or not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,39}", name):
            raise self.error("name", 'name = "…" is expected: lower-case letters, digits, - and _')
        if name in BUILT_IN and self._source == f"{name}.toml":
            base = Policy(name, name, Profile(name, 5_000, 30_000))
        elif name in BUILT_IN:
            raise self.error("name", f"{name} comes with the program: choose another name, and based_on = {name!r}")
        else:
            base = self._base(data)
        limits = self._limits(self._section(data, "limits"), base.limits)
        given = self._rules(self._section(data, "rules"))
        origin = {**base.origin, **dict.fromkeys(given, name)}
        return Policy(name, base.based_on, limits, replace(base.rules, **given), origin)

    def _base(self, data: Mapping[str, Any]) -> Policy:
        base = data.get("based_on", "production")
        if base not in BUILT_IN:
            raise self.error("based_on", f"there is no policy {base!r:.40} to start from: {' or '.join(BUILT_IN)}")
        return built_in_policies()[base]

    def _known(self, data: Mapping[str, Any], names: tuple[str, ...], what: str) -> None:
        for key in data:
            if key not in names:
                near = difflib.get_close_matches(key, names, 1)
                hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(names)}"
                raise self.error(key, f"{what} has no {key}; {hint}")

    def _section(self, data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        section = data.get(name, {})
        if not isinstance(section, dict):
            raise self.error(name, f"[{name}] is a table: write its keys on the lines below")
        return section

    def _limits(self, section: Mapping[str, Any], base: Profile) -> Profile:
        self._known(section, tuple(_LIMITS), "[limits]")
        values: dict[str, Any] = {_LIMITS[key]: self._number(key, value) for key, value in section.items()}
        return replace(base, **values)

    def _rules(self, section: Mapping[str, Any]) -> dict[str, Any]:
        self._known(section, _RULES, "[rules]")
        return {key: self._rule(key, value) for key, value in section.items()}

    def _rule(self, key: str, value: Any) -> Any:
        match key:
            case "max_hazard" | "confirm_hazard":
                return self._hazard(key, value)
            case "allow_tables" | "deny_tables":
                return self._texts(key, value, lambda text: bool(_TABLE.fullmatch(text)), '["public.*"]')
            case "allow_ops" | "deny_ops":
                return self._texts(key, value, lambda text: bool(_OPERATION.fullmatch(text)), '["drop_*"]')
            case "allow_functions":
                return self._texts(key, value, bool, '["nextval", "public.score"]')
            case "require_window":
                return self._texts(key, value, lambda text: text in WAVE_NAMES, '["VALIDATE", "CONTRACT"]')
            case _:
                return self._number(key, value)

    def _hazard(self, key: str, value: Any) -> HazardClass:
        if not isinstance(value, str) or value not in HazardClass.__members__:
            raise self.error(key, f'{key} is one of "H0", "H1", "H2", "H3"')
        return HazardClass[value]

    def _texts(self, key: str, value: Any, fits: Callable[[str], bool], example: str) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(item, str) and fits(item) for item in value):
            raise self.error(key, f"{key} is a list of texts such as {example}")
        return tuple(value)

    def _number(self, key: str, value: Any) -> int:
        least, most = _BOUNDS[key]
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self.error(key, f"{key} is a whole number from {least} to {most}")
        return value
