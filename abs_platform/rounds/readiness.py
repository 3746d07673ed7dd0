# SPDX-License-Identifier: EUPL-1.2
"""The check list of a round: what must be green before its vouchers may be issued, and releasing it when it is.

Vouchers cannot be called back, so a round is released only when dates, districts, neighbourhoods, text, budget and key
are right. Old addresses may be set aside by a coordinator who says why. Help points and the job process only warn.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from abs_platform.actors import Actor
from abs_platform.clock import last_day, local_date
from abs_platform.errors import Conflict, InvalidInput, NotFound
from abs_platform.job_runs import ALIVE_WITHIN
from abs_platform.letters.queries import approved_text_id
from abs_platform.money import format_euros
from abs_platform.municipality import Rules
from abs_platform.rounds.budgeting import year_view
from abs_platform.rounds.models import Round
from abs_platform.rounds.queries import is_under_another_key
from abs_platform.rounds.service import check_not_released, lock_planning, lock_round, release
from abs_platform.rounds.states import MAY_BE_SET_ASIDE, WARNINGS, CheckKind

_FACTS = text("""
    SELECT
        (SELECT max(imported_at) FROM address_imports) AS imported_at,
        (SELECT count(*) FROM round_districts WHERE round_id = :round_id) AS districts,
        (SELECT string_agg(a.name, ', ' ORDER BY a.name)
         FROM round_districts r JOIN areas a ON a.id = r.district_id
         WHERE r.round_id = :round_id AND NOT (a.is_current AND a.level = 'district')) AS old_districts,
        (SELECT count(*) FROM households h
         JOIN areas n ON n.id = h.neighbourhood_id
         LEFT JOIN areas d ON d.id = n.parent_id
         WHERE h.ended_on IS NULL
           AND (n.level <> 'neighbourhood' OR NOT n.is_current OR d.level IS DISTINCT FROM 'district')) AS homeless,
        (SELECT string_agg(a.name, ', ' ORDER BY a.name)
         FROM round_districts r JOIN areas a ON a.id = r.district_id
         WHERE r.round_id = :round_id
           AND NOT EXISTS (SELECT FROM help_points p WHERE p.district_id = a.id)) AS without_help,
        (SELECT max(seen_at) FROM scheduled_jobs) AS jobs_seen_at
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of the list. ``link`` is the endpoint of the page where it is put right, if there is one."""

    kind: CheckKind
    is_green: bool
    sentence: str
    link: str = ""

    @property
    def label(self) -> str:
        """What is checked."""
        return self.kind.label

    @property
    def is_warning(self) -> bool:
        """Whether it is not green, and stops nobody."""
        return not self.is_green and self.kind in WARNINGS

    @property
    def is_red(self) -> bool:
        """Whether the round may not be issued because of this."""
        return not self.is_green and self.kind not in WARNINGS

    @property
    def may_be_set_aside(self) -> bool:
        """Whether a coordinator may release the round despite this, with a reason."""
        return not self.is_green and self.kind in MAY_BE_SET_ASIDE


def checks(session: Session, round_id: int, *, key_fingerprint: bytes, rules: Rules, now: dt.datetime) -> list[Check]:
    """The whole list, in a fixed order. Raises: NotFound."""
    round_ = session.get(Round, round_id)
    if round_ is None:
        raise NotFound(_("Deze ronde bestaat niet."))
    facts = session.execute(_FACTS, {"round_id": round_id}).one()
    return [
        _dates(round_, now),
        _districts(facts),
        _addresses(facts, rules, now),
        _neighbourhoods(facts),
        _letter_text(approved_text_id(session)),
        _budget(session, round_),
        _key(is_under_another_key(session, key_fingerprint)),
        _help_points(facts),
        _job_process(facts, now),
    ]


def release_when_ready(
    session: Session,
    round_id: int,
    *,
    key_fingerprint: bytes,
    rules: Rules,
    despite: Collection[CheckKind],
    reason: str,
    actor: Actor,
    now: dt.datetime,
) -> None:
    """Release a round whose list is green, but for what is set aside with a reason. What only warned is noted too.

    Locks: planning, then the round. Raises: NotFound; Conflict while something is red, or when it was released already;
    InvalidInput when something is set aside that may not be, or without a reason.
    """
    lock_planning(session)
    round_ = lock_round(session, round_id)
    check_not_released(round_)
    found = checks(session, round_id, key_fingerprint=key_fingerprint, rules=rules, now=now)
    aside = [check.kind for check in found if not check.is_green and check.kind in despite]
    if refused := [kind.label for kind in despite if kind not in MAY_BE_SET_ASIDE]:
        message = _("Dit moet eerst in orde zijn: %(names)s. Je kunt het niet opzij zetten.", names=", ".join(refused))
        raise InvalidInput(message, fields={"despite": message})
    if aside and not reason.strip():
        message = _("Schrijf op waarom de ronde toch door mag gaan.")
        raise InvalidInput(message, fields={"reason": message})
    if red := [check for check in found if check.is_red and check.kind not in aside]:
        raise Conflict(_told(red))
    release(
        session,
        round_,
        letter_text_id=approved_text_id(session),
        actor=actor,
        now=now,
        despite=[check.kind.value for check in found if not check.is_green],
        reason=reason.strip() or None,
    )


def _told(red: Sequence[Check]) -> str:
    names = ", ".join(check.label for check in red)
    return str(_("De ronde kan nog niet worden vrijgegeven. Dit staat op rood: %(names)s.", names=names))


def _dates(round_: Round, now: dt.datetime) -> Check:
    link = "rounds_desk.edit"
    if round_.closes_at <= now:
        sentence = _("De sluitdag is al voorbij. Kies andere data.")
        return Check(kind=CheckKind.DATES, is_green=False, sentence=sentence, link=link)
    days = (round_.issue_on - local_date(now)).days
    sentence = (
        ngettext("De uitgifte is over %(num)s dag.", "De uitgifte is over %(num)s dagen.", days)
        if days > 0
        else _(
            "De uitgifte kan vandaag. De ronde sluit na %(day)s.", day=last_day(round_.closes_at).strftime("%d-%m-%Y")
        )
    )
    return Check(kind=CheckKind.DATES, is_green=True, sentence=sentence, link=link)


def _districts(facts: Row[Any]) -> Check:
    green, sentence = True, ngettext("%(num)s wijk doet mee.", "%(num)s wijken doen mee.", facts.districts)
    if facts.old_districts:
        sentence = _(
            "Deze wijken staan niet meer in de lijst van het CBS: %(names)s. Haal ze uit de ronde.",
            names=facts.old_districts,
        )
        green = False
    elif not facts.districts:
        green, sentence = False, _("Er doet nog geen wijk mee. Kies ze bij de ronde.")
    return Check(kind=CheckKind.DISTRICTS, is_green=green, sentence=sentence, link="rounds_desk.edit")


def _addresses(facts: Row[Any], rules: Rules, now: dt.datetime) -> Check:
    link, most = "addresses_desk.index", rules.addresses_fresh_days
    if facts.imported_at is None:
        sentence = _("Er zijn nog nooit adressen ingelezen. Lees eerst een adresbestand in.")
        return Check(kind=CheckKind.ADDRESSES, is_green=False, sentence=sentence, link=link)
    days = (local_date(now) - local_date(facts.imported_at)).days
    sentence = ngettext("Ingelezen: %(num)s dag geleden.", "Ingelezen: %(num)s dagen geleden.", days)
    if days > most:
        sentence += " " + _("Dat mag hoogstens %(most)s dagen zijn. Lees een nieuw adresbestand in.", most=most)
    return Check(kind=CheckKind.ADDRESSES, is_green=days <= most, sentence=sentence, link=link)


def _neighbourhoods(facts: Row[Any]) -> Check:
    count = facts.homeless
    sentence = (
        ngettext(
            "%(num)s adres ligt in een buurt of wijk die niet meer bestaat. Lees een nieuw adresbestand in.",
            "%(num)s adressen liggen in een buurt of wijk die niet meer bestaat. Lees een nieuw adresbestand in.",
            count,
        )
        if count
        else _("Elk adres in gebruik ligt in een buurt van nu.")
    )
    return Check(kind=CheckKind.NEIGHBOURHOODS, is_green=not count, sentence=sentence, link="addresses_desk.index")


def _letter_text(text_id: int | None) -> Check:
    sentence = (
        _("De tekst van de brief is nog niet goedgekeurd. Lees hem na en keur hem goed.")
        if text_id is None
        else _("Er is een goedgekeurde tekst. De ronde bewaart die bij het vrijgeven.")
    )
    return Check(kind=CheckKind.LETTER_TEXT, is_green=text_id is not None, sentence=sentence, link="letter_texts.index")


def _budget(session: Session, round_: Round) -> Check:
    view = year_view(session, round_.issue_on.year)
    left, green = view.left_cents, False
    if left is None:
        sentence = _("Er is nog geen budget voor %(year)s. Vul in wat de raad beschikbaar stelde.", year=view.year)
    elif left < 0:
        sentence = _(
            "Er is %(short)s te weinig in %(year)s. Verlaag het bedrag, kies minder wijken of pas het budget aan.",
            short=format_euros(-left),
            year=view.year,
        )
    else:
        green, sentence = (
            True,
            _("Na deze ronde blijft er %(left)s over in %(year)s.", left=format_euros(left), year=view.year),
        )
    return Check(kind=CheckKind.BUDGET, is_green=green, sentence=sentence, link="rounds_desk.ask_budget")


def _key(is_other: bool) -> Check:
    sentence = (
        _("Lopende rondes zijn met een andere sleutel gemaakt. Vraag de systeembeheerder die terug te zetten.")
        if is_other
        else _("De sleutel is er, en is dezelfde als die van lopende rondes.")
    )
    return Check(kind=CheckKind.KEY, is_green=not is_other, sentence=sentence)


def _help_points(facts: Row[Any]) -> Check:
    names = facts.without_help
    sentence = (
        _("Op de brief staat voor deze wijken geen adres voor hulp: %(names)s.", names=names)
        if names
        else _("Elke wijk heeft een plek voor hulp, en die staat op de brief.")
    )
    return Check(kind=CheckKind.HELP_POINTS, is_green=not names, sentence=sentence, link="help_points.index")


def _job_process(facts: Row[Any], now: dt.datetime) -> Check:
    green = facts.jobs_seen_at is not None and facts.jobs_seen_at > now - ALIVE_WITHIN
    sentence = (
        _("De taken op de achtergrond draaien.")
        if green
        else _("De taken op de achtergrond draaien niet, dus de uitgifte begint niet. Vraag de systeembeheerder.")
    )
    return Check(kind=CheckKind.JOB_PROCESS, is_green=green, sentence=sentence, link="jobs_desk.index")
