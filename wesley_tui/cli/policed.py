"""``--policy``: what a plan may do. The command gets the policy that counts, and ``planning`` with its profile."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from wesley_tui.services.options import PlanningOptions

__all__ = ["option", "policy"]

_F = TypeVar("_F", bound=Callable[..., Any])


def option(command: _F) -> _F:
    """The bare option: a file or a name, empty when it was not said."""
    return click.option(
        "--policy",
        default="",
        metavar="FILE",
        help="What a plan may do: a TOML file, production or chaos; default: the configuration, then the profile.",
    )(command)


def policy(command: _F) -> _F:
    """Below ``options.planning``, whose ``--profile`` it looks at: one that was said chooses the built-in policy."""

    @functools.wraps(command)
    def with_policy(*arguments: Any, planning: PlanningOptions, policy: str, **values: Any) -> Any:
        from wesley_tui.services.policing import chosen_policy

        source = click.get_current_context().get_parameter_source("profile")
        said = planning.profile if source is not ParameterSource.DEFAULT else None
        found = chosen_policy(policy, said)
        return command(*arguments, planning=replace(planning, profile=found.based_on), policy=found, **values)

    return cast(_F, option(with_policy))
