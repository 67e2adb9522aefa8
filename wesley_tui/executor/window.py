"""Windows: when steps that weigh on a database may begin, in the words of whoever keeps the calendar.

``Sun 02:00-05:00 Europe/Berlin``, ``Mon-Fri 22:00-04:00 UTC``, ``Sat,Sun 00:00-24:00 America/New_York``,
``daily 01:00-03:00 Asia/Tokyo``. One that goes past midnight belongs to the day on which it begins. Which time it is
says the server, zone included: the clock of the machine that Wesley runs on does not matter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

__all__ = ["Window"]

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FORM = re.compile(
    r"(?P<days>[A-Za-z,-]+)\s+(?P<from>\d\d?:\d\d)\s*-\s*(?P<to>\d\d?:\d\d)\s+(?P<zone>[A-Za-z0-9_+/-]+)"
)
_EXAMPLE = "write it like 'Sun 02:00-05:00 Europe/Berlin' or 'daily 22:00-04:00 UTC': days, hours, time zone"


@dataclass(frozen=True, slots=True)
class Window:
    text: str
    days: frozenset[int]
    """ISO days on which it begins, Monday is 1."""
    begin: int
    """Minutes after midnight."""
    end: int
    """Minutes after midnight of the day on which it begins; above 1440 when it goes past midnight."""
    zone: str
    """A name that the server's timezone database knows."""

    @classmethod
    def parse(cls, text: str) -> Window:
        """ValueError says what is wrong with it."""
        match = _FORM.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"{text!r} is not a window: {_EXAMPLE}")
        begin, end = _minutes(match["from"]), _minutes(match["to"])
        if begin == end or begin >= 1440:
            raise ValueError(f"{text!r} is not a window: it begins and ends at the same time")
        return cls(text.strip(), _days(match["days"]), begin, end if end > begin else end + 1440, match["zone"])

    def contains(self, local: datetime) -> bool:
        """Whether it is open at this time of its zone."""
        minute = local.hour * 60 + local.minute
        today, yesterday = local.isoweekday(), (local.isoweekday() - 2) % 7 + 1
        return (today in self.days and self.begin <= minute < self.end) or (
            yesterday in self.days and self.begin <= minute + 1440 < self.end
        )


def _minutes(text: str) -> int:
    hours, minutes = map(int, text.split(":"))
    if hours * 60 + minutes > 1440 or minutes > 59:
        raise ValueError(f"{text} is not a time of day")
    return hours * 60 + minutes


def _days(text: str) -> frozenset[int]:
    if text.lower() == "daily":
        return frozenset(range(1, 8))
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        begin, end = _day(first), _day(last or first)
        found |= {(begin - 1 + step) % 7 + 1 for step in range((end - begin) % 7 + 1)}
    return frozenset(found)


def _day(text: str) -> int:
    name = text.strip().lower()[:3]
    if name not in _DAYS:
        raise ValueError(f"{text!r} is not a day of the week: {_EXAMPLE}")
    return _DAYS.index(name) + 1
