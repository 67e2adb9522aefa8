"""When a server has least to do, by the hour of the day, and how sure one can be of that.

A run of Wesley, and ``wesley quiet --record``, leave a sample of the transaction counter once a minute at most. The
difference of two samples that lie close together is a rate; without enough of the day on enough days there is no
answer, and that is the answer.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

from wesley_tui.planner.outlook import Quiet

__all__ = ["LoadHour", "quiet_hours"]

_LEAST_DAYS = 3
_LEAST_HOURS = 20
"""Of the 24 hours of the day."""
_LEAST_SECONDS = 300
"""Of one hour of the day, over all days, before it counts as seen."""
_LONGEST_HOURS = 8


class LoadHour(NamedTuple):
    """What was sampled in one hour of one day."""

    day: str
    """``2026-11-20``, UTC."""
    hour: int
    seconds: int
    """For how long of it samples stand."""
    transactions: int


def quiet_hours(samples: Iterable[LoadHour], needed_ms: float) -> Quiet:
    """The quietest run of whole hours that holds ``needed_ms``, with what it is based on."""
    seconds: dict[int, int] = {}
    transactions: dict[int, int] = {}
    days: set[str] = set()
    for sample in samples:
        if sample.seconds > 0:
            days.add(sample.day)
            seconds[sample.hour] = seconds.get(sample.hour, 0) + sample.seconds
            transactions[sample.hour] = transactions.get(sample.hour, 0) + sample.transactions
    rates = {hour: transactions[hour] / spent for hour, spent in seconds.items() if spent >= _LEAST_SECONDS}
    if len(days) < _LEAST_DAYS or len(rates) < _LEAST_HOURS:
        return Quiet(
            "",
            f"not enough history to say: samples of {len(days)} day(s) and {len(rates)} of 24 hours; "
            f"at least {_LEAST_DAYS} days and {_LEAST_HOURS} hours are needed "
            "(let cron call: wesley quiet --record)",
        )
    hours = math.ceil(needed_ms / 3_600_000) or 1
    length = min(_LONGEST_HOURS, hours)
    runs = {
        begin: [rates[(begin + step) % 24] for step in range(length)]
        for begin in range(24)
        if all((begin + step) % 24 in rates for step in range(length))
    }
    if not runs:
        return Quiet("", f"no {length} hours in a row have been sampled")
    begin = min(runs, key=lambda start: (sum(runs[start]), start))
    mean = sum(runs[begin]) / length
    busiest = max(rates, key=lambda hour: rates[hour])
    more = f"; the plan needs about {hours} hours" if hours > length else ""
    return Quiet(
        f"daily {begin:02}:00-{(begin + length - 1) % 24 + 1:02}:00 UTC",
        f"{mean:.1f} transactions a second then, {rates[busiest]:.1f} in the busiest hour ({busiest:02}:00 UTC); from "
        f"samples of {len(days)} days, all days of the week taken together{more}",
        round(mean, 3),
        round(rates[busiest], 3),
    )
