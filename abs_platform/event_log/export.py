# SPDX-License-Identifier: EUPL-1.2
"""The log as a file for a spreadsheet, line by line: no formula, and nothing that the page does not show."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping

from flask_babel import gettext as _

from abs_platform.clock import AMSTERDAM
from abs_platform.event_log.sentences import reason, sentence, shown_details, subject_label, who
from abs_platform.events import Event
from abs_platform.spreadsheets import BYTE_ORDER_MARK, guarded

_ROWS = 500


def as_csv(events: Iterable[Event], names: Mapping[int, str]) -> Iterator[str]:
    """As Dutch spreadsheets read it: semicolons."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=";", lineterminator="\r\n")
    buffer.write(BYTE_ORDER_MARK)
    writer.writerow(_head())
    for number, event in enumerate(events, start=1):
        writer.writerow([guarded(value) for value in _cells(event, names)])
        if number % _ROWS == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _head() -> list[str]:
    return [
        str(name)
        for name in (
            _("Regel"),
            _("Datum"),
            _("Tijd"),
            _("Wie"),
            _("Wat"),
            _("Soort"),
            _("Onderwerp"),
            _("Nummer"),
            _("Gegevens"),
            _("Reden"),
        )
    ]


def _cells(event: Event, names: Mapping[int, str]) -> list[str]:
    local = event.happened_at.astimezone(AMSTERDAM)
    by = who(event.actor, names)
    return [
        str(event.id),
        f"{local:%d-%m-%Y}",
        f"{local:%H:%M:%S}",
        by,
        sentence(event, by),
        event.kind,
        subject_label(event.subject),
        "" if event.subject_id is None else str(event.subject_id),
        "; ".join(f"{label}: {value}" for label, value in shown_details(event)),
        reason(event),
    ]
