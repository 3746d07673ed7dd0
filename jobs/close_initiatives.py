# SPDX-License-Identifier: EUPL-1.2
"""Close what should be closed, give back what was given to what failed, and tell the givers (rules 6 and 7).

Of an initiative that failed, a payout that was not sent to the bank is refused first. While one is at the bank nothing
goes back, no voucher and no money: finance decides (task STOPPED_AFTER_PAYOUT, once). Gifts of money go back with
refund_payments, which tells their givers itself.
"""

from __future__ import annotations

import datetime as dt
from functools import partial

from flask_babel import gettext as _

from abs_platform.actors import Actor
from abs_platform.clock import local_date
from abs_platform.database import db, transaction
from abs_platform.donations.queries import due_back_with_plan_b
from abs_platform.donations.service import return_to_plan_b, return_vouchers
from abs_platform.finance.service import open_task
from abs_platform.finance.states import TaskKind
from abs_platform.initiatives.ending import expire_and_tell
from abs_platform.initiatives.queries import due_for_close, failed_after_payout, failed_with_gifts, failed_with_payout
from abs_platform.initiatives.service import close_if_funded
from abs_platform.initiatives.states import InitiativeState
from abs_platform.money import format_euros
from abs_platform.objections.service import settle_moot
from abs_platform.payouts.service import refuse_living
from abs_platform.updates.mailing import tell_of_returns
from jobs.runner import JobReport

ACTOR = Actor("job", "close_initiatives")


def run(now: dt.datetime) -> JobReport:
    """Closings first, then the gifts of all that failed: with a plan B one by one, the others in batches."""

    def close(initiative_id: int) -> int:
        with transaction() as session:
            if close_if_funded(session, initiative_id, actor=ACTOR, now=now):
                return 1
            return int(expire_and_tell(session, initiative_id, actor=ACTOR, now=now))

    def give_back(item: tuple[int, InitiativeState]) -> int:
        initiative_id, state = item
        changed = 0
        while True:
            with transaction() as session:
                returned = return_vouchers(session, initiative_id, actor=ACTOR, now=now, reason=state.value)
                tell_of_returns(session, initiative_id, now=now)
            if not returned:
                return changed
            changed += returned

    report = JobReport()
    report.each(due_for_close(db.session(), local_date(now)), close)
    report.each(failed_with_payout(db.session()), partial(_refuse_payout, now=now))
    report.each(failed_after_payout(db.session()), partial(_ask_finance, now=now))
    failed = failed_with_gifts(db.session())
    for initiative_id, state in failed:
        to_plan_b = partial(_to_plan_b, initiative_id=initiative_id, reason=state.value, now=now)
        report.each(due_back_with_plan_b(db.session(), initiative_id), to_plan_b)
    report.each(failed, give_back)
    report.each(["objections"], partial(_settle_objections, now=now))
    return report


def _settle_objections(_all: str, *, now: dt.datetime) -> int:
    with transaction() as session:
        return settle_moot(session, actor=ACTOR, now=now)


def _refuse_payout(initiative_id: int, *, now: dt.datetime) -> int:
    with transaction() as session:
        reason = _("Het initiatief is gestopt of ingetrokken.")
        return refuse_living(session, initiative_id, reason=reason, actor=ACTOR, now=now)


def _ask_finance(item: tuple[int, int], *, now: dt.datetime) -> int:
    initiative_id, cents = item
    with transaction() as session:
        is_new = open_task(
            session,
            TaskKind.STOPPED_AFTER_PAYOUT,
            f"{TaskKind.STOPPED_AFTER_PAYOUT.value}:{initiative_id}",
            now=now,
            initiative_id=initiative_id,
            amount_cents=cents,
            ours=_(
                "Er is %(amount)s gegeven. Niets gaat terug zolang het geld bij de bank is.", amount=format_euros(cents)
            ),
            theirs=_("Er is een uitbetaling bij de bank."),
        )
    return int(is_new)


def _to_plan_b(donation_id: int, *, initiative_id: int, reason: str, now: dt.datetime) -> int:
    with transaction() as session:
        gift = return_to_plan_b(session, donation_id, actor=ACTOR, now=now, reason=reason)
        tell_of_returns(session, initiative_id, now=now)
    if gift is not None:
        with transaction() as session:
            close_if_funded(session, gift.initiative_id, actor=ACTOR, now=now)
    return 1
