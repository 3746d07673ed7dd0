# SPDX-License-Identifier: EUPL-1.2
"""What changed since the letters were made: reasons to make them again before they leave the building."""

from __future__ import annotations

import datetime as dt

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from abs_platform.areas.models import Area
from abs_platform.clock import local_date
from abs_platform.households.models import AddressImport, Household
from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.states import InitiativeState
from abs_platform.letters.models import LetterRun, LetterText
from abs_platform.letters.queries import RunRow, approved_text_id, help_points
from abs_platform.rounds.models import RoundDistrict
from abs_platform.vouchers.models import Voucher

MOST_TITLES = 5


def about(session: Session, run: RunRow, *, today: dt.date) -> list[str]:
    """Sentences for the coordinator, the weightiest first; none when the letters still say what is true."""
    found = (
        _addresses(session, run),
        _revoked(session, run),
        _closed(session, run, today),
        _help(session, run),
        _text(session, run),
    )
    return [sentence for sentence in found if sentence]


def _addresses(session: Session, run: RunRow) -> str | None:
    imports = session.scalar(
        select(func.count()).where(
            AddressImport.imported_at > run.began_at, AddressImport.changed_count + AddressImport.gone_count > 0
        )
    )
    gone = session.scalar(
        select(func.count())
        .select_from(Voucher)
        .join(Household, Household.id == Voucher.household_id)
        .where(
            Voucher.batch_id == run.batch_id,
            Voucher.revoked_at.is_(None),
            or_(Household.ended_on >= local_date(run.began_at), Household.mail_returned_at > run.began_at),
        )
    )
    if gone:
        said: str = ngettext(
            "%(num)s adres is er niet meer of kreeg post retour sinds deze brieven zijn gemaakt.",
            "%(num)s adressen zijn er niet meer of kregen post retour sinds deze brieven zijn gemaakt.",
            gone,
        )
        return said
    if imports:
        return str(
            _("De adressen zijn bijgewerkt na het maken van deze brieven. Er kan een oud adres op een brief staan.")
        )
    return None


def _revoked(session: Session, run: RunRow) -> str | None:
    count = session.scalar(
        select(func.count())
        .select_from(Voucher)
        .where(Voucher.batch_id == run.batch_id, Voucher.revoked_at > run.began_at)
    )
    if not count:
        return None
    said: str = ngettext(
        "%(num)s brief heeft een code die intussen is ingetrokken.",
        "%(num)s brieven hebben een code die intussen is ingetrokken.",
        count,
    )
    return said


def _closed(session: Session, run: RunRow, today: dt.date) -> str | None:
    """Initiatives on the back that do not collect any more: who picks one finds it closed."""
    choices = session.scalar(select(LetterRun.choices).where(LetterRun.id == run.id)) or {}
    here = set(session.scalars(select(Area.id).where(Area.parent_id.in_(_districts(run)))))
    printed = {int(row["id"]) for area, rows in choices.items() if int(area) in here for row in rows}
    titles = session.scalars(
        select(Initiative.title)
        .where(
            Initiative.id.in_(printed),
            or_(Initiative.state != InitiativeState.PUBLISHED.value, Initiative.deadline_on < today),
        )
        .order_by(Initiative.title)
    ).all()
    if not titles:
        return None
    named = ", ".join(f"“{title}”" for title in titles[:MOST_TITLES])
    said: str = ngettext(
        "%(num)s initiatief op de achterkant haalt geen geld meer op: %(named)s.",
        "%(num)s initiatieven op de achterkant halen geen geld meer op: %(named)s.",
        len(titles),
        named=named if len(titles) <= MOST_TITLES else _("%(named)s en meer", named=named),
    )
    return said


def _help(session: Session, run: RunRow) -> str | None:
    """Help points of the round's districts that changed: the letter names what was."""
    printed = session.scalar(select(LetterRun.help_points).where(LetterRun.id == run.id)) or {}
    now = help_points(session)
    changed = [int(district) for district in {*printed, *now} if printed.get(district) != now.get(district)]
    names = session.scalars(
        select(Area.name).where(Area.id.in_(changed), Area.id.in_(_districts(run))).order_by(Area.name)
    ).all()
    if not names:
        return None
    said: str = _("Na het maken van deze brieven is het wijkcentrum veranderd van: %(names)s.", names=", ".join(names))
    return said


def _text(session: Session, run: RunRow) -> str | None:
    newest = approved_text_id(session)
    if newest is None or newest == run.letter_text_id:
        return None
    used, better = (
        session.scalar(select(LetterText.version).where(LetterText.id == text_id))
        for text_id in (run.letter_text_id, newest)
    )
    if used is None or better is None or better < used:
        return None
    said: str = _(
        "Deze brieven hebben versie %(used)s van de tekst. Daarna is versie %(newer)s goedgekeurd.",
        used=used,
        newer=better,
    )
    return said


def _districts(run: RunRow) -> Select[int]:
    return select(RoundDistrict.district_id).where(RoundDistrict.round_id == run.round_id)
