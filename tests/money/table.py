# SPDX-License-Identifier: EUPL-1.2
"""What every step of the machine begins with: who acts, who dies half-way, and the proof after it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant

from abs_platform.demo.stripe.account import Account
from abs_platform.demo.stripe.refusals import Refusal
from abs_platform.demo.stripe.store import Thing
from abs_platform.errors import AbsError
from abs_platform.payments.port import ProviderRefused
from abs_platform.payments.service import MoneyGift
from jobs.runner import JobReport
from tests.money import proof
from tests.money.killing import Killed
from tests.money.world import World

One = TypeVar("One")
FULL_PROOF_EVERY = 12

picks = st.integers(0, 11)
# At which commit or question to the provider this process dies; 0: it lives.
deaths = st.one_of(st.just(0), st.integers(0, 3), st.integers(0, 24))


@dataclass
class Gift:
    """What we know of a gift outside the app: its form, and where its giver can pay."""

    initiative_id: int
    form: MoneyGift
    voucher: int | None
    address: str
    checkout_id: str | None = None
    paid_cents: int = 0
    is_touched: bool = False  # somebody refunded it in the provider's screen, or a bank claimed it


class _Everything:
    """All rules are in use."""

    @staticmethod
    def is_enabled(_rule: str) -> bool:
        return True


class Table(RuleBasedStateMachine):
    """Where the rules of the other modules come together."""

    world: ClassVar[World]
    steps: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        # Hypothesis leaves out some rules in each example; then mostly nothing happens here. See is_calm.
        self._rules_strategy.enabled_rules_strategy = st.just(_Everything())
        self.stand_in = self.world.begin()
        self.gifts: list[Gift] = []
        self.mail: list[bytes] = []
        self.delivered: list[bytes] = []
        self.by_hand: dict[int, int] = {}  # what finance paid of its own bank account, by payment
        self.unspent_cents = 0
        self.forms = 0
        self.payable: list[int] = []
        self.is_broken = False
        self.something_happened = False
        self.is_calm = False  # nobody claims or stops anything, so that more initiatives come to their end
        self.since_proof = self.since_settled = 0

    @property
    def now(self) -> dt.datetime:
        """The moment, here and at the provider."""
        return self.world.now

    @property
    def account(self) -> Account:
        """The account at the provider."""
        return self.stand_in.account

    def listed(self, kind: str) -> list[Thing]:
        """Objects at the provider, the oldest first."""
        return self.stand_in.store.listed(kind)[::-1]

    def has(self, kind: str) -> bool:
        """Whether there is any at the provider."""
        return bool(self.stand_in.store.execute("SELECT 1 FROM thing WHERE kind = ? LIMIT 1", kind))

    def pick(self, those: Sequence[One], number: int) -> One | None:
        """One of these, or None when there are none."""
        return those[number % len(those)] if those else None

    def act(self, work: Callable[[], object], *, dies_at: int = 0, address: str = "192.0.2.1") -> bool:
        """A process does something, unless it dies or is refused; whether it came to the end."""
        type(self).steps += 1
        self.something_happened = True
        self.world.fuse.light(dies_at)
        try:
            with self.world.process(address):
                work()
        except Killed:
            note("  killed")
            return False
        except (AbsError, ProviderRefused, Refusal) as refusal:
            note(f"  refused: {type(refusal).__name__}: {refusal}")
            return False
        except BaseException:
            self.is_broken = True
            raise
        finally:
            self.world.fuse.light(0)
        return True

    def run_job(self, job: Callable[[dt.datetime], JobReport], *, dies_at: int = 0) -> JobReport:
        """Run a job, which reports no error of its own making."""
        is_faulty = bool(self.stand_in.faults.calls)
        reports: list[JobReport] = []
        self.act(lambda: reports.append(job(self.now)), dies_at=dies_at)
        report = reports[0] if reports else JobReport()
        if report.errors:
            note(f"  errors: {report.errors}")
        assert [one for one in report.errors if not (is_faulty and "provider" in one)] == []
        return report

    def collect(self) -> list[bytes]:
        """What the provider sent and we did not take yet."""
        self.mail += [payload for payload, _signature in self.stand_in.deliveries()]
        return self.mail

    def gift_of(self, intent_id: str | None) -> Gift | None:
        """The gift of a payment at the provider."""
        for gift in self.gifts:
            if gift.checkout_id and self.stand_in.intent_of(gift.checkout_id) == intent_id:
                return gift
        return None

    @invariant()
    def the_books_are_right(self) -> None:
        """After each step the sums, now and then the whole proof."""
        self.since_proof += 1
        self.since_settled += 1
        try:
            proof.sums_are_right(self.world)
            self.payable = proof.payable(self.world)
            if self.since_proof >= FULL_PROOF_EVERY:
                self.since_proof = 0
                proof.books_are_right(self.world)
        except BaseException:
            self.is_broken = True
            raise
