# SPDX-License-Identifier: EUPL-1.2
"""Money for initiatives: asked, confirmed, approved, in a file, paid, back again, and what was not spent."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform.clock import local_date
from abs_platform.database import transaction
from abs_platform.demo.bank_statement import BankLine, statement_file
from abs_platform.payouts import approving, batches, queries, returning, service, statements
from abs_platform.payouts.models import Payout, PayoutBatch
from abs_platform.payouts.states import HolderKind, PayoutState
from tests.factories import SECRET_KEY
from tests.money.table import Table, deaths, picks
from tests.stand_in import BANK_ACCOUNT

IBAN = "NL20INGB0001234567"
S = PayoutState
OTHERWISE = ("comes back", "by hand", "back by hand", "cancel", "refuse", "correct", "unspent", "twice")


class PayingOut(Table):
    """Three people and a bank."""

    def _payout(self, initiative_id: int) -> Payout | None:
        with Session(self.world.connection, join_transaction_mode="create_savepoint") as session:
            query = select(Payout).where(Payout.initiative_id == initiative_id).order_by(Payout.id.desc()).limit(1)
            payout = session.scalar(query)
            if payout:
                session.expunge(payout)
            return payout

    def _balance(self, initiative_id: int) -> int:
        with Session(self.world.connection, join_transaction_mode="create_savepoint") as session:
            return queries.balance_of(session, initiative_id)

    def _do(self, verb: Callable[[Session], object], dies_at: int) -> bool:
        def work() -> None:
            with transaction() as session:
                verb(session)

        return self.act(work, dies_at=dies_at)

    @precondition(lambda self: self.payable)
    @rule(pick=picks, is_all=st.booleans(), times=st.sampled_from([1, 6]), dies_at=deaths)
    def a_payout_goes_on(self, pick: int, is_all: bool, times: int, dies_at: int) -> None:
        """The next steps by whoever's turn it is; the last one is the bank's."""
        for _time in range(times):
            self._go_on(pick, dies_at, is_all=is_all)

    def _go_on(self, pick: int, dies_at: int, *, is_all: bool) -> None:
        initiative_id = self.payable[pick % len(self.payable)]
        number = self.world.initiative_ids.index(initiative_id)
        payout = self._payout(initiative_id)
        if payout is None or payout.state in {S.REFUSED, S.BOUNCED, S.PAID}:
            cents = self._balance(initiative_id) // (1 if is_all else 2)
            if cents > 0:
                self._request(number, cents, dies_at)
            return
        staff, now = self.world.users, self.now
        if payout.state == S.REQUESTED:
            how = {"version": payout.version, "user": staff["Sanne"], "now": now}
            self._do(lambda session: approving.confirm(session, payout.id, **how), dies_at)
        elif payout.state == S.CONFIRMED:
            how = {"version": payout.version, "user": staff["Frits"], "now": now}
            self._do(lambda session: approving.approve(session, payout.id, **how), dies_at)
        elif payout.state == S.APPROVED:
            how = {"account": BANK_ACCOUNT, "secret_key": SECRET_KEY, "user": staff["Mia"], "now": now}
            self._do(lambda session: batches.make_batch(session, [payout.id], **how), dies_at)
        elif payout.batch_id is not None and not self._release(payout.batch_id, dies_at):
            self._take_in(payout, is_credit=False, dies_at=dies_at)

    def _request(self, number: int, cents: int, dies_at: int) -> None:
        details = service.BankDetails(
            amount_cents=cents, iban=IBAN, holder_name="Buurtvereniging", holder_kind=HolderKind.ORGANISATION
        )
        how = {"user": self.world.initiators[number], "secret_key": SECRET_KEY, "now": self.now}
        initiative_id = self.world.initiative_ids[number]
        self._do(lambda session: service.request(session, initiative_id, details, **how), dies_at)

    def _release(self, batch_id: int, dies_at: int) -> bool:
        with Session(self.world.connection, join_transaction_mode="create_savepoint") as session:
            if session.get_one(PayoutBatch, batch_id).state != "made":
                return False
        how = {"account": BANK_ACCOUNT, "secret_key": SECRET_KEY, "user": self.world.users["Roos"], "now": self.now}
        self._do(lambda session: batches.release(session, batch_id, **how), dies_at)
        return True

    def _take_in(self, payout: Payout, *, is_credit: bool, dies_at: int) -> None:
        line = BankLine(
            end_to_end_id=payout.end_to_end_id,
            amount_cents=payout.amount_cents,
            booked_on=local_date(self.now),
            is_credit=is_credit,
            reference=f"{'TERUG' if is_credit else 'UIT'}{payout.id}",
        )
        number = f"A{payout.id}{is_credit:d}{self.now:%m%d%H%M}"
        content = statement_file([[line]], iban=BANK_ACCOUNT.iban, number=number, created_at=self.now)
        how = {"account": BANK_ACCOUNT, "user": self.world.users["Mia"], "now": self.now}
        self._do(lambda session: statements.take_in(session, content, **how), dies_at)

    @precondition(lambda self: self.payable)
    @rule(
        pick=picks,
        what=st.sampled_from(OTHERWISE),
        dies_at=deaths,
    )
    def a_payout_goes_otherwise(self, pick: int, what: str, dies_at: int) -> None:
        """What else people and banks do; often it is not their turn."""
        initiative_id = self.payable[pick % len(self.payable)]
        number, payout = self.world.initiative_ids.index(initiative_id), self._payout(initiative_id)
        if payout is None:
            return
        staff, now, today = self.world.users, self.now, local_date(self.now)
        if what in {"comes back", "twice"}:
            self._take_in(payout, is_credit=what == "comes back", dies_at=dies_at)
        elif what == "by hand":
            how = {"paid_on": today, "reason": "Gezien.", "user": staff["Frits"], "now": now}
            self._do(lambda session: approving.pay_by_hand(session, payout.id, **how), dies_at)
        elif what == "back by hand":
            how = {"reason": "Gezien.", "user": staff["Frits"], "now": now}
            self._do(lambda session: approving.bounce_by_hand(session, payout.id, **how), dies_at)
        elif what == "cancel" and payout.batch_id is not None:
            how = {"reason": "Fout.", "is_surely_not_executed": True, "user": staff["Mia"], "now": now}
            self._do(lambda session: batches.cancel(session, payout.batch_id or 0, **how), dies_at)
        elif what == "refuse":
            how = {"version": payout.version, "user": staff["Frits"], "now": now}
            self._do(lambda session: approving.refuse(session, payout.id, "Nee.", **how), dies_at)
        elif what == "correct":
            self._correct(payout, number, dies_at)
        elif what == "unspent":
            self._return(payout, number, dies_at)

    def _correct(self, payout: Payout, number: int, dies_at: int) -> None:
        details = service.BankDetails(
            amount_cents=max(1, payout.amount_cents - 100),
            iban=IBAN,
            holder_name="Stichting",
            holder_kind=HolderKind.ORGANISATION,
        )
        user = self.world.initiators[number]
        how = {"version": payout.version, "user": user, "secret_key": SECRET_KEY, "now": self.now}
        self._do(lambda session: service.correct(session, payout.id, details, **how), dies_at)

    def _return(self, payout: Payout, number: int, dies_at: int) -> None:
        self.forms += 1
        cents = max(1, payout.amount_cents // 2)
        how = {"received_on": local_date(self.now), "note": "", "user": self.world.users["Frits"], "now": self.now}
        form, initiative_id = str(uuid.uuid5(uuid.NAMESPACE_OID, str(self.forms))), self.world.initiative_ids[number]
        if self._do(
            lambda session: returning.book_return(session, initiative_id, amount_cents=cents, form_key=form, **how),
            dies_at,
        ):
            self.unspent_cents += cents
