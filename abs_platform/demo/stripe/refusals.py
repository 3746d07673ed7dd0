# SPDX-License-Identifier: EUPL-1.2
"""How Stripe says no: one envelope with a type, a code, a sentence and the parameter it is about."""

from __future__ import annotations

from typing import Any

# What Stripe finds out while doing it, and so remembers under the key; wrong parameters it does not.
REMEMBERED = {"charge_already_refunded", "charge_disputed", "charge_not_refundable", "balance_insufficient"}


class Refusal(Exception):
    """An error as the API answers it."""

    def __init__(
        self, message: str, *, status: int = 400, kind: str = "invalid_request_error", code: str = "", param: str = ""
    ) -> None:
        super().__init__(message)
        self.status = status
        self.is_begun = code in REMEMBERED
        self.error: dict[str, Any] = {"message": message, "type": kind}
        if code:
            doc_url = f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"
            self.error |= {"code": code, "doc_url": doc_url}
        if param:
            self.error["param"] = param


def missing(what: str, thing_id: str, param: str = "id") -> Refusal:
    """There is no such object."""
    return Refusal(f"No such {what}: '{thing_id}'", status=404, code="resource_missing", param=param)
