"""Windows: what they say, and when they are open."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wesley_tui.executor.governor import Knobs
from wesley_tui.executor.window import Window

MONDAY = datetime(2024, 1, 1)


def open_at(text: str, day: int, clock: str) -> bool:
    """``day``: 1 is Monday."""
    hours, minutes = map(int, clock.split(":"))
    return Window.parse(text).contains(MONDAY + timedelta(days=day - 1, hours=hours, minutes=minutes))


@pytest.mark.parametrize(
    ("text", "day", "clock", "is_open"),
    [
        ("Sun 02:00-05:00 Europe/Berlin", 7, "02:00", True),
        ("Sun 02:00-05:00 Europe/Berlin", 7, "04:59", True),
        ("Sun 02:00-05:00 Europe/Berlin", 7, "05:00", False),
        ("Sun 02:00-05:00 Europe/Berlin", 1, "03:00", False),
        ("Sun 22:00-04:00 UTC", 1, "03:59", True),
        ("Sun 22:00-04:00 UTC", 7, "03:59", False),
        ("Fri-Mon 00:00-24:00 UTC", 6, "12:00", True),
        ("Fri-Mon 00:00-24:00 UTC", 2, "12:00", False),
        ("Sat,wed 1:00-2:00 Etc/GMT+5", 3, "01:30", True),
        ("daily 01:00-03:00 Asia/Tokyo", 4, "01:00", True),
    ],
)
def test_when_it_is_open(text: str, day: int, clock: str, is_open: bool) -> None:
    assert open_at(text, day, clock) is is_open


@given(st.integers(0, 1439), st.integers(0, 1439), st.sets(st.integers(0, 6), min_size=1))
def test_it_is_open_for_its_length_on_each_of_its_days(begin: int, end: int, days: set[int]) -> None:
    if begin == end:
        return
    names = ",".join(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[day] for day in days)
    window = Window.parse(f"{names} {begin // 60:02}:{begin % 60:02}-{end // 60:02}:{end % 60:02} UTC")
    minutes = [MONDAY + timedelta(minutes=n) for n in range(7 * 1440)]
    length = (end - begin) % 1440
    assert sum(map(window.contains, minutes)) == len(days) * length


@pytest.mark.parametrize(
    "text", ["", "Sun", "Sun 2-5 UTC", "Someday 02:00-05:00 UTC", "Sun 02:00-05:00", "Sun 25:00-26:00 UTC",
             "Sun 02:00-02:00 UTC", "Sun 02:61-05:00 UTC", "Sun 02:00-05:00 UTC; DROP"],
)  # fmt: skip
def test_what_is_no_window_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"window|day|time"):
        Window.parse(text)


def test_as_a_limit_of_a_run() -> None:
    assert Knobs().changed({"window": "Sun 02:00-05:00 UTC"}).window == "Sun 02:00-05:00 UTC"
    for wrong in ({"window": "never"}, {"window_waves": "LUNCH"}, {"window": 5}):
        with pytest.raises(ValueError, match=r"window|wave"):
            Knobs().changed(wrong)
