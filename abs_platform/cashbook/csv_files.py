# SPDX-License-Identifier: EUPL-1.2
"""A book as a file for a spreadsheet: what the page shows and no more, oldest first.

Made to open right in a Dutch Excel: UTF-8 with a mark in front, semicolons, decimal commas, days as 2026-11-22. A text
that a spreadsheet would take for a formula gets an apostrophe in front.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping

from abs_platform.cashbook.queries import Movement
from abs_platform.ledger.states import TransactionKind as Kind

BYTE_ORDER_MARK = "\ufeff"
HEADER = ("datum", "wat", "nummer initiatief", "initiatief", "ronde", "gever", "bedrag", "in het saldo", "saldo")
LINES_AT_ONCE = 200
FORMULA_SIGNS = ("=", "+", "-", "@", "|", "%", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def pieces(movements: Iterable[Movement], sentences: Mapping[tuple[Kind, bool], str], anonymous: str) -> Iterator[str]:
    """The file, some lines at a time. The words are given, because no request is there when it is sent."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=";", lineterminator="\r\n")
    buffer.write(BYTE_ORDER_MARK)
    writer.writerow(HEADER)
    for number, movement in enumerate(movements, start=1):
        writer.writerow(_cells(movement, sentences[movement.kind, movement.is_organisation], anonymous))
        if number % LINES_AT_ONCE == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _cells(movement: Movement, sentence: str, anonymous: str) -> tuple[str, ...]:
    giver = movement.giver_name or (anonymous if movement.is_gift else "")
    return (
        movement.day.isoformat(),
        sentence,
        str(movement.initiative_id or ""),
        _harmless(movement.title or ""),
        _harmless(movement.round_name or ""),
        _harmless(giver),
        _euros(movement.amount_cents),
        _euros(movement.effect_cents),
        "" if movement.balance_cents is None else _euros(movement.balance_cents),
    )


def _harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula, on one line."""
    flat = " ".join(text.split())
    return f"'{flat}" if flat.startswith(FORMULA_SIGNS) else flat


def _euros(cents: int) -> str:
    """An amount with a decimal comma and nothing else: -7,50."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100},{abs(cents) % 100:02d}"
