"""Which policy counts, what it says about a plan, and that nothing runs against it.

The policy is the one that ``--policy`` names, else the one of the configuration
(``$XDG_CONFIG_HOME/wesley/config.toml``), else the built-in one with the name of the profile.
"""

from __future__ import annotations

import getpass
import tomllib
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from wesley_tui.services.errors import InputError, ServiceError
from wesley_tui.services.sources import read_bytes

if TYPE_CHECKING:
    from datetime import datetime

    from wesley_tui.planner.plan import Plan
    from wesley_tui.planner.policy import Policy
    from wesley_tui.planner.verdicts import PastRun, PlanVerdict
    from wesley_tui.services.target import Target

__all__ = [
    "PolicyRefused",
    "allow_contract",
    "by_policy",
    "chosen_policy",
    "config_path",
    "enforce",
    "for_plan_file",
    "verdict_of",
]


class PolicyRefused(ServiceError):
    """A policy does not let the plan run; nothing was changed."""

    def __init__(self, message: str, verdict: PlanVerdict) -> None:
        super().__init__(message)
        self.verdict = verdict


def config_path() -> Path:
    """The configuration of the user, which need not exist."""
    from platformdirs import user_config_path

    return user_config_path("wesley") / "config.toml"


def chosen_policy(given: str, profile: str | None) -> Policy:
    """``given``: what ``--policy`` says, a file or the name of a built-in policy; ``profile``: what ``--profile`` says,
    None when it was not said.

    Raises ``InputError`` for a file that cannot be read or does not fit ``profile``, ``PolicyError`` for its content.
    """
    from wesley_tui.planner.policy import built_in_policies

    configured_policy, configured_profile = ("", "") if given else _configured()
    named = given or configured_policy
    wanted = profile or configured_profile
    if not named or (profile is not None and not given):
        # A profile that was asked for by name counts more than what the configuration says.
        return built_in_policies()[wanted or "production"]
    policy = built_in_policies().get(named) or _from_file(Path(named))
    if profile is not None and profile != policy.based_on:
        raise InputError(
            f"policy {policy.name} is based on {policy.based_on}, and --profile says {profile}: leave --profile out, "
            f'or write based_on = "{profile}" into the policy'
        )
    return policy


def _from_file(path: Path) -> Policy:
    from wesley_tui.planner.policy import read_policy

    data = read_bytes(path)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"{path}:{line}: this byte is not UTF-8: save the policy as UTF-8") from None
    return read_policy(str(path), text)


def _configured() -> tuple[str, str]:
    """Policy and profile of the configuration, empty texts when it says nothing."""
    from wesley_tui.planner.policy import BUILT_IN, PolicyError

    path = config_path()
    if not path.is_file():
        return "", ""
    try:
        text = read_bytes(path).decode("utf-8-sig")
        section = tomllib.loads(text).get("wesley", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PolicyError(str(path), 1, 1, f"the configuration cannot be read: {error}") from None
    if not isinstance(section, dict):
        raise PolicyError(str(path), 1, 1, '[wesley] is a table: policy = "team.toml", profile = "chaos"')
    policy, profile = section.get("policy", ""), section.get("profile", "")
    if not isinstance(policy, str) or not isinstance(profile, str) or profile not in ("", *BUILT_IN):
        raise PolicyError(
            str(path), _line_of(text, "policy", "profile"), 1,
            f'[wesley] has policy = "FILE.toml" and profile = "{" or ".join(BUILT_IN)}"',
        )  # fmt: skip
    if policy and policy not in BUILT_IN:
        policy = str(path.parent / Path(policy).expanduser())
    return policy, profile


def _line_of(text: str, *keys: str) -> int:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip().startswith(keys):
            return number
    return 1


def verdict_of(target: Target, plan: Plan, policy: Policy, windows: Collection[str] | None = None) -> PlanVerdict:
    """What ``policy`` says about ``plan``; the database is asked for its history and its clock only when a rule looks
    at them. ``windows``: the waves that wait for a window, None when that is not decided yet."""
    from wesley_tui.planner.verdicts import judge_plan

    rules = policy.rules
    now: datetime | None = None
    history: tuple[PastRun, ...] = ()
    if (rules.cooldown_s is not None or rules.plans_per_user_per_day is not None) and any(plan.steps):
        now, history = _history(target, plan)
    return judge_plan(plan, policy, actor=getpass.getuser(), now=now, history=history, windows=windows)


_UNTIL = 10_000
"""More runs than a day has."""


def _history(target: Target, plan: Plan) -> tuple[datetime, tuple[PastRun, ...]]:
    """The server's time and its runs. A run that stopped on the way to the very target of ``plan`` is not looked at:
    to go on with it is nothing new."""
    from wesley_tui.executor import ledger
    from wesley_tui.planner.verdicts import PastRun
    from wesley_tui.services.audit import unfinished_run

    unfinished = unfinished_run(target, plan)
    own = unfinished.summary.plan_id if unfinished is not None else plan.plan_id
    runs = tuple(
        PastRun(plan.plan_id if run.plan_id == own else run.plan_id, run.actor, run.started, run.finished)
        for run in ledger.history(target.conninfo, _UNTIL)
    )
    with ledger.reading(target.conninfo) as connection:
        row = connection.execute("SELECT pg_catalog.clock_timestamp()").fetchone()
    assert row is not None
    return row[0], runs


def allow_contract(target: Target, run_id: int | None, given: str, windows: Collection[str]) -> None:
    """Raise :class:`PolicyRefused` when the policy does not let the CONTRACT wave of a run go on. It is no new plan:
    the history is not asked, and what has run already is not judged again."""
    from wesley_tui.planner.verdicts import judge_plan
    from wesley_tui.services.audit import read_run

    stored = read_run(target, run_id)
    if stored is None:
        return
    policy = for_plan_file(stored.plan, chosen_policy(given, None))
    left = replace(stored.plan, waves=tuple(wave for wave in stored.plan.waves if wave.name == "CONTRACT"))
    enforce(judge_plan(left, policy, windows=windows), contract=True)


def enforce(verdict: PlanVerdict, *, contract: bool) -> None:
    """Raise :class:`PolicyRefused` when a rule refuses the plan, or a step that would run. What needs confirmation is
    asked for by the review."""
    refused = [item for item in verdict.plan if item.decision == "refused"]
    steps = [
        item for item in verdict.steps
        if item.verdict.decision == "refused" and (contract or item.wave != "CONTRACT")
    ]  # fmt: skip
    if not refused and not steps:
        return
    said = [f"{item.message} ({item.rule}, policy {item.policy})" for item in refused]
    said += [f"step {item.ordinal}: {item.verdict.message} ({item.verdict.rule}, policy {item.verdict.policy})"
             for item in steps[:10]]  # fmt: skip
    more = f" and {len(steps) - 10} more steps" if len(steps) > 10 else ""
    raise PolicyRefused(
        f"policy {verdict.policy} refuses this plan: {'; '.join(said)}{more}. Nothing was changed; change the plan, or "
        "have the policy changed",
        verdict,
    )


def by_policy(plan: Plan, policy: Policy) -> Plan:
    """``plan``, which was made by the limits of its profile, with the limits of ``policy``."""
    from wesley_tui.planner.policy import built_in_policies
    from wesley_tui.planner.verdicts import within_limits

    return within_limits(plan, policy, built_in_policies()[policy.based_on])


def for_plan_file(plan: Plan, policy: Policy) -> Policy:
    """The policy under which a plan file runs: one that was made for ``chaos`` is not let loose by a milder default."""
    from wesley_tui.planner.policy import built_in_policies

    milder = policy.based_on == "production" and plan.profile == "chaos"
    return built_in_policies()["chaos"] if milder else policy
