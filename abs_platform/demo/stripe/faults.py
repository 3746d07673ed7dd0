# SPDX-License-Identifier: EUPL-1.2
"""What goes wrong on demand: answers that do not come, and webhooks that are late, doubled, out of order or lost."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Literal

CallFault = Literal["500", "429", "timeout"]
RefundOutcome = Literal["succeeded", "pending", "failed", "refused"]
CALL_FAULTS: tuple[CallFault, ...] = ("500", "429", "timeout")
REFUND_OUTCOMES: tuple[RefundOutcome, ...] = ("succeeded", "pending", "failed", "refused")
TRIES_OF_THE_LIBRARY = 3


@dataclass(frozen=True, slots=True)
class FailingCall:
    """One call that goes wrong. ``is_done``: it was done, but whoever asked is not told."""

    kind: CallFault
    is_done: bool = False
    path: str = ""


@dataclass
class Faults:
    """The faults that wait for their turn; nothing goes wrong unasked."""

    calls: deque[FailingCall] = field(default_factory=deque)
    slow_seconds: float = 0.0
    drop: int = 0
    duplicate: int = 0
    delay: int = 0
    delay_seconds: float = 5.0
    reorder: int = 0
    hold_seconds: float = 0.0
    refunds: deque[RefundOutcome] = field(default_factory=deque)

    def fail_calls(
        self, kind: CallFault, *, times: int = TRIES_OF_THE_LIBRARY, is_done: bool = False, path: str = ""
    ) -> None:
        """Let the next calls (whose path holds ``path``) go wrong.

        The library itself tries three times after a 500 or a timeout, and once after a 429: three is a call in vain.
        With ``is_done`` the first of them is done. As at Stripe, an answer 500 to what was begun is what its key gives
        for a day; after a timeout the same key gives what was done.
        """
        self.calls.extend(FailingCall(kind, is_done, path) for _ in range(times))

    def take_call(self, path: str) -> FailingCall | None:
        """What goes wrong with this call."""
        for fault in self.calls:
            if fault.path in path:
                self.calls.remove(fault)
                return fault
        return None

    def take(self, name: Literal["drop", "duplicate", "delay", "reorder"]) -> bool:
        """Whether this webhook is one of those that go wrong."""
        left: int = getattr(self, name)
        setattr(self, name, max(0, left - 1))
        return left > 0

    def take_refund(self) -> RefundOutcome:
        """How the next refund ends."""
        return self.refunds.popleft() if self.refunds else "succeeded"

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self.calls.clear()
        self.refunds.clear()
        self.slow_seconds = 0.0
        self.drop = self.duplicate = self.delay = self.reorder = 0
