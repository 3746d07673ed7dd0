# SPDX-License-Identifier: EUPL-1.2
"""What the coordinator may look for in the event log, read from an address or a form."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from abs_platform import clock
from abs_platform.event_log.queries import Filters
from abs_platform.event_log.states import SUBJECTS
from abs_platform.rich_text import without_unseen

MAX_WORDS = 80
MAX_NUMBER = 2**63 - 1
FIRST_DAY = dt.date(2000, 1, 1)
LAST_DAY = dt.date(2200, 1, 1)


def read_filters(args: Mapping[str, str]) -> tuple[Filters, dict[str, str]]:
    """The filters, and what of them stays in the address. What cannot be read is left out."""
    subject = args.get("onderwerp", "") if args.get("onderwerp") in SUBJECTS else ""
    number, account_id = _number(args.get("nummer", "")), _number(args.get("wie", ""))
    since, until = _day(args.get("van", "")), _day(args.get("tot", ""))
    words = " ".join(without_unseen(args.get("zoek", ""))[:MAX_WORDS].split())
    filters = Filters(
        subject=subject,
        number=number if subject else None,
        account_id=account_id,
        since=clock.start_of_day(since) if since else None,
        until=clock.end_of_day(until) if until else None,
        words=words,
        before=_number(args.get("voor", "")),
    )
    kept = {
        "onderwerp": subject,
        "nummer": "" if filters.number is None else str(filters.number),
        "wie": "" if account_id is None else str(account_id),
        "van": since.isoformat() if since else "",
        "tot": until.isoformat() if until else "",
        "zoek": words,
    }
    return filters, {name: value for name, value in kept.items() if value}


def _number(words: str) -> int | None:
    if not (words.isascii() and words.isdecimal() and len(words) <= len(str(MAX_NUMBER))):
        return None
    return int(words) if int(words) <= MAX_NUMBER else None


def _day(words: str) -> dt.date | None:
    try:
        day = dt.date.fromisoformat(words)
    except ValueError:
        return None
    return day if FIRST_DAY <= day <= LAST_DAY else None
