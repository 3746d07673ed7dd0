# SPDX-License-Identifier: EUPL-1.2
"""Which numbers of the rules the coordinator may set: what each is for, its unit, and between which bounds.

What stays in the municipality's file, because changing it lightly would be unsafe, says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from flask_babel import LazyString, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from abs_platform.money import format_euros


class Unit(StrEnum):
    """In what a number is counted. Amounts are kept in cents and typed in euros."""

    EUROS = "euros"
    DAYS = "days"
    WORKING_DAYS = "working_days"
    HOURS = "hours"
    MINUTES = "minutes"
    COUNT = "count"
    PERCENT = "percent"


@dataclass(frozen=True, slots=True)
class Number:
    """A number of config.Rules. ``why_in_file`` is "" for what the coordinator may set."""

    name: str
    label: LazyString
    purpose: LazyString
    unit: Unit
    least: int = 1
    most: int = 1
    why_in_file: LazyString | str = ""

    @property
    def may_be_set(self) -> bool:
        """Whether the coordinator may set it."""
        return not self.why_in_file


def written(unit: Unit, value: int) -> str:
    """A value as people read it."""
    words = {
        Unit.EUROS: format_euros(value),
        Unit.DAYS: ngettext("%(num)s dag", "%(num)s dagen", value),
        Unit.WORKING_DAYS: ngettext("%(num)s werkdag", "%(num)s werkdagen", value),
        Unit.HOURS: _("%(num)s uur", num=value),
        Unit.MINUTES: ngettext("%(num)s minuut", "%(num)s minuten", value),
        Unit.PERCENT: f"{value}%",
        Unit.COUNT: str(value),
    }
    return str(words[unit])


_GUESSING = _l("Dit hoort bij de beveiliging van de codes.")

NUMBERS: tuple[Number, ...] = (
    Number(
        "voucher_amount_cents",
        _l("Bedrag van een voucher"),
        _l("Het bedrag dat een nieuwe ronde krijgt. Rondes die er al zijn houden hun bedrag."),
        Unit.EUROS,
        100,
        5_000,
    ),
    Number(
        "kept_valid_days",
        _l("Hoelang een bewaarde voucher geldig blijft"),
        _l("Zoveel dagen na het einde van de ronde. Geldt voor nieuwe rondes."),
        Unit.DAYS,
        30,
        1_095,
    ),
    Number(
        "returned_valid_days",
        _l("Hoelang een teruggegeven voucher geldig blijft"),
        _l("Een voucher die terugkomt, bijvoorbeeld omdat een initiatief stopt. Geldt voor nieuwe rondes."),
        Unit.DAYS,
        14,
        365,
    ),
    Number(
        "max_kept_vouchers",
        _l("Hoeveel vouchers iemand in een account kan bewaren"),
        _l("Vouchers die nog geldig zijn. Wie er meer heeft, geeft er eerst een."),
        Unit.COUNT,
        1,
        50,
    ),
    Number(
        "min_target_cents",
        _l("Laagste streefbedrag"),
        _l("Een initiatief vraagt minstens dit bedrag."),
        Unit.EUROS,
        1_000,
        100_000,
    ),
    Number(
        "max_target_cents",
        _l("Hoogste streefbedrag"),
        _l("Meer mag alleen met een uitzondering van de beheerder."),
        Unit.EUROS,
        50_000,
        2_500_000,
    ),
    Number(
        "max_deadline_days",
        _l("Hoelang een initiatief mag inzamelen"),
        _l("De streefdatum ligt hoogstens zoveel dagen vooruit."),
        Unit.DAYS,
        30,
        730,
    ),
    Number(
        "answer_working_days",
        _l("Binnen hoeveel werkdagen de wijkregisseur antwoordt"),
        _l("Dit beloven we aan wie iets instuurt. Daarna krijgt de wijkregisseur een herinnering."),
        Unit.WORKING_DAYS,
        1,
        60,
    ),
    Number(
        "min_gift_cents",
        _l("Laagste gift met geld"),
        _l("Bij kleinere bedragen gaat te veel op aan kosten van de betaaldienst."),
        Unit.EUROS,
        100,
        2_500,
    ),
    Number(
        "checkout_minutes",
        _l("Hoelang iemand over betalen mag doen"),
        _l("Zolang houden we de ruimte voor een gift vast."),
        Unit.MINUTES,
        30,
        120,
    ),
    Number(
        "settled_after_days",
        _l("Na hoeveel dagen we vergeten welk adres welke voucher kreeg"),
        _l("Zoveel dagen nadat een ronde helemaal is afgerond."),
        Unit.DAYS,
        7,
        365,
    ),
    Number(
        "young_account_days",
        _l("Hoelang een account nieuw heet"),
        _l("Wie een uitbetaling goedkeurt, ziet een waarschuwing als het account van de aanvrager nieuw is."),
        Unit.DAYS,
        1,
        365,
    ),
    Number(
        "max_gone_percent",
        _l("Hoeveel adressen er in één keer mogen verdwijnen"),
        _l("Verdwijnen er meer bij het inlezen van adressen, dan is het bestand waarschijnlijk niet compleet."),
        Unit.PERCENT,
        1,
        50,
    ),
    Number(
        "addresses_fresh_days",
        _l("Hoe oud de adressen mogen zijn bij het uitgeven"),
        _l("Zijn ze ouder, dan staat dat punt op rood in de controle van een ronde."),
        Unit.DAYS,
        7,
        365,
    ),
    Number(
        "replacements_per_client",
        _l("Hoe vaak iemand per dag om een nieuwe brief kan vragen"),
        _l("Vanaf één internetverbinding. Elk adres krijgt hoe dan ook hoogstens één nieuwe brief per ronde."),
        Unit.COUNT,
        1,
        50,
    ),
    Number(
        "large_batch_codes",
        _l("Vanaf hoeveel codes per uur een invoer moet wachten"),
        _l("Voert een organisator meer codes in een uur in, dan kijkt de wijkregisseur er eerst naar."),
        Unit.COUNT,
        10,
        1_000,
    ),
    Number(
        "large_batch_hours",
        _l("Hoelang een grote invoer wacht"),
        _l("Zegt de wijkregisseur niets, dan tellen de codes daarna mee."),
        Unit.HOURS,
        12,
        168,
    ),
    Number(
        "objection_days",
        _l("Hoelang je bezwaar kunt maken tegen een gift"),
        _l("Zoveel dagen nadat een voucher is gegeven."),
        Unit.DAYS,
        1,
        30,
    ),
    Number(
        "min_organisers",
        _l("Hoeveel organisatoren een initiatief nodig heeft"),
        _l("Zij wonen op verschillende adressen."),
        Unit.COUNT,
        why_in_file=_l("Dit is een spelregel waar de gemeenteraad over gaat."),
    ),
    Number(
        "max_voucher_amount_cents",
        _l("Hoogste bedrag van een voucher"),
        _l("Een ronde met een hoger bedrag kan niemand plannen."),
        Unit.EUROS,
        why_in_file=_l("Dit beschermt tegen een typefout in het bedrag van een ronde."),
    ),
    Number(
        "refund_window_days",
        _l("Hoelang we geld kunnen teruggeven"),
        _l("Daarna geeft de betaaldienst een betaling niet meer terug."),
        Unit.DAYS,
        why_in_file=_l("Dit is een afspraak met de betaaldienst."),
    ),
    Number(
        "wrong_codes_per_hour",
        _l("Hoeveel foute codes iemand per uur mag proberen"),
        _l("Daarna moet iemand een uur wachten."),
        Unit.COUNT,
        why_in_file=_GUESSING,
    ),
    Number(
        "alarm_wrong_codes_per_hour",
        _l("Vanaf hoeveel foute codes per uur er alarm is"),
        _l("Alle bezoekers samen."),
        Unit.COUNT,
        why_in_file=_GUESSING,
    ),
)
BY_NAME = {number.name: number for number in NUMBERS}
# The first of a pair may not be more than the second.
IN_ORDER = (
    ("min_target_cents", "max_target_cents"),
    ("voucher_amount_cents", "max_voucher_amount_cents"),
    ("min_gift_cents", "min_target_cents"),
)
