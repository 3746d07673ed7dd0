# SPDX-License-Identifier: EUPL-1.2
"""Dying between any two steps: before the n-th commit or the n-th question to the provider, whichever it is.

That is everywhere: what is between two of these leaves no trace when it stops half-way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from abs_platform.payments.port import PaymentProvider

_NEEDS_NO_NETWORK = frozenset({"read_event"})


class Killed(BaseException):
    """The process is gone."""


class Fuse:
    """Burns a step at each commit and each question; nothing happens until it is lit."""

    def __init__(self) -> None:
        self._left = 0

    def light(self, steps: int) -> None:
        """Die at so many steps from now; 0 is never."""
        self._left = steps

    def burn(self, *_session: object) -> None:
        """One step. Raises: Killed at the last."""
        if self._left:
            self._left -= 1
            if self._left == 0:
                raise Killed


class Mortal:
    """The provider, for whoever may die before asking."""

    def __init__(self, provider: PaymentProvider, fuse: Fuse) -> None:
        self._provider, self._fuse = provider, fuse

    def __getattr__(self, name: str) -> Callable[..., Any]:
        ask: Callable[..., Any] = getattr(self._provider, name)
        if name in _NEEDS_NO_NETWORK:
            return ask

        def burn_and_ask(*values: Any, **named: Any) -> Any:
            self._fuse.burn()
            return ask(*values, **named)

        return burn_and_ask
