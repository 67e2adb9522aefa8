"""Places where the fault tests kill this process.

``WESLEY_FAILPOINT=after_send:3`` ends the process with SIGKILL the third time it comes by ``after_send``. Without the
variable every call is one dictionary lookup.
"""

from __future__ import annotations

import os
import signal
from collections import Counter

__all__ = ["NAMES", "reached"]

NAMES = (
    "before_send",
    "half_sent",
    "after_send",
    "after_ack",
    "after_intent",
    "after_cleanup",
    "after_run",
    "before_batch",
    "after_batch",
)
_seen: Counter[str] = Counter()


def reached(name: str) -> None:
    """Die here if the environment says so."""
    if due(name):
        os.kill(os.getpid(), signal.SIGKILL)


def due(name: str) -> bool:
    """Whether this is the time to die at ``name``; for a caller that has something to break first."""
    wanted = os.environ.get("WESLEY_FAILPOINT")
    if wanted is None:
        return False
    point, _, count = wanted.partition(":")
    if point != name:
        return False
    _seen[name] += 1
    return _seen[name] == int(count or 1)
