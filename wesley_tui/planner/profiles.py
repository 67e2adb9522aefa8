"""Profiles: how long a step may wait for a lock, and how long a statement may run.

They are the ``[limits]`` of the policies that come with the program (:mod:`wesley_tui.planner.policy`).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from wesley_tui.planner.policy import Profile, built_in_policies

__all__ = ["PROFILES", "Profile", "profile_named"]


PROFILES: Mapping[str, Profile] = MappingProxyType({name: item.limits for name, item in built_in_policies().items()})


def profile_named(name: str) -> Profile:
    """Raises ``ValueError`` with the names that exist."""
    try:
        return PROFILES[name]
    except KeyError:
        raise ValueError(f"there is no profile {name!r}: choose one of {', '.join(PROFILES)}") from None
