# SPDX-License-Identifier: EUPL-1.2
"""What does long work: a handler, outside any transaction, which can be run again and tells how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from flask import current_app

from abs_platform.database import transaction
from abs_platform.work import service
from abs_platform.work.queries import WorkOrderView

SECONDS_BETWEEN_SIGNS = 1.0


class Overtaken(Exception):
    """Another process took this order over: this one was still for too long, and must change nothing more."""


class Progress:
    """How far an order is: ``total(n)`` once it is known, then the number done so far, as often as one likes.

    It is written down at most once a second, in a transaction of its own. Raises: Overtaken.
    """

    def __init__(self, order_id: int, attempt: int) -> None:
        self._order_id, self._attempt = order_id, attempt
        self._done = self._total = 0
        self._written = time.monotonic() - SECONDS_BETWEEN_SIGNS

    def total(self, count: int) -> None:
        """How much there is to do."""
        self._total = count
        self.write()

    def __call__(self, done: int) -> None:
        """How much of it is done."""
        self._done = done
        if time.monotonic() - self._written >= SECONDS_BETWEEN_SIGNS:
            self.write()

    def write(self) -> None:
        """Write it down now, in a session of its own: the handler may be in the middle of a transaction."""
        with current_app.app_context(), transaction() as session:
            counts = {"done": self._done, "total": self._total}
            is_ours = service.progress(session, self._order_id, attempt=self._attempt, **counts)
        if not is_ours:
            raise Overtaken
        self._written = time.monotonic()


Handler = Callable[[WorkOrderView, Progress], dict[str, Any]]
