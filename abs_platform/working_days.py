# SPDX-License-Identifier: EUPL-1.2
"""Dutch working days: no Saturday, no Sunday, and no holiday of the Algemene termijnenwet (art. 3)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from functools import cache

from holidays import OPTIONAL, PUBLIC, country_holidays

from abs_platform.clock import local_date, start_of_day

ONE_DAY = dt.timedelta(days=1)


@cache
def _holidays(year: int) -> frozenset[dt.date]:
    """New Year, Good Friday, Easter, King's Day, 5 May (every year), Ascension, Whit and both days of Christmas.

    The package calls Good Friday and 5 May optional; the law names both.
    """
    return frozenset(country_holidays("NL", years=year, categories=(PUBLIC, OPTIONAL)))


def is_working_day(day: dt.date) -> bool:
    """Whether the town hall works on this day."""
    return day.weekday() < 5 and day not in _holidays(day.year)


def _working_days_from(day: dt.date, step: dt.timedelta) -> Iterator[dt.date]:
    """The working days after a day (or before it), one by one."""
    while True:
        day += step
        if is_working_day(day):
            yield day


def add_working_days(day: dt.date, number: int) -> dt.date:
    """The working day that comes so many working days after a day; that day itself does not count.

    ``number`` may be negative, to count back. With 0 it is the day itself, whatever kind of day that is.
    """
    days = _working_days_from(day, ONE_DAY if number > 0 else -ONE_DAY)
    for _count in range(abs(number)):
        day = next(days)
    return day


def working_days_between(first: dt.date, last: dt.date) -> int:
    """How many working days come after ``first``, up to and including ``last``; negative when ``last`` comes first."""
    if last < first:
        return -working_days_between(last, first)
    return sum(is_working_day(first + dt.timedelta(days=number)) for number in range(1, (last - first).days + 1))


def answer_by(submitted_at: dt.datetime, days: int) -> dt.date:
    """The last day on which an answer is in time.

    The first working day after the day of sending (in Amsterdam) is day 1, also for what is sent on a day off.
    """
    return add_working_days(local_date(submitted_at), days)


def latest_overdue_moment(today: dt.date, days: int) -> dt.datetime:
    """The moment (aware UTC) before which all that was submitted is late today, and after which nothing is.

    The same rule as ``answer_by``, turned round for a query: ``answer_by(s, days) < today`` when ``s`` is before it.
    """
    return start_of_day(add_working_days(today, -days))
