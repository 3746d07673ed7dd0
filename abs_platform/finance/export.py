# SPDX-License-Identifier: EUPL-1.2
"""The books as a file for a spreadsheet, equal to the ledger to the cent: no giver, no account number, no formula.

Both are made line by line, so that a year of a big city fits in little memory.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import IO

import xlsxwriter
from flask_babel import gettext as _

from abs_platform.ledger.reports import Line
from abs_platform.spreadsheets import BYTE_ORDER_MARK, guarded

_CSV_ROWS = 500


def head() -> list[str]:
    """The names of the columns."""
    return [
        str(name)
        for name in (
            _("Boeking"),
            _("Datum"),
            _("Tijd"),
            _("Soort"),
            _("Rekening"),
            _("Ronde"),
            _("Initiatiefnummer"),
            _("Initiatief"),
            _("Uitbetaling"),
            _("Kenmerk"),
            _("Bedrag in euro"),
        )
    ]


def as_csv(lines: Iterable[Line]) -> Iterator[str]:
    """As Dutch spreadsheets read it: semicolons, and a comma before the cents."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=";", lineterminator="\r\n")
    buffer.write(BYTE_ORDER_MARK)
    writer.writerow(head())
    for number, line in enumerate(lines, start=1):
        writer.writerow([_plain(value) for value in _cells(line)] + [_euros(line.amount_cents)])
        if number % _CSV_ROWS == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def write_xlsx(lines: Iterable[Line], target: IO[bytes]) -> None:
    """As a workbook: real dates, real numbers, and texts that are never formulas."""
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(target, options) as book:
        sheet = book.add_worksheet(_("Boekingen"))
        bold = book.add_format({"bold": True})
        day = book.add_format({"num_format": "dd-mm-yyyy"})
        time = book.add_format({"num_format": "hh:mm:ss"})
        euros = book.add_format({"num_format": "#,##0.00"})
        sheet.freeze_panes(1, 0)
        sheet.set_column(1, 10, 16)
        sheet.set_column(7, 7, 40)
        for column, name in enumerate(head()):
            sheet.write_string(0, column, name, bold)
        for row, line in enumerate(lines, start=1):
            local = line.booked_local.replace(tzinfo=None)
            sheet.write_number(row, 0, line.transaction_id)
            sheet.write_datetime(row, 1, local.date(), day)
            sheet.write_datetime(row, 2, local.time().replace(microsecond=0), time)
            for column, value in enumerate(_cells(line)[3:], start=3):
                if isinstance(value, int):
                    sheet.write_number(row, column, value)
                elif value:
                    sheet.write_string(row, column, value)
            sheet.write_number(row, 10, float(Decimal(line.amount_cents) / 100), euros)


def _cells(line: Line) -> list[str | int]:
    """All columns but the amount."""
    local = line.booked_local
    return [
        line.transaction_id,
        f"{local:%d-%m-%Y}",
        f"{local:%H:%M:%S}",
        line.kind.label,
        line.account.label,
        line.round,
        line.initiative_id or "",
        line.initiative,
        line.payout_id or "",
        line.external_id,
    ]


def _plain(value: str | int) -> str | int:
    return guarded(value) if isinstance(value, str) else value


def _euros(cents: int) -> str:
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100},{abs(cents) % 100:02d}"
