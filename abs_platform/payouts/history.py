# SPDX-License-Identifier: EUPL-1.2
"""What happened to a payout, for finance: a sentence for each kind of event, with who did it and why."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform.accounts.queries import names_of
from abs_platform.events import Event

SENTENCES: dict[str, LazyString] = {
    "payout.requested": _l("Aangevraagd"),
    "payout.corrected": _l("Gegevens aangepast"),
    "payout.taken_back": _l("Aanvraag ingetrokken"),
    "payout.confirmed": _l("Bevestigd door de wijkregisseur"),
    "payout.incomplete": _l("Teruggestuurd: er ontbreekt iets"),
    "payout.approved": _l("Goedgekeurd"),
    "payout.refused": _l("Geweigerd"),
    "payout.iban_shown": _l("Hele rekeningnummer bekeken"),
    "payout.exported": _l("In een betaalopdracht gezet"),
    "payout.export_cancelled": _l("Uit de betaalopdracht gehaald"),
    "payout.paid": _l("Betaald"),
    "payout.bounced": _l("Teruggekomen van de bank"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One line of the history. ``who`` is "" for somebody without an account, or for a job."""

    sentence: str
    who: str
    reason: str
    happened_at: dt.datetime


def history_of(session: Session, payout_id: int) -> list[Happening]:
    """All that happened to a payout, the newest first. Two queries."""
    query = select(Event).where(Event.subject == "payout", Event.subject_id == payout_id).order_by(Event.id.desc())
    events = session.scalars(query).all()
    accounts = {event.id: _account_of(event.actor) for event in events}
    names = names_of(session, {number for number in accounts.values() if number})
    return [
        Happening(
            sentence=str(SENTENCES.get(event.kind, event.kind)),
            who=names.get(accounts[event.id], ""),
            reason=event.reason or "",
            happened_at=event.happened_at,
        )
        for event in events
    ]


def _account_of(actor: str) -> int:
    number = actor.partition(":")[2]
    return int(number) if number.isascii() and number.isdecimal() and len(number) < 19 else 0
