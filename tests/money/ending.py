# SPDX-License-Identifier: EUPL-1.2
"""The end of an example, and now and then its middle: nothing goes wrong any more, all jobs run, all sides agree."""

from __future__ import annotations

import datetime as dt

from hypothesis.stateful import precondition, rule

from tests.money import agreement, proof
from tests.money.banking import Banking
from tests.money.giving import Giving
from tests.money.paying_out import PayingOut
from tests.money.working import JOBS, Working

# The longest pause after a question that was not answered, and more than the night in which all of it is compared.
LONG = dt.timedelta(hours=25)
IN_ORDER = ("release_checkouts", "reconcile_payments", "close_initiatives", "refund_payments", "reconcile_payments")


class Money(Giving, Banking, Working, PayingOut):
    """All of it."""

    @precondition(lambda self: self.since_settled > 40)
    @rule()
    def settle_everything(self) -> None:
        """The provider answers, what it sends arrives, and the jobs run; then all sides agree to the cent."""
        self.since_settled = 0
        self.stand_in.faults.clear()
        self._let_the_banks_answer()
        for payload in self.collect()[::2]:  # of the others we never hear
            self._tell(payload, 0)
        self.mail.clear()
        self.move_time(LONG)
        for name in (*IN_ORDER, "expire_vouchers"):
            self.run_job(JOBS[name])
        before = proof.sizes(self.world)
        changed = {name: self.run_job(JOBS[name]).changed for name in JOBS}
        assert changed == dict.fromkeys(JOBS, 0), "the second run found something to do"
        assert proof.sizes(self.world) == before
        agreement.provider_agrees(self.world, self.stand_in)
        proof.books_are_right(self.world, jobs_have_run=True)
        agreement.givers_agree(self.world, self.stand_in, self.gifts, self.by_hand)
        agreement.bank_agrees(self.world, self.stand_in, self.by_hand, self.unspent_cents)

    def teardown(self) -> None:
        """Undo it all."""
        try:
            if not self.is_broken:
                self.settle_everything()
        finally:
            self.world.end()
            self.stand_in.close()

    def _let_the_banks_answer(self) -> None:
        for gift in self.gifts:
            found = self.account.get("session", gift.checkout_id) if gift.checkout_id else None
            if found is None or found["status"] != "complete" or found["payment_status"] == "paid":
                continue
            if self.account.get("payment_intent", found["payment_intent"])["status"] == "processing":
                self.stand_in.settle_later(found["id"])
                gift.paid_cents = gift.form.amount_cents
