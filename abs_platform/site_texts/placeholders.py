# SPDX-License-Identifier: EUPL-1.2
"""What a text may leave to be filled in: the numbers of the rules in force, the round that is open, and who we are."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from abs_platform.money import format_euros
from abs_platform.municipality import Municipality, Rules
from abs_platform.rounds.queries import OpenRound
from abs_platform.rule_settings.states import Unit, written
from abs_platform.templating import long_date

A_YEAR = 365

PLACEHOLDERS = {
    "gemeente": _l("de naam van de gemeente"),
    "site": _l("de naam van deze site"),
    "adres": _l("het adres van deze site"),
    "website": _l("het adres van de site van de gemeente"),
    "email": _l("ons e-mailadres"),
    "telefoon": _l("ons telefoonnummer"),
    "postadres": _l("waar we zitten"),
    "bedrag": _l("het bedrag van de voucher"),
    "opent": _l("de eerste dag van de ronde die open is"),
    "sluit": _l("de laatste dag van de ronde die open is"),
    "organisatoren": _l("hoeveel organisatoren een initiatief heeft"),
    "laagste_streefbedrag": _l("het laagste streefbedrag"),
    "hoogste_streefbedrag": _l("het hoogste streefbedrag"),
    "inzamelen": _l("hoelang een initiatief mag inzamelen"),
    "antwoord": _l("binnen hoeveel werkdagen we antwoorden"),
    "bewaren": _l("hoelang een bewaarde voucher geldig blijft"),
    "teruggekomen": _l("hoelang een voucher die terugkomt minstens geldig blijft"),
    "bewaarde_vouchers": _l("hoeveel vouchers iemand kan bewaren"),
    "laagste_gift": _l("de laagste gift met geld"),
    "betaaltijd": _l("hoelang je over betalen mag doen"),
    "terugbetalen": _l("tot hoelang na een betaling we geld teruggeven"),
    "bezwaar": _l("hoelang je bezwaar kunt maken tegen een gift"),
    "foute_codes": _l("hoeveel foute codes je per uur mag proberen"),
    "vergeten": _l("na hoeveel dagen we vergeten welk adres welke voucher kreeg"),
}
CONDITIONS = {
    "als_geld": _l("dit stuk staat er alleen als mensen met geld kunnen geven"),
    "als_ronde": _l("dit stuk staat er alleen als er een ronde open is"),
    "als_geen_ronde": _l("dit stuk staat er alleen als er geen ronde open is"),
}


def values_of(
    municipality: Municipality, rules: Rules, open_round: OpenRound | None, *, address: str
) -> dict[str, str]:
    """What stands for each placeholder now, in the language of who reads."""
    unknown = _("nog niet bekend")
    amount = rules.voucher_amount_cents if open_round is None else open_round.amount_cents
    return {
        "gemeente": municipality.name,
        "site": municipality.site_name,
        "adres": address,
        "website": municipality.website,
        "email": municipality.contact_email,
        "telefoon": municipality.contact_phone,
        "postadres": municipality.contact_address,
        "bedrag": format_euros(amount),
        "opent": unknown if open_round is None else long_date(open_round.opens_at),
        "sluit": unknown if open_round is None else long_date(open_round.last_day),
        "organisatoren": str(rules.min_organisers),
        "laagste_streefbedrag": format_euros(rules.min_target_cents),
        "hoogste_streefbedrag": format_euros(rules.max_target_cents),
        "inzamelen": _days(rules.max_deadline_days),
        "antwoord": written(Unit.WORKING_DAYS, rules.answer_working_days),
        "bewaren": _days(rules.kept_valid_days),
        "teruggekomen": _days(rules.returned_valid_days),
        "bewaarde_vouchers": str(rules.max_kept_vouchers),
        "laagste_gift": format_euros(rules.min_gift_cents),
        "betaaltijd": written(Unit.MINUTES, rules.checkout_minutes),
        "terugbetalen": _days(rules.refund_window_days),
        "bezwaar": _days(rules.objection_days),
        "foute_codes": str(rules.wrong_codes_per_hour),
        "vergeten": _days(rules.settled_after_days),
    }


def conditions_now(open_round: OpenRound | None, *, takes_money: bool) -> frozenset[str]:
    """Which conditions hold."""
    money = {"als_geld"} if takes_money else set()
    return frozenset(money | {"als_geen_ronde" if open_round is None else "als_ronde"})


def _days(days: int) -> str:
    return str(_("1 jaar")) if days == A_YEAR else written(Unit.DAYS, days)
