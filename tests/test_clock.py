# SPDX-License-Identifier: EUPL-1.2
"""Days in Amsterdam and moments in UTC, also on the days that have 23 or 25 hours."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine

from abs_platform import clock

SPRING = dt.date(2026, 3, 29)  # 02.00 becomes 03.00
AUTUMN = dt.date(2026, 10, 25)  # 03.00 becomes 02.00


def utc(*parts: int) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=dt.UTC)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (utc(2026, 1, 31, 22, 59, 59), dt.date(2026, 1, 31)),
        (utc(2026, 1, 31, 23), dt.date(2026, 2, 1)),
        (utc(2026, 7, 31, 21, 59, 59), dt.date(2026, 7, 31)),
        (utc(2026, 7, 31, 22), dt.date(2026, 8, 1)),
        (utc(2026, 3, 28, 22, 59), dt.date(2026, 3, 28)),
        (utc(2026, 3, 28, 23), SPRING),
        (utc(2026, 3, 29, 22), dt.date(2026, 3, 30)),
        (utc(2026, 10, 24, 22), AUTUMN),
        (utc(2026, 10, 25, 22, 59), AUTUMN),
        (utc(2026, 10, 25, 23), dt.date(2026, 10, 26)),
        (utc(2026, 12, 31, 23), dt.date(2027, 1, 1)),
    ],
)
def test_a_moment_falls_on_its_day_in_amsterdam(moment: dt.datetime, day: dt.date) -> None:
    assert clock.local_date(moment) == day


@pytest.mark.parametrize(("day", "hours"), [(SPRING, 23), (AUTUMN, 25), (dt.date(2026, 6, 1), 24)])
def test_a_day_has_as_many_hours_as_it_has(day: dt.date, hours: int) -> None:
    begin, end = clock.start_of_day(day), clock.end_of_day(day)

    assert end - begin == dt.timedelta(hours=hours)
    assert begin.tzinfo == end.tzinfo == dt.UTC
    assert clock.local_date(begin) == day
    assert clock.local_date(end) == day + dt.timedelta(days=1)
    assert clock.last_day(end) == day
    assert clock.end_of_day(day) == clock.start_of_day(day + dt.timedelta(days=1))


def test_a_closing_at_midnight_ends_the_day_before_and_one_a_moment_later_that_day() -> None:
    midnight = clock.start_of_day(dt.date(2026, 11, 22))

    assert clock.last_day(midnight) == dt.date(2026, 11, 21)
    assert clock.last_day(midnight + dt.timedelta(microseconds=1)) == dt.date(2026, 11, 22)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-22", utc(2026, 11, 21, 23)),
        ("2026-07-01", utc(2026, 6, 30, 22)),
        ("2026-11-22T09:00", utc(2026, 11, 22, 8)),
        (" 2026-11-22T09:00:30 ", utc(2026, 11, 22, 8, 0, 30)),
        ("2026-11-22T09:00+00:00", utc(2026, 11, 22, 9)),
        ("2026-11-22T09:00Z", utc(2026, 11, 22, 9)),
        ("2026-10-25T02:30", utc(2026, 10, 25, 0, 30)),  # there are two of these; the first counts
        ("2026-10-25T02:30+01:00", utc(2026, 10, 25, 1, 30)),
        ("2026-03-29T03:00", utc(2026, 3, 29, 1)),
    ],
)
def test_a_time_without_an_offset_is_amsterdam_time(text: str, moment: dt.datetime) -> None:
    parsed = clock.parse_local(text)

    assert parsed == moment
    assert parsed.tzinfo == dt.UTC


@pytest.mark.parametrize("text", ["", "morgen", "22-11-2026", "2026-13-01", "2026-02-30", "2026-11-22T25:00", "2026"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        clock.parse_local(text)


def test_now_is_aware_and_today_is_the_day_in_amsterdam() -> None:
    with time_machine.travel(utc(2026, 12, 31, 23, 30), tick=False):
        assert clock.now() == utc(2026, 12, 31, 23, 30)
        assert clock.now().tzinfo == dt.UTC
        assert clock.today() == dt.date(2027, 1, 1)
