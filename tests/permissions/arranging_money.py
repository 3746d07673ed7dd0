# SPDX-License-Identifier: EUPL-1.2
"""What went round in the town: vouchers, paper, payouts and the books."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import func, select

from abs_platform import clock
from abs_platform.demo.bank_statement import daily_business, statement_file
from abs_platform.finance.models import FinanceTask
from abs_platform.finance.service import open_task
from abs_platform.finance.states import TaskKind
from abs_platform.initiatives.models import Initiative
from abs_platform.ledger.models import LedgerTransaction
from abs_platform.letters.content import default_content
from abs_platform.letters.models import LetterText
from abs_platform.objections.models import Objection
from abs_platform.paper.models import EntryBatch
from abs_platform.paper.service import batch_for, let_wait, register_box
from abs_platform.payouts import approving
from abs_platform.payouts import service as payouts
from abs_platform.payouts.models import Payout, PayoutBatch
from abs_platform.payouts.service import BankDetails
from abs_platform.payouts.statements import take_in
from abs_platform.payouts.states import HolderKind
from abs_platform.replacements.models import ReplacementRequest
from abs_platform.rounds.models import Round
from abs_platform.site_texts.models import SiteTextVersion
from abs_platform.vouchers.models import KeptVoucher
from tests.factories import SECRET_KEY, TEST_ACTOR
from tests.payouts.bank_desk import OUR_ACCOUNT, Desk
from tests.permissions.town import (
    COORDINATOR,
    FINANCE,
    FORMER,
    HOLDER,
    INITIATOR,
    OWN,
    PAYOUT_IBAN,
    RESIDENT,
    Town,
)


def arrange_payouts(town: Town) -> None:
    """One that waits at the desk, one at finance, one at the bank, and one of which a part was paid."""
    session, now, today = town.session, town.factory.now, clock.local_date(town.factory.now)
    for name, initiative in (
        ("payout", "funded"),
        ("confirmed_payout", "running"),
        ("exported_payout", "accounted"),
        ("paid_payout", "realised"),
    ):
        details = BankDetails(
            amount_cents=2_000, iban=PAYOUT_IBAN, holder_name=HOLDER, holder_kind=HolderKind.ORGANISATION
        )
        asked = {"user": town.user(INITIATOR), "secret_key": SECRET_KEY, "now": now}
        number = town.ids[name] = payouts.request(session, town.ids[initiative], details, **asked)
        if name != "payout":
            approving.confirm(session, number, version=1, user=town.user(OWN), now=now)
        if name in {"exported_payout", "paid_payout"}:
            approving.approve(session, number, version=1, user=town.user(FINANCE), now=now)
            payout = session.get_one(Payout, number)
            batch = PayoutBatch(
                message_id=f"TEST-{number}",
                state="released",
                payout_count=1,
                sum_cents=2_000,
                execution_on=today,
                sealed_file=b"-",
                sha256="0" * 64,
                made_at=now,
                made_by_id=town.accounts[FINANCE].id,
                released_at=now,
                released_by_id=town.accounts[FORMER].id,
            )
            session.add(batch)
            session.flush()
            payout.state, payout.batch_id = "exported", batch.id
            session.flush()
    approving.mark_paid(session, town.ids["paid_payout"], paid_on=today, actor=TEST_ACTOR, now=now)
    town.ids["today"] = today.isoformat()


def arrange_bank(town: Town) -> None:
    """A file that waits for who did not make it, one that may go to the bank, and a statement."""
    desk = Desk(town.factory, {"Sanne": town.user(OWN), "Frits": town.user(FINANCE)})
    town.ids["made_batch"] = desk.made(desk.approved())
    town.ids["released_batch"] = desk.released(desk.approved())
    today = clock.local_date(town.factory.now)
    content = statement_file(
        [[line] for line in daily_business(today)], iban=OUR_ACCOUNT.iban, number="A1", created_at=town.factory.now
    )
    town.ids["statement"] = take_in(
        town.session, content, account=OUR_ACCOUNT, user=desk.user("Mia"), now=town.factory.now
    )


def arrange_books(town: Town) -> None:
    """A task of finance, and the newest booking."""
    open_task(town.session, TaskKind.DIFFERENCE, "town", now=town.factory.now, ours="Iets.", theirs="Iets anders.")
    town.ids["task"] = town.session.scalars(select(func.max(FinanceTask.id))).one()
    town.ids["transaction"] = town.session.scalars(select(func.max(LedgerTransaction.id))).one()
    town.ids["this_month"] = f"{clock.local_date(town.factory.now):%Y-%m}"


def arrange_kept_voucher(town: Town) -> None:
    """Rita keeps a voucher in her account."""
    voucher = town.factory.voucher(town.factory.fresh_codes(1)[0])
    voucher.state, voucher.kept_at, voucher.usable_until = (
        "kept",
        town.factory.now,
        town.factory.now + dt.timedelta(days=300),
    )
    kept_by = KeptVoucher(voucher_id=voucher.id, account_id=town.accounts[RESIDENT].id, kept_at=town.factory.now)
    town.session.add(kept_by)
    town.session.flush()
    town.ids["kept_voucher"] = voucher.id
    marked, gone = town.factory.households(2)
    gone.ended_on, gone.ended_by_hand_at = clock.local_date(town.factory.now), town.factory.now
    marked.mail_returned_at = town.factory.now
    town.session.flush()
    town.ids |= {"marked_household": marked.id, "marked_number": marked.house_number, "ended_household": gone.id}
    town.ids["round"] = voucher.round_id
    lost = town.factory.voucher(town.factory.fresh_codes(1)[0])
    asked = ReplacementRequest(
        round_id=lost.round_id,
        household_id=lost.household_id,
        neighbourhood_id=marked.neighbourhood_id,
        channel="online",
        asked_at=town.factory.now,
    )
    text_of_letter = LetterText(
        version=1,
        content=default_content(town.app.extensions["settings"].municipality).dump(),
        made_at=town.factory.now,
        approved_at=town.factory.now,
        approved_by_id=town.accounts[COORDINATOR].id,
    )
    shown = SiteTextVersion(page="over", language="nl", version=1, body="Van nu.", made_at=town.factory.now)
    town.session.add_all([asked, text_of_letter, shown])
    town.session.flush()
    town.ids["round_name"] = town.session.scalars(select(Round.name).where(Round.id == voucher.round_id)).one()
    day = dt.timedelta(days=1)
    town.ids["later"] = (clock.today() + 60 * day).isoformat()
    coming = town.factory.round(name="Volgend jaar", opens=200 * day, closes=240 * day, is_released=False)
    town.ids["coming_round"] = coming.id


def arrange_paper(town: Town) -> None:
    """A box, and a batch of codes that waits for the desk."""
    session, initiative_id, by = town.session, town.ids["published"], town.accounts[INITIATOR].id
    box = register_box(
        session, initiative_id, "Bakkerij Bos", "Markt 1", account_id=by, actor=TEST_ACTOR, now=town.factory.now
    )
    batch = session.get_one(EntryBatch, batch_for(session, initiative_id, by, box_id=box.id, now=town.factory.now))
    let_wait(session, batch, rules=town.factory.rules, actor=TEST_ACTOR, now=town.factory.now)
    session.flush()
    town.ids |= {"box": box.number, "entry_batch": batch.id}


def arrange_objection(town: Town) -> None:
    """Somebody did not give the voucher that was given to what is published."""
    initiative = town.session.get_one(Initiative, town.ids["published"])
    gift = town.factory.give(town.factory.fresh_codes(1)[0], initiative)
    assert gift is not None
    made = Objection(donation_id=gift.donation_id, raised_at=town.factory.now)
    town.session.add(made)
    town.session.flush()
    town.ids["objection"] = made.id
