# SPDX-License-Identifier: EUPL-1.2
"""The history of an initiative: a sentence for each kind of event, with the names of who did it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform.accounts.queries import names_of
from abs_platform.events import Event

MOST = 300
SENTENCES: dict[str, LazyString] = {
    "initiative.created": _l("%(who)s begon aan dit initiatief."),
    "initiative.co_organiser_added": _l("%(who)s nodigde een medeorganisator uit."),
    "initiative.co_organiser_confirmed": _l("Een medeorganisator deed mee."),
    "initiative.co_organiser_declined": _l("Een medeorganisator doet niet mee."),
    "initiative.co_organiser_removed": _l("%(who)s haalde een medeorganisator weg."),
    "initiative.organiser_left": _l("Een organisator stopte ermee."),
    "initiative.submitted": _l("%(who)s diende het in."),
    "initiative.changes_requested": _l("%(who)s vroeg om een aanpassing."),
    "initiative.published": _l("%(who)s publiceerde het."),
    "initiative.rejected": _l("%(who)s wees het af."),
    "initiative.funded": _l("Het streefbedrag was binnen."),
    "initiative.expired": _l("De streefdatum ging voorbij zonder dat het bedrag binnen was."),
    "initiative.stopped": _l("%(who)s stopte het."),
    "initiative.withdrawn": _l("%(who)s trok het in."),
    "initiative.in_progress": _l("%(who)s begon met de uitvoering."),
    "initiative.realised": _l("%(who)s zette het op gelukt."),
    "initiative.edited": _l("%(who)s paste de tekst aan."),
    "initiative.change_sent": _l("%(who)s stuurde een wijziging naar de wijkregisseur."),
    "initiative.change_withdrawn": _l("%(who)s trok de wijziging weer in."),
    "initiative.change_approved": _l("%(who)s keurde de wijziging goed."),
    "initiative.change_refused": _l("%(who)s weigerde de wijziging."),
    "initiative.co_organiser_asked_again": _l("%(who)s vroeg een medeorganisator nog een keer."),
    "initiative.invitation_reported": _l("Iemand meldde dat een uitnodiging niet klopt."),
    "initiative.pictures_reordered": _l("%(who)s zette de foto's in een andere volgorde."),
    "initiative.funding_told": _l("Organisatoren en gevers kregen bericht dat het bedrag binnen is."),
    "initiative.givers_thanked": _l("%(who)s bedankte de gevers."),
    "initiative.update_begun": _l("%(who)s begon aan een nieuwsbericht."),
    "initiative.update_edited": _l("%(who)s paste een nieuwsbericht aan."),
    "initiative.update_posted": _l("%(who)s plaatste een nieuwsbericht."),
    "initiative.update_removed": _l("%(who)s haalde een nieuwsbericht weg."),
    "initiative.update_hidden": _l("%(who)s verborg een nieuwsbericht."),
    "initiative.help_offered": _l("Iemand bood hulp aan."),
    "initiative.help_withdrawn": _l("Iemand trok een aanbod van hulp in."),
    "initiative.help_accepted": _l("%(who)s nam een aanbod van hulp aan."),
    "initiative.help_thanked": _l("%(who)s bedankte voor een aanbod van hulp: het was niet nodig."),
    "initiative.picture_added": _l("%(who)s zette een foto erbij."),
    "initiative.picture_described": _l("%(who)s beschreef een foto."),
    "initiative.picture_removed": _l("%(who)s haalde een foto weg."),
    "initiative.question_asked": _l("Iemand stelde een vraag."),
    "initiative.question_answered": _l("%(who)s beantwoordde een vraag."),
    "initiative.post_reported": _l("Iemand meldde een vraag of antwoord."),
    "initiative.post_hidden": _l("%(who)s verborg een vraag of antwoord."),
    "initiative.post_kept": _l("%(who)s liet een gemelde vraag of antwoord staan."),
    "initiative.box_registered": _l("%(who)s zette een bus voor codes van papier neer."),
    "initiative.box_removed": _l("%(who)s haalde een bus weg."),
    "initiative.questions_opened": _l("%(who)s zette vragen aan."),
    "initiative.questions_closed": _l("%(who)s zette vragen uit."),
    "initiative.accountability_begun": _l("%(who)s begon aan de verantwoording."),
    "initiative.accountability_submitted": _l("%(who)s stuurde de verantwoording in."),
    "initiative.accountability_returned": _l("%(who)s stuurde de verantwoording terug."),
    "initiative.accountability_approved": _l("%(who)s keurde de verantwoording goed."),
    "initiative.payout_requested": _l("%(who)s vroeg de uitbetaling aan."),
    "initiative.payout_corrected": _l("%(who)s paste de gegevens voor de uitbetaling aan."),
    "initiative.payout_taken_back": _l("%(who)s trok de aanvraag voor de uitbetaling in."),
    "initiative.payout_confirmed": _l("%(who)s bevestigde de gegevens voor de uitbetaling."),
    "initiative.payout_incomplete": _l("%(who)s stuurde de aanvraag voor de uitbetaling terug."),
    "initiative.payout_approved": _l("%(who)s keurde de uitbetaling goed."),
    "initiative.payout_refused": _l("%(who)s weigerde de uitbetaling."),
    "initiative.payout_iban_shown": _l("%(who)s bekeek het hele rekeningnummer."),
    "initiative.payout_exported": _l("%(who)s zette de uitbetaling in een betaalopdracht."),
    "initiative.payout_export_cancelled": _l("%(who)s haalde de uitbetaling uit de betaalopdracht."),
    "initiative.payout_paid": _l("De uitbetaling is betaald."),
    "initiative.payout_bounced": _l("De uitbetaling kwam terug van de bank."),
    "initiative.unspent_returned": _l("%(who)s boekte geld dat niet was besteed en terugkwam."),
    "initiative.handed_over": _l("%(who)s droeg het over aan een andere balie."),
    "initiative.taken_up": _l("%(who)s pakte dit op."),
    "initiative.released": _l("%(who)s legde dit terug."),
    "initiative.rule_set_aside": _l("%(who)s maakte een uitzondering op een spelregel."),
    "initiative.desk_wrote": _l("%(who)s stuurde de organisatoren een bericht."),
    "initiative.organiser_wrote": _l("%(who)s stuurde de wijkregisseur een bericht."),
    "initiative.message_handled": _l("%(who)s zette een bericht op afgehandeld."),
    "initiative.note_written": _l("%(who)s schreef een notitie."),
    "initiative.check_ticked": _l("%(who)s vinkte een punt af."),
    "initiative.check_unticked": _l("%(who)s haalde een vinkje weg."),
}
# These have a place of their own on the screen and would only fill the list.
ELSEWHERE = frozenset({"initiative.note_written", "initiative.check_ticked", "initiative.check_unticked"})
# What makes a decision that is being written out of date.
TURNS = frozenset(
    f"initiative.{name}"
    for name in (
        "submitted",
        "changes_requested",
        "published",
        "rejected",
        "funded",
        "expired",
        "stopped",
        "withdrawn",
        "in_progress",
        "realised",
        "handed_over",
        "change_sent",
        "change_withdrawn",
        "change_approved",
        "change_refused",
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One line of the history."""

    kind: str
    sentence: str
    reason: str
    happened_at: dt.datetime


def history_of(session: Session, initiative_id: int, organisers: dict[int, str]) -> list[Happening]:
    """What happened to an initiative last, newest first. ``organisers`` are names by account, as given."""
    query = select(Event).where(Event.subject == "initiative", Event.subject_id == initiative_id)
    events = session.scalars(query.where(Event.kind.not_in(ELSEWHERE)).order_by(Event.id.desc()).limit(MOST)).all()
    names = names_of(session, _accounts(events)) | organisers
    return [
        Happening(
            kind=event.kind, sentence=_sentence(event, names), reason=event.reason or "", happened_at=event.happened_at
        )
        for event in events
    ]


def last_turn(session: Session, initiative_id: int) -> Happening | None:
    """The last thing that happened which a decision depends on."""
    query = select(Event).where(Event.subject == "initiative", Event.subject_id == initiative_id, Event.kind.in_(TURNS))
    event = session.scalar(query.order_by(Event.id.desc()).limit(1))
    if event is None:
        return None
    sentence = _sentence(event, names_of(session, _accounts([event])))
    return Happening(kind=event.kind, sentence=sentence, reason="", happened_at=event.happened_at)


def _accounts(events: Iterable[Event]) -> set[int]:
    return {number for event in events if (number := _account_of(event.actor)) is not None}


def _account_of(actor: str) -> int | None:
    kind, _colon, number = actor.partition(":")
    return int(number) if kind in {"staff", "organiser"} and number.isdecimal() and len(number) < 19 else None


def _sentence(event: Event, names: dict[int, str]) -> str:
    words: LazyString | str = SENTENCES.get(event.kind, _("%(who)s veranderde iets."))
    return f"{words}".replace("%(who)s", _who(event.actor, names))


def _who(actor: str, names: dict[int, str]) -> str:
    kind = actor.partition(":")[0]
    number = _account_of(actor)
    if number is not None and names.get(number):
        return names[number]
    words: dict[str, str] = {
        "organiser": _("Een organisator"),
        "staff": _("Een medewerker"),
        "giver": _("Een gever"),
    }
    return words.get(kind) or str(_("Het systeem"))
