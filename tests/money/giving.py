# SPDX-License-Identifier: EUPL-1.2
"""Giving and paying: forms with and without a voucher, what givers do at their bank, and what we are told of it."""

from __future__ import annotations

import json
import random
import uuid

from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from abs_platform.database import transaction
from abs_platform.donations.service import GiftDetails
from abs_platform.payments import paying, webhooks
from abs_platform.payments.queries import room
from abs_platform.payments.service import MoneyGift
from abs_platform.vouchers.codes import read_code
from abs_platform.vouchers.giving import give_for_client
from tests.money.table import Gift, Table, deaths, picks
from tests.stand_in import URL

AMOUNTS = (100, 20_000, 1_000, 2_500, 4_000, 750)
TELLINGS = ("told at once", "paid", "open")


class Giving(Table):
    """Givers and their banks."""

    @initialize(
        opening=st.lists(st.tuples(picks, st.sampled_from(AMOUNTS), st.sampled_from(TELLINGS)), min_size=1, max_size=6),
        is_one_funded=st.booleans(),
        is_calm=st.booleans(),
    )
    def some_gave_already(self, opening: list[tuple[int, int, str]], is_one_funded: bool, is_calm: bool) -> None:
        """So that there is something to go wrong with."""
        self.is_calm = is_calm
        for pick, cents, told in [*opening, *[(0, 20_000, "told at once")] * is_one_funded]:
            gift = self._give(pick, cents, None, 0)
            if told == "open" or not gift.checkout_id:
                continue
            self._pay(gift)
            if told == "told at once":
                self._tell(self.collect().pop(), 0)

    @rule(pick=picks, cents=st.sampled_from(AMOUNTS), dies_at=deaths)
    def give(self, pick: int, cents: int, dies_at: int) -> None:
        """Fill in the form on the page of an initiative; who asks too much gives what is missing."""
        self._give(pick, cents, None, dies_at)

    @rule(pick=picks, cents=st.sampled_from(AMOUNTS), voucher=picks, dies_at=deaths)
    def give_with_a_voucher(self, pick: int, cents: int, voucher: int, dies_at: int) -> None:
        """The same, with a voucher."""
        self._give(pick, cents, voucher, dies_at)

    def _give(self, pick: int, cents: int, voucher: int | None, dies_at: int) -> Gift:
        initiative_id = self.world.initiative_ids[pick % len(self.world.initiative_ids)]
        with self.world.process(), transaction() as session:
            highest = room(session, initiative_id, self.world.factory.rules, self.now).highest_cents
        form = MoneyGift(
            amount_cents=min(cents, highest) or cents,
            idempotency_key=uuid.uuid5(uuid.NAMESPACE_OID, str(len(self.gifts))),
            receipt_email="gever@voorbeeld.example" if pick % 2 else None,
        )
        code = None if voucher is None else read_code(self.world.codes[voucher])
        gift = Gift(initiative_id, form, code, f"198.51.100.{pick}")
        self.gifts.append(gift)
        self._send(gift, dies_at)
        return gift

    def _pay(self, gift: Gift, method: str = "") -> None:
        checkout_id = gift.checkout_id or ""
        if self.act(lambda: self.stand_in.pay(checkout_id, method)):
            gift.paid_cents = gift.form.amount_cents

    @precondition(lambda self: self.gifts)
    @rule(pick=picks, dies_at=deaths)
    def send_the_form_again(self, pick: int, dies_at: int) -> None:
        """Impatience, or a page that did not come."""
        gift = self.pick([one for one in self.gifts if not one.checkout_id] or self.gifts, pick)
        if gift:
            self._send(gift, dies_at)

    def _send(self, gift: Gift, dies_at: int) -> None:
        urls: list[str] = []
        self.act(
            lambda: urls.append(paying.begin(gift.initiative_id, gift.form, voucher=gift.voucher)),
            dies_at=dies_at,
            address=gift.address,
        )
        if urls and urls[0].startswith(URL):
            gift.checkout_id = urls[0].rpartition("/")[2]

    @rule(pick=picks, voucher=picks, dies_at=deaths)
    def give_a_voucher(self, pick: int, voucher: int, dies_at: int) -> None:
        """A voucher alone, with a second choice or without."""
        ids = self.world.initiative_ids
        first, second = ids[pick % len(ids)], ids[(pick + 1) % len(ids)]
        details = GiftDetails(plan_b_initiative_id=second if pick % 3 == 0 else None, idempotency_key=uuid.uuid4())
        code = read_code(self.world.codes[voucher])
        self.act(lambda: give_for_client(code, first, details), dies_at=dies_at, address=f"203.0.113.{voucher}")

    @precondition(lambda self: self.gifts)
    @rule(pick=picks, how=st.sampled_from(["pay", "pay by card", "later", "no", "go back", "too late"]))
    def be_at_the_bank(self, pick: int, how: str) -> None:
        """What the giver does with a page that is open."""
        gift = self.pick(self._with_session("open"), pick)
        if gift is None or gift.checkout_id is None:
            return
        checkout_id = gift.checkout_id
        if how in {"pay", "pay by card"}:
            self._pay(gift, "card" if how == "pay by card" else "")
        elif how == "later":
            self.act(lambda: self.stand_in.pay_later(checkout_id))
        elif how == "no":
            self.act(lambda: self.stand_in.fail(checkout_id))
        elif how == "too late":
            self.act(lambda: self.stand_in.expire(checkout_id))
        else:
            reference = self.account.get("session", checkout_id)["client_reference_id"]
            self.act(lambda: paying.let_go(reference))

    @precondition(lambda self: any(not gift.paid_cents for gift in self.gifts))
    @rule(pick=picks)
    def pay_and_be_told_at_once(self, pick: int) -> None:
        """As it mostly goes."""
        gift = self.pick(self._with_session("open"), pick)
        if gift and gift.checkout_id:
            self._pay(gift)
            self._tell(self.collect().pop(), 0)

    @precondition(lambda self: self.gifts)
    @rule(pick=picks, is_paid=st.booleans())
    def the_bank_answers_late(self, pick: int, is_paid: bool) -> None:
        """Hours after the giver was done."""
        gift = self.pick([gift for gift in self._with_session("complete") if not gift.paid_cents], pick)
        if gift is None or gift.checkout_id is None:
            return
        checkout_id = gift.checkout_id
        if not is_paid:
            self.act(lambda: self.stand_in.fail(checkout_id))
        elif self.act(lambda: self.stand_in.settle_later(checkout_id)):
            gift.paid_cents = gift.form.amount_cents

    @precondition(lambda self: self.collect())
    @rule(pick=picks, dies_at=deaths)
    def be_told(self, pick: int, dies_at: int) -> None:
        """One of what waits arrives; not the first, perhaps. When we die it is sent again."""
        waiting = self.collect()
        payload = waiting[pick % len(waiting)]
        if self._tell(payload, dies_at):
            self.mail.remove(payload)

    @precondition(lambda self: self.delivered)
    @rule(pick=picks, dies_at=deaths)
    def be_told_again(self, pick: int, dies_at: int) -> None:
        """What arrived before arrives again."""
        self._tell(self.delivered[pick % len(self.delivered)], dies_at)

    @precondition(lambda self: self.collect())
    @rule(seed=st.integers(0, 3))
    def be_told_everything(self, seed: int) -> None:
        """All that waits, in some order."""
        waiting = self.collect()
        random.Random(seed).shuffle(waiting)
        while waiting:
            self._tell(waiting.pop(), 0)

    @precondition(lambda self: self.collect())
    @rule(pick=picks)
    def never_be_told(self, pick: int) -> None:
        """One of what waits is lost."""
        type(self).steps += 1
        waiting = self.collect()
        waiting.pop(pick % len(waiting))

    def _tell(self, payload: bytes, dies_at: int) -> bool:
        told = json.loads(payload)
        note(f"  told: {told['type']} {told['data']['object'].get('status', '')}")
        self.delivered.append(payload)
        return self.act(lambda: webhooks.receive(payload, self.stand_in.sign(payload)), dies_at=dies_at)

    def _with_session(self, status: str) -> list[Gift]:
        sessions = {one["id"]: one["status"] for one in self.listed("session")}
        return [gift for gift in self.gifts if sessions.get(gift.checkout_id or "") == status]
