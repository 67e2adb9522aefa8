"""What may be chosen about a run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from psycopg import AsyncConnection

from wesley_tui.executor.governor import Knobs
from wesley_tui.executor.retry import RetryPolicy
from wesley_tui.executor.review import ReviewToken
from wesley_tui.planner.plan import Plan

__all__ = ["Digests", "ReadDigests", "ReadFingerprint", "RunOptions", "Verify"]

ReadFingerprint = Callable[[AsyncConnection[Any], tuple[str, ...]], Awaitable[str]]
"""Reads the live catalog over a fresh autocommit connection and gives its fingerprint, restricted to a plan's
``scope``. The executor does not know catalogs; whoever starts a run does."""

Digests = Mapping[str, Mapping[str, str]]
"""What a catalog held: each object of a plan's ``scope`` that is there, with its digest under ``""`` and those of its
parts (``column v``) under their names, as far as they are told apart."""

ReadDigests = Callable[[Plan], Digests]
"""Reads the live catalog, in a thread of its own. Two of the same plan say what has changed between them."""

Verify = Callable[[Plan, Collection[str]], bool | None]
"""Reads the database again after a run that came to its end, in a thread of its own, and says whether it is what the
plan was made for; None when that cannot be told. It gets the plan and the ``step_sha`` of all steps that are done."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    lock_patience_s: float = 5.0
    """How long to try for the run lock."""
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    fingerprint: ReadFingerprint | None = None
    """When given, a run starts only if the live catalog is still ``plan.base``."""
    digests: ReadDigests | None = None
    """When given, a run that leaves CONTRACT for later keeps them, and CONTRACT begins only if they are the same."""
    verify: Verify | None = None
    knobs: Knobs = field(default_factory=Knobs)
    """Limits to begin with; they can be changed while the run goes on."""
    orphan_patience_s: float = 3.0
    """How long a resumed run waits for a statement of the dead one before it cancels it, and again before it
    terminates that session."""
    token: ReviewToken | None = None
    """For a resume that should run more than was reviewed (the CONTRACT wave): the new review."""
    seed: int | None = None
    """Of the jitter of pauses; None: the system's randomness."""
