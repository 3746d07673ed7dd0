# SPDX-License-Identifier: EUPL-1.2
"""The one place that knows what time it is: aware UTC for moments, Amsterdam for days."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def now() -> datetime:
    """The current moment, aware UTC."""
    return datetime.now(UTC)


def local_date(moment: datetime) -> date:
    """The calendar day in Amsterdam at an aware moment."""
    return moment.astimezone(AMSTERDAM).date()


def today() -> date:
    """Today's calendar day in Amsterdam."""
    return local_date(now())


def start_of_day(day: date) -> datetime:
    """The first moment of a day in Amsterdam, as aware UTC."""
    return datetime.combine(day, time.min, tzinfo=AMSTERDAM).astimezone(UTC)


def end_of_day(day: date) -> datetime:
    """The first moment after a day in Amsterdam, as aware UTC."""
    return start_of_day(day + timedelta(days=1))


def last_day(end: datetime) -> date:
    """The last day that is wholly or partly before an end: a closing at midnight ends the day before."""
    return local_date(end - timedelta(microseconds=1))


def parse_local(text: str) -> datetime:
    """Read ``2026-11-22`` or ``2026-11-22T09:00`` as Amsterdam time and return aware UTC.

    A text with its own offset keeps it. Raises: ValueError when it is not an ISO 8601 date or time.
    """
    moment = datetime.fromisoformat(text.strip())
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=AMSTERDAM)
    return moment.astimezone(UTC)
