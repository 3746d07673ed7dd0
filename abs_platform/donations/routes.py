# SPDX-License-Identifier: EUPL-1.2
"""The receipt of a gift: of a voucher, or of money wherever it is."""

from typing import Any

from flask import Blueprint, render_template
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from abs_platform import clock
from abs_platform.database import db
from abs_platform.donations.queries import receipt as find_receipt
from abs_platform.donations.service import is_reference
from abs_platform.donations.states import DonationKind
from abs_platform.errors import NotFound
from abs_platform.initiatives.queries import InitiativeCard, card, title_of
from abs_platform.initiatives.states import FAILED_STATES
from abs_platform.payments.queries import view as find_payment
from abs_platform.payouts.queries import at_the_bank
from abs_platform.security import public

bp = Blueprint("donations", __name__)


@bp.get("/giften/<reference>")
@public
def receipt(reference: str) -> tuple[str, int, dict[str, str]]:
    """What was given, and the new total. It tells nothing of who gave but what the giver wrote.

    It only reads: whoever comes from the bank, twice or on two devices, sees what is booked and books nothing.
    """
    session = db.session()
    donation = find_receipt(session, reference) if is_reference(reference) else None
    initiative = None if donation is None else card(session, donation.initiative_id, today=clock.today())
    if donation is None or initiative is None:
        raise NotFound(_("Dit bewijs bestaat niet. Kijk of het nummer klopt."))
    page = render_template(
        "donations/receipt.html",
        donation=donation,
        plan_b_title=_title(session, donation.plan_b_initiative_id),
        went_on_to=_title(session, donation.went_on_to_initiative_id),
        last_day=None if donation.usable_until is None else clock.last_day(donation.usable_until),
        initiative=initiative,
        is_funded=initiative.missing_cents == 0,
        **(_payment(session, reference, initiative) if donation.kind == DonationKind.MONEY else {}),
    )
    return page, 200, {"Cache-Control": "no-store"}


def _payment(session: Session, reference: str, initiative: InitiativeCard) -> dict[str, Any]:
    """Where the money is."""
    payment, now = find_payment(session, reference), clock.now()
    if payment is None:
        raise NotFound(_("Dit bewijs bestaat niet. Kijk of het nummer klopt."))
    has_failed = initiative.state in FAILED_STATES
    return {
        "payment": payment,
        "stage": payment.stage(goes_back=has_failed and not at_the_bank(session, initiative.id), now=now).value,
        "has_failed": has_failed,
        "can_go_on": payment.has_checkout and payment.reserved_until > now,
        "why": payment.refund_reason or (initiative.state.value if has_failed else "late"),
    }


def _title(session: Session, initiative_id: int | None) -> str | None:
    return None if initiative_id is None else title_of(session, initiative_id)
