# SPDX-License-Identifier: EUPL-1.2
"""The agenda as an iCalendar file (RFC 5545), for the calendar of a phone: times in UTC, which every calendar knows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

from flask_babel import gettext as _
from icalendar import Calendar, Event

from abs_platform.agenda.queries import AgendaView

CONTENT_TYPE = "text/calendar; charset=utf-8"
_REFRESH = dt.timedelta(hours=6)


def calendar(items: Sequence[AgendaView], *, name: str, host: str, address_of: Callable[[AgendaView], str]) -> bytes:
    """These items as a calendar. What is cancelled stays in it and says so, so that it disappears from no phone unseen.

    ``host`` is that of the site: it makes the numbers of items unlike those of any other calendar.
    """
    made = Calendar()
    made.add("prodid", f"-//{host}//agenda//NL")
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    made.add("x-wr-calname", name)
    made.add("x-wr-timezone", "Europe/Amsterdam")
    made.add("refresh-interval", _REFRESH, parameters={"VALUE": "DURATION"})
    for item in items:
        made.add_component(_event(item, host, address_of(item)))
    written: bytes = made.to_ical()
    return written


def _event(item: AgendaView, host: str, address: str) -> Event:
    event = Event()
    event.add("uid", f"agenda-{item.id}@{host}")
    event.add("dtstamp", item.changed_at.astimezone(dt.UTC))
    event.add("last-modified", item.changed_at.astimezone(dt.UTC))
    event.add("sequence", item.sequence)
    event.add("status", "CANCELLED" if item.is_cancelled else "CONFIRMED")
    event.add("dtstart", item.starts_at.astimezone(dt.UTC))
    event.add("dtend", item.ends_at.astimezone(dt.UTC))
    event.add("summary", _("Gaat niet door: %(title)s", title=item.title) if item.is_cancelled else item.title)
    event.add("location", item.place)
    event.add("categories", [item.area_name])
    event.add("url", address)
    words = [item.reason if item.is_cancelled else "", item.description, address]
    event.add("description", "\n\n".join(part for part in words if part))
    return event
