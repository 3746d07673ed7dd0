# SPDX-License-Identifier: EUPL-1.2
"""What the forms of the agenda may send: days and times as browsers send them, read as Amsterdam time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from abs_platform.agenda.service import ItemInput
from abs_platform.agenda.states import MAX_DESCRIPTION, MAX_PLACE, MAX_REASON, MAX_TITLE
from abs_platform.clock import AMSTERDAM, local_date
from abs_platform.errors import InvalidInput
from abs_platform.form_input import Form, Line, Text, load

# Where a refusal of the service stands on the form.
_FIELD_OF = {"starts_at": "starts_on", "ends_at": "ends_time"}


class ItemForm(Form):
    """Something on the agenda. The last day is left empty when it ends on the day on which it begins."""

    title = Line(most=MAX_TITLE, sentence=_l("Geef de activiteit een naam."))
    starts_on = Text(most=10, sentence=_l("Vul de datum in."))
    starts_time = Text(most=8, sentence=_l("Vul in hoe laat het begint."))
    ends_time = Text(most=8, sentence=_l("Vul in hoe laat het eindigt."))
    ends_on = Text(most=10, least=0)
    place = Line(most=MAX_PLACE, sentence=_l("Vul in waar het is."))
    description = Text(most=MAX_DESCRIPTION, least=0)


class ReasonForm(Form):
    """Why something is off."""

    reason = Text(most=MAX_REASON, sentence=_l("Geef een reden."))


def read_item(sent: Mapping[str, Any]) -> ItemInput:
    """What a form says of something on the agenda. Raises: InvalidInput with a sentence beside each wrong field."""
    typed = load(ItemForm(), sent)
    wrong: dict[str, str] = {}
    first, start = _day(typed["starts_on"]), _time(typed["starts_time"])
    last, end = _day(typed["ends_on"]) if typed["ends_on"] else first, _time(typed["ends_time"])
    for name, day in (("starts_on", first), ("ends_on", last)):
        if day is None and typed[name]:
            wrong[name] = _("Vul een datum in, zoals 24-5-2027.")
    for name, time in (("starts_time", start), ("ends_time", end)):
        if time is None:
            wrong[name] = _("Vul een tijd in, zoals 14:30.")
    if first is None or last is None or start is None or end is None:
        raise InvalidInput(" ".join(wrong.values()), fields=wrong)
    return ItemInput(
        title=typed["title"],
        place=typed["place"],
        description=typed["description"],
        starts_at=dt.datetime.combine(first, start, tzinfo=AMSTERDAM).astimezone(dt.UTC),
        ends_at=dt.datetime.combine(last, end, tzinfo=AMSTERDAM).astimezone(dt.UTC),
    )


def values_of(item: Any) -> dict[str, str]:
    """What stands in the form of something that is on the agenda already."""
    starts, ends = item.starts_at.astimezone(AMSTERDAM), item.ends_at.astimezone(AMSTERDAM)
    first, last = local_date(starts), local_date(ends)
    return {
        "title": item.title,
        "place": item.place,
        "description": item.description,
        "starts_on": first.isoformat(),
        "starts_time": f"{starts:%H:%M}",
        "ends_on": "" if first == last else last.isoformat(),
        "ends_time": f"{ends:%H:%M}",
    }


def on_the_form(error: InvalidInput) -> dict[str, str]:
    """A refusal, with each sentence beside the field of the form that it is about."""
    fields = {_FIELD_OF.get(name, name): sentence for name, sentence in error.fields.items()}
    return fields or {"form": error.message}


def _day(text: str) -> dt.date | None:
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        try:
            day = dt.datetime.strptime(text, "%d-%m-%Y").replace(tzinfo=AMSTERDAM).date()
        except ValueError:
            return None
    return day if 2000 <= day.year <= 2100 else None


def _time(text: str) -> dt.time | None:
    try:
        time = dt.time.fromisoformat(text.replace(".", ":").zfill(5))
    except ValueError:
        return None
    return time if time.tzinfo is None else None
