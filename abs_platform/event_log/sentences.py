# SPDX-License-Identifier: EUPL-1.2
"""Events in words: who, what, and what of their details may be told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from abs_platform.actors import account_number
from abs_platform.event_log.queries import OF_ONE_VOUCHER, STAFF
from abs_platform.events import Event
from abs_platform.moderation.history import SENTENCES as INITIATIVE_SENTENCES
from abs_platform.payouts.history import SENTENCES as PAYOUT_SENTENCES
from abs_platform.rule_settings.states import BY_NAME, written

SUBJECTS: dict[str, LazyString] = {
    "initiative": _l("initiatief"),
    "payout": _l("uitbetaling"),
    "payout_batch": _l("betaalopdracht"),
    "payment": _l("betaling"),
    "round": _l("ronde"),
    "budget": _l("budget"),
    "letter_text": _l("brieftekst"),
    "letters": _l("brieven"),
    "voucher": _l("voucher"),
    "household": _l("adres"),
    "addresses": _l("adressen"),
    "areas": _l("wijken en buurten"),
    "replacement": _l("nieuwe brief"),
    "entry_batch": _l("invoer van codes"),
    "objection": _l("bezwaar"),
    "help_point": _l("wijkcentrum"),
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
    "help_point.changed": _l("Een wijkcentrum is gewijzigd."),
    "help_point.removed": _l("Een wijkcentrum is weggehaald."),
    "letters.file_downloaded": _l("Een bestand met brieven is gedownload."),
    "letters.files_forgotten": _l("De bestanden met brieven zijn gewist."),
    "letters.all_downloaded": _l("Alle bestanden met brieven zijn gedownload."),
    "letters.begun": _l("Het maken van brieven is begonnen."),
    "letters.made": _l("De brieven zijn gemaakt."),
    "letters.handed_over": _l("De brieven zijn overgedragen aan de drukker."),
    "letters.withdrawn": _l("De brieven zijn ingetrokken."),
    "letter_text.approved": _l("De tekst van de brief is goedgekeurd."),
    "letter_text.saved": _l("De tekst van de brief is gewijzigd."),
    "mail.failed": _l("Een mail kon niet worden bezorgd."),
    "payment.begun": _l("Iemand begon met betalen."),
    "payment.paid": _l("Een betaling is binnen."),
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
    "round.planned": _l("Een ronde is gepland."),
    "round.changed": _l("Een ronde is gewijzigd."),
    "round.extended": _l("Een ronde is verlengd."),
    "round.released": _l("Een ronde is vrijgegeven."),
    "round.issued": _l("De vouchers van een ronde zijn uitgegeven."),
    "round.vouchers_issued": _l("Vouchers zijn uitgegeven."),
    "round.vouchers_expired": _l("Vouchers zijn verlopen."),
    "round.print_file_made": _l("Een bestand voor de drukker is gemaakt."),
    "round.cancelled": _l("Een ronde is geannuleerd."),
    "round.closed": _l("Een ronde is gesloten."),
    "round.closed_early": _l("Een ronde is eerder gesloten."),
    "round.households_forgotten": _l("Bij een ronde is vergeten welk adres welke voucher kreeg."),
    "rule.changed": _l("Een instelling is gewijzigd."),
    "rulebook.loaded": _l("De regelcheck is ingelezen."),
    "voucher.revoked": _l("Een voucher is ingetrokken."),
    "work.ordered": _l("Lang werk is aangevraagd."),
    "work.done": _l("Lang werk is klaar."),
    "work.failed": _l("Lang werk is mislukt."),
    "work.cancelled": _l("Lang werk is ingetrokken."),
}
LABELS: dict[str, LazyString] = {
    "name": _l("naam"),
    "old": _l("was"),
    "new": _l("werd"),
    "vouchers": _l("vouchers"),
    "batch": _l("partij"),
    "what": _l("wat"),
    "reference": _l("kenmerk"),
    "amount_cents": _l("bedrag in centen"),
    "roles": _l("taken"),
    "districts": _l("wijken"),
    "initiative": _l("initiatief"),
    "round": _l("ronde"),
    "count": _l("aantal"),
    "rows": _l("regels"),
    "filters": _l("gekozen"),
}
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
    told = {name: value for name, value in details.items() if value is not None}
    return [(str(LABELS.get(name) or name.replace("_", " ")), _written(value)) for name, value in told.items()]


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
        return ", ".join(f"{name}: {_written(one)}" for name, one in value.items()) or "-"
    if isinstance(value, list):
        return ", ".join(_written(one) for one in value) or "-"
    return "-" if value is None else str(value)
