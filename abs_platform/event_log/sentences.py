# SPDX-License-Identifier: EUPL-1.2
"""Events in words: who, what, and what of their details may be told."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from abs_platform.actors import account_number
from abs_platform.agenda.states import SENTENCES as AGENDA_SENTENCES
from abs_platform.event_log.queries import OF_ONE_VOUCHER, STAFF
from abs_platform.events import Event
from abs_platform.finance.states import Settlement
from abs_platform.households.states import SENTENCES as HOUSEHOLD_SENTENCES
from abs_platform.moderation.history import SENTENCES as INITIATIVE_SENTENCES
from abs_platform.money import format_euros
from abs_platform.news.states import SENTENCES as NEWS_SENTENCES
from abs_platform.payments.states import RefundReason
from abs_platform.payouts.history import SENTENCES as PAYOUT_SENTENCES
from abs_platform.rule_settings.states import BY_NAME, written
from abs_platform.templating import long_datetime
from abs_platform.work.states import WorkKind

SUBJECTS: dict[str, LazyString] = {
    "initiative": _l("initiatief"),
    "payout": _l("uitbetaling"),
    "payout_batch": _l("betaalopdracht"),
    "payment": _l("betaling"),
    "payments": _l("betalingen"),
    "round": _l("ronde"),
    "budget": _l("budget"),
    "letter_text": _l("brieftekst"),
    "site_text": _l("tekst van de site"),
    "letters": _l("brieven"),
    "letter_run": _l("brieven"),
    "voucher": _l("voucher"),
    "household": _l("adres"),
    "address": _l("adres"),
    "addresses": _l("adressen"),
    "areas": _l("wijken en buurten"),
    "replacement": _l("nieuwe brief"),
    "entry_batch": _l("invoer van codes"),
    "objection": _l("bezwaar"),
    "help_point": _l("wijkcentrum"),
    "news": _l("nieuwsbericht"),
    "agenda": _l("agenda"),
    "site_picture": _l("foto"),
    "account": _l("account"),
    "rule": _l("instelling"),
    "rule_question": _l("vraag van de regelcheck"),
    "rule_advice": _l("advies van de regelcheck"),
    "rulebook": _l("regelcheck"),
    "finance_task": _l("taak van financiën"),
    "bank_statement": _l("afschrift"),
    "mail": _l("mail"),
    "work": _l("lang werk"),
    "event_log": _l("logboek"),
    "alarm": _l("alarm"),
}
SENTENCES: dict[str, LazyString] = {
    "account.absence_added": _l("Een afwezigheid is gemeld."),
    "account.absence_removed": _l("Een afwezigheid is weggehaald."),
    "account.address_removed": _l("Het adres is uit het account gehaald."),
    "account.address_verified": _l("Het adres is bevestigd met een code."),
    "account.created": _l("Er is een account gemaakt."),
    "account.deleted": _l("Een account is verwijderd."),
    "account.identity_tied": _l("Een account is gekoppeld aan de inlog van de gemeente."),
    "account.work_changed": _l("De taken van een medewerker zijn gewijzigd."),
    "addresses.imported": _l("Adressen zijn ingelezen."),
    "areas.loaded": _l("Wijken en buurten zijn ingelezen."),
    "alarm.codes_guessed": _l("Alarm: er zijn veel foute codes geprobeerd."),
    "alarm.ledger_broken": _l("Alarm: de boeken kloppen niet."),
    "bank_statement.taken_in": _l("Een afschrift is verwerkt."),
    "budget.set": _l("Het budget van een jaar is ingesteld."),
    "entry_batch.waiting": _l("Een lijst met veel codes van papier wacht op de wijkregisseur."),
    "entry_batch.released": _l("Een lijst met codes van papier is vrijgegeven."),
    "entry_batch.refused": _l("Een lijst met codes van papier is afgekeurd."),
    "event_log.exported": _l("Het logboek is gedownload."),
    "finance_task.settled": _l("Een taak van financiën is afgehandeld."),
    **HOUSEHOLD_SENTENCES,
    "help_point.changed": _l("Een wijkcentrum is gewijzigd."),
    "help_point.removed": _l("Een wijkcentrum is weggehaald."),
    "letters.file_downloaded": _l("Een bestand met brieven is gedownload."),
    "letters.files_forgotten": _l("De bestanden met brieven zijn gewist."),
    "letters.all_downloaded": _l("Alle bestanden met brieven zijn gedownload."),
    "letter_run.begun": _l("Het maken van brieven is begonnen."),
    "letter_run.made": _l("De brieven zijn gemaakt."),
    "letters.handed_over": _l("De brieven zijn overgedragen aan de drukker."),
    "letters.withdrawn": _l("De brieven zijn ingetrokken."),
    "letter_text.approved": _l("De tekst van de brief is goedgekeurd."),
    "letter_text.saved": _l("De tekst van de brief is gewijzigd."),
    "mail.failed": _l("Een mail kon niet worden bezorgd."),
    "objection.raised": _l("Een bewoner maakte bezwaar tegen een gift met zijn voucher."),
    "objection.rejected": _l("Een bezwaar is afgewezen: de gift blijft staan."),
    "objection.upheld": _l("Een bezwaar is toegewezen: de voucher is terug bij de bewoner."),
    "payment.begun": _l("Iemand begon met betalen."),
    "payment.paid": _l("Een betaling is binnen."),
    "payment.failed": _l("Een betaling is mislukt."),
    "payment.bank_transfer": _l("De betaaldienst maakte geld over naar de gemeente."),
    "payment.bank_transfer_failed": _l("Geld overmaken naar de gemeente is mislukt."),
    "payments.reconciled": _l("De betalingen zijn vergeleken met de betaaldienst."),
    "payment.late": _l("Een betaling kwam te laat."),
    "payment.expired": _l("Een betaling is vervallen."),
    "payment.refund_asked": _l("Geld teruggeven is gevraagd bij de betaaldienst."),
    "payment.refund_made": _l("De betaaldienst geeft geld terug."),
    "payment.refunded": _l("Geld is teruggegeven."),
    "payment.refund_failed": _l("Teruggeven lukte niet."),
    "payment.refund_tried_again": _l("Teruggeven is nog een keer geprobeerd."),
    "payment.refunded_by_hand": _l("Geld is met de hand teruggegeven."),
    "payment.disputed": _l("Een bank onderzoekt een betaling."),
    "payment.dispute_won": _l("Een bank gaf de gemeente gelijk."),
    "payment.charged_back": _l("Een bank haalde geld terug."),
    "payout_batch.made": _l("Een betaalopdracht is gemaakt."),
    "payout_batch.released": _l("Een betaalopdracht is vrijgegeven."),
    "payout_batch.cancelled": _l("Een betaalopdracht is ingetrokken."),
    "payout_batch.downloaded": _l("Een betaalopdracht is gedownload."),
    "payout_batch.settled": _l("De bank heeft een betaalopdracht uitgevoerd."),
    "replacement.asked": _l("Een bewoner vroeg een nieuwe brief."),
    "round.planned": _l("Een ronde is gepland."),
    "round.changed": _l("Een ronde is gewijzigd."),
    "round.extended": _l("Een ronde is verlengd."),
    "round.released": _l("Een ronde is vrijgegeven."),
    "round.issued": _l("De vouchers van een ronde zijn uitgegeven."),
    "round.vouchers_issued": _l("Vouchers zijn uitgegeven."),
    "round.vouchers_expired": _l("Vouchers zijn verlopen."),
    "round.vouchers_revoked": _l("Vouchers zijn ingetrokken."),
    "round.letters_replaced": _l("Nieuwe vouchers zijn gemaakt voor brieven die kwijt waren."),
    "round.print_file_made": _l("Een bestand voor de drukker is gemaakt."),
    "round.cancelled": _l("Een ronde is geannuleerd."),
    "round.closed": _l("Een ronde is gesloten."),
    "round.closed_early": _l("Een ronde is eerder gesloten."),
    "round.households_forgotten": _l("Bij een ronde is vergeten welk adres welke voucher kreeg."),
    "rule.changed": _l("Een instelling is gewijzigd."),
    "rulebook.loaded": _l("De regelcheck is ingelezen."),
    "rule_advice.added": _l("Een advies van de regelcheck is toegevoegd."),
    "rule_advice.changed": _l("Een advies van de regelcheck is gewijzigd."),
    "rule_advice.moved": _l("Een advies van de regelcheck is verplaatst."),
    "rule_advice.switched": _l("Een advies van de regelcheck is aan- of uitgezet."),
    "rule_question.added": _l("Een vraag van de regelcheck is toegevoegd."),
    "rule_question.changed": _l("Een vraag van de regelcheck is gewijzigd."),
    "rule_question.moved": _l("Een vraag van de regelcheck is verplaatst."),
    "rule_question.switched": _l("Een vraag van de regelcheck is aan- of uitgezet."),
    "site_text.saved": _l("Een tekst van de site is gewijzigd."),
    "voucher.revoked": _l("Een voucher is ingetrokken."),
    "work.ordered": _l("Lang werk is aangevraagd."),
    "work.done": _l("Lang werk is klaar."),
    "work.failed": _l("Lang werk is mislukt."),
    "work.cancelled": _l("Lang werk is ingetrokken."),
    **NEWS_SENTENCES,
    **AGENDA_SENTENCES,
}
LABELS: dict[str, LazyString] = {
    "name": _l("naam"),
    "old": _l("was"),
    "new": _l("werd"),
    "vouchers": _l("vouchers"),
    "batch": _l("partij"),
    "what": _l("wat"),
    "reference": _l("kenmerk"),
    "amount_cents": _l("bedrag"),
    "cents": _l("bedrag"),
    "old_cents": _l("was"),
    "new_cents": _l("werd"),
    "changes": _l("gewijzigd"),
    "before": _l("was"),
    "after": _l("werd"),
    "opens_at": _l("open vanaf"),
    "closes_at": _l("sluit op"),
    "since": _l("sinds"),
    "letters": _l("brieven"),
    "files": _l("bestanden"),
    "printed": _l("gemaakt"),
    "dropped": _l("vervallen"),
    "page": _l("pagina"),
    "language": _l("taal"),
    "version": _l("versie"),
    "letter_text": _l("brieftekst"),
    "note": _l("toelichting"),
    "text": _l("tekst"),
    "settlement": _l("hoe"),
    "is_borne": _l("voor rekening van de gemeente"),
    "despite": _l("ondanks"),
    "recipients": _l("ontvangers"),
    "payout": _l("uitbetaling"),
    "organiser": _l("organisator"),
    "why": _l("waarom"),
    "lines": _l("regels"),
    "gone": _l("verdwenen"),
    "rejected": _l("afgekeurd"),
    "starts_on": _l("vanaf"),
    "ends_on": _l("tot en met"),
    "roles": _l("taken"),
    "districts": _l("wijken"),
    "initiative": _l("initiatief"),
    "round": _l("ronde"),
    "count": _l("aantal"),
    "rows": _l("regels"),
    "filters": _l("gekozen"),
    "neighbourhood": _l("buurt"),
    "made": _l("nieuwe adressen"),
    "split_from": _l("afgesplitst van"),
}
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?([+-]\d\d:\d\d|Z)$")
# All that may be told of an event about one voucher: never what it was given to, nor by whom.
TOLD_OF_A_VOUCHER = frozenset({"round", "batch", "old", "new"})


def who(actor: str, names: Mapping[int, str]) -> str:
    """Who did it: staff by name, residents never."""
    kind, _colon, name = actor.partition(":")
    if actor.startswith(STAFF):
        number = account_number(actor)
        return names.get(number or 0) or str(_("Medewerker %(number)s", number=name))
    if kind in {"job", "command"}:
        return str(_("Het systeem (%(name)s)", name=name))
    return str({"giver": _("Een gever"), "organiser": _("Een bewoner")}.get(kind) or kind)


def sentence(event: Event, by: str) -> str:
    """What happened, in a sentence; of a kind without one, its name in words."""
    words = SENTENCES.get(event.kind)
    if words is None and event.kind in INITIATIVE_SENTENCES:
        return str(INITIATIVE_SENTENCES[event.kind]).replace("%(who)s", by)
    if words is None and event.kind in PAYOUT_SENTENCES:
        return str(_("Uitbetaling: %(what)s.", what=str(PAYOUT_SENTENCES[event.kind]).lower()))
    if words is None:
        verb = event.kind.partition(".")[2].replace("_", " ")
        return f"{subject_label(event.subject).capitalize()}: {verb}"
    return str(words)


def reason(event: Event) -> str:
    """Why; the reason of a refund is a word of ours."""
    if event.subject == "payment" and event.reason in set(RefundReason):
        return str(RefundReason(event.reason).label)
    return event.reason or ""


def subject_label(subject: str) -> str:
    """What an event is about, in a word."""
    return str(SUBJECTS.get(subject) or subject.replace("_", " "))


def shown_details(event: Event) -> list[tuple[str, str]]:
    """The details that may be told, as label and value."""
    details = event.details or {}
    if event.subject in OF_ONE_VOUCHER:
        details = {name: value for name, value in details.items() if name in TOLD_OF_A_VOUCHER}
    if event.kind == "rule.changed":
        details = _of_a_rule(details)
    order = list(LABELS)
    details = dict(sorted(details.items(), key=lambda one: order.index(one[0]) if one[0] in LABELS else len(order)))
    told = {name: value for name, value in details.items() if value not in (None, [])}
    return [(_label(name), _value(name, value)) for name, value in told.items()]


def _label(name: str) -> str:
    return str(LABELS.get(name) or name.replace("_", " "))


def _value(name: str, value: Any) -> str:
    """Cents as euros, the name of long work and moments in words."""
    if name.endswith("cents") and isinstance(value, int):
        return format_euros(value)
    if name == "what" and value in set(WorkKind):
        return str(WorkKind(value).label)
    if name == "settlement" and value in set(Settlement):
        return str(Settlement(value).label)
    if name.endswith("_at") and isinstance(value, list):
        return " → ".join(_value(name, one) for one in value)
    if isinstance(value, str) and _MOMENT.match(value):
        return long_datetime(dt.datetime.fromisoformat(value))
    return _written(value)


def _of_a_rule(details: Mapping[str, Any]) -> dict[str, Any]:
    """A changed number as the page of settings writes it."""
    number = BY_NAME.get(str(details.get("name")))
    if number is None:
        return dict(details)
    return {name: str(number.label) if name == "name" else written(number.unit, details[name]) for name in details}


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return str(_("ja") if value else _("nee"))
    if isinstance(value, dict):
        return ", ".join(f"{_label(name)}: {_value(name, one)}" for name, one in value.items()) or "-"
    if isinstance(value, list):
        return ", ".join(_written(one) for one in value) or "-"
    return "-" if value is None else str(value)
