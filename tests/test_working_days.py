# SPDX-License-Identifier: EUPL-1.2
"""Working days and what follows from them: by when a submission is answered, and which are late."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abs_platform.clock import AMSTERDAM, start_of_day
from abs_platform.working_days import (
    add_working_days,
    answer_by,
    is_working_day,
    latest_overdue_moment,
    working_days_between,
)

FIRST, LAST = dt.date(2024, 1, 1), dt.date(2034, 1, 1)
DAYS = [FIRST + dt.timedelta(days=number) for number in range((LAST - FIRST).days)]
A_DAY = st.dates(FIRST, LAST)
A_MOMENT = st.builds(
    lambda one, seconds: start_of_day(one) + dt.timedelta(seconds=seconds), A_DAY, st.integers(0, 24 * 60 * 60)
)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


@pytest.mark.parametrize(
    ("holiday", "name"),
    [
        ("2026-01-01", "New Year"),
        ("2026-04-03", "Good Friday"),
        ("2026-04-06", "Easter Monday"),
        ("2026-04-27", "King's Day"),
        ("2026-05-05", "Liberation Day, in a year in which most people work"),
        ("2025-05-05", "Liberation Day, in a lustrum year"),
        ("2026-05-14", "Ascension"),
        ("2026-05-25", "Whit Monday"),
        ("2026-12-25", "Christmas Day"),
        ("2028-12-26", "the day after Christmas"),
        ("2025-04-26", "King's Day, a day early because the 27th is a Sunday"),
        ("2031-04-26", "and again"),
    ],
)
def test_nobody_answers_on_a_holiday(holiday: str, name: str) -> None:
    assert not is_working_day(day(holiday)), name


@pytest.mark.parametrize(
    "working", ["2026-11-23", "2025-04-28", "2026-04-02", "2026-05-15", "2026-12-24", "2026-12-31", "2026-10-05"]
)
def test_a_weekday_that_is_no_holiday_is_a_working_day(working: str) -> None:
    assert is_working_day(day(working))


def test_a_weekend_is_never_a_working_day_and_a_year_has_about_253_of_them() -> None:
    assert not any(is_working_day(one) for one in DAYS if one.weekday() >= 5)
    for year in range(2024, 2034):
        assert 250 <= sum(is_working_day(one) for one in DAYS if one.year == year) <= 257


@pytest.mark.parametrize(
    ("start", "number", "end"),
    [
        ("2026-11-23", 10, "2026-12-07"),  # from Monday, two weeks without a holiday
        ("2026-11-21", 1, "2026-11-23"),  # from Saturday: Monday is the first
        ("2026-04-01", 10, "2026-04-17"),  # over Easter: Good Friday and Monday do not count
        ("2026-04-24", 10, "2026-05-12"),  # over King's Day and 5 May
        ("2026-12-23", 10, "2027-01-08"),  # over Christmas and New Year
        ("2026-11-23", 0, "2026-11-23"),
        ("2026-11-22", 0, "2026-11-22"),
        ("2026-12-07", -10, "2026-11-23"),
        ("2026-11-23", -1, "2026-11-20"),
    ],
)
def test_working_days_are_counted_over_weekends_and_holidays(start: str, number: int, end: str) -> None:
    assert add_working_days(day(start), number) == day(end)


@given(A_DAY, st.integers(1, 60))
def test_so_many_working_days_further_there_are_so_many_between(start: dt.date, number: int) -> None:
    end = add_working_days(start, number)

    assert is_working_day(end)
    assert working_days_between(start, end) == number
    assert working_days_between(end, start) == -number
    assert working_days_between(start, end - dt.timedelta(days=1)) == number - 1


@given(A_DAY, A_DAY, A_DAY)
def test_working_days_add_up(first: dt.date, second: dt.date, third: dt.date) -> None:
    whole = working_days_between(first, third)

    assert working_days_between(first, second) + working_days_between(second, third) == whole


@pytest.mark.parametrize(
    ("submitted", "promised"),
    [
        ("2026-11-23T09:00", "2026-12-07"),
        ("2026-11-23T23:59", "2026-12-07"),
        ("2026-11-24T00:00", "2026-12-08"),
        ("2026-11-21T12:00", "2026-12-04"),  # on a Saturday: Monday is day 1
        ("2026-11-20T12:00", "2026-12-04"),  # so it is the same promise as on the Friday before
        ("2026-04-27T12:00", "2026-05-12"),  # on King's Day: the 28th is day 1, and 5 May does not count
        ("2026-03-29T00:30", "2026-04-14"),  # in the night that the clock goes forward
        ("2026-10-25T02:30", "2026-11-06"),  # in the hour that comes twice
    ],
)
def test_a_submission_is_answered_within_ten_working_days(submitted: str, promised: str) -> None:
    moment = dt.datetime.fromisoformat(submitted).replace(tzinfo=AMSTERDAM).astimezone(dt.UTC)

    assert answer_by(moment, 10) == day(promised)


@pytest.mark.parametrize("days", [1, 10, 15])
def test_what_is_late_by_its_promise_is_late_in_the_query_on_every_day_of_ten_years(days: int) -> None:
    """For every today: what was sent just before the moment is late, and what was sent at the moment is not."""
    microsecond = dt.timedelta(microseconds=1)
    before = latest_overdue_moment(FIRST - dt.timedelta(days=1), days)
    for today in DAYS:
        moment = latest_overdue_moment(today, days)

        assert answer_by(moment - microsecond, days) < today
        assert answer_by(moment, days) >= today
        assert moment >= before
        before = moment


@given(A_DAY, A_MOMENT, st.integers(1, 30))
def test_a_submission_at_any_moment_is_late_by_its_promise_when_it_is_by_the_query(
    today: dt.date, submitted: dt.datetime, days: int
) -> None:
    assert (answer_by(submitted, days) < today) == (submitted < latest_overdue_moment(today, days))


def test_the_promise_never_moves_back_for_who_sends_later() -> None:
    promises = [answer_by(start_of_day(one), 10) for one in DAYS]

    assert promises == sorted(promises)
