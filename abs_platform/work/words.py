# SPDX-License-Identifier: EUPL-1.2
"""The jobs of the timetable in words for the coordinator: what each is called and what it is for."""

from dataclasses import dataclass

from flask_babel import LazyString, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l


@dataclass(frozen=True, slots=True)
class JobWords:
    """A job in words."""

    label: LazyString | str
    purpose: LazyString | str = ""


JOBS: dict[str, JobWords] = {
    "send_outbox": JobWords(_l("Mail versturen"), _l("Stuurt de mails die klaarstaan.")),
    "do_work": JobWords(_l("Lang werk doen"), _l("Doet wat hier is aangevraagd: brieven maken, adressen inlezen.")),
    "issue_vouchers": JobWords(
        _l("Vouchers uitgeven"),
        _l("Geeft de vouchers uit van vrijgegeven rondes, ook aan nieuwe adressen."),
    ),
    "book_entries": JobWords(
        _l("Grote invoer verwerken"), _l("Telt codes mee die lang genoeg op de wijkregisseur hebben gewacht.")
    ),
    "close_initiatives": JobWords(
        _l("Initiatieven afsluiten"), _l("Sluit de inzameling als het bedrag binnen is of de streefdatum voorbij is.")
    ),
    "count_progress": JobWords(_l("Lijsten op volgorde zetten"), _l("Telt giften en maakt elke dag de eerlijke mix.")),
    "count_figures": JobWords(_l("Cijfers tellen"), _l("Telt elk uur de cijfers van jaren en wijken.")),
    "release_checkouts": JobWords(
        _l("Betalingen afsluiten"), _l("Geeft ruimte vrij van wie wel begon met betalen, maar niet klaar kwam.")
    ),
    "refund_payments": JobWords(_l("Geld teruggeven"), _l("Geeft giften terug van initiatieven die niet doorgaan.")),
    "reconcile_payments": JobWords(_l("Betalingen vergelijken"), _l("Vergelijkt onze boeken met de betaaldienst.")),
    "tell_of_funding": JobWords(
        _l("Vertellen dat het gelukt is"), _l("Mailt gevers en organisatoren als het bedrag binnen is.")
    ),
    "expire_vouchers": JobWords(
        _l("Vouchers laten verlopen"), _l("Boekt vouchers die niet zijn gebruikt terug naar de gemeente.")
    ),
    "send_reminders": JobWords(_l("Herinneringen sturen"), _l("Herinnert organisatoren, gevers en medewerkers.")),
    "send_digests": JobWords(_l("Weekmail sturen"), _l("Mailt volgers op donderdag wat er nieuw is.")),
    "check_ledger": JobWords(_l("Boeken controleren"), _l("Rekent na of elke cent klopt.")),
    "prove_rounds": JobWords(_l("Rondes narekenen"), _l("Rekent na of van elke ronde alle vouchers kloppen.")),
    "purge_personal_data": JobWords(_l("Gegevens wissen"), _l("Wist persoonsgegevens die we niet meer nodig hebben.")),
}
# Nobody asks for this one by hand: it is what does the asking.
NOT_BY_HAND = frozenset({"do_work"})

_KNOWN = {
    "stopped half-way: the process was killed": _l(
        "De taak stopte halverwege: het proces viel uit. Ze gaat vanzelf verder."
    ),
    "stopped half-way: the process did not answer, and another took over": _l(
        "Het proces gaf geen teken van leven meer. Een ander proces nam de taak over."
    ),
    "stopped half-way: the process was told to stop": _l(
        "De taak stopte halverwege: het proces moest stoppen. Ze gaat vanzelf verder."
    ),
}


def words_of(job: str) -> JobWords:
    """A job in words; one without words is called by its name."""
    return JOBS.get(job) or JobWords(job)


def what_went_wrong(error: str | None) -> str:
    """The error of a run in one sentence; its lines are for who runs the system."""
    if not error:
        return ""
    if error in _KNOWN:
        return str(_KNOWN[error])
    failed = len(error.splitlines())
    if failed == 1:
        return str(_("Er ging iets mis. De regel hieronder is voor de beheerder van het systeem."))
    return str(ngettext("%(num)s ding lukte niet.", "%(num)s dingen lukten niet.", failed))
