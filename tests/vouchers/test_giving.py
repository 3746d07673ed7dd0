# SPDX-License-Identifier: EUPL-1.2
"""Giving a voucher through the pages: choose, confirm, receipt, and whatever can go wrong with a code."""

from __future__ import annotations

from sqlalchemy.orm import Session

from abs_platform.ledger.queries import check
from tests.factories import Factory
from tests.page import Browser


def test_a_code_and_an_initiative_give_a_receipt_with_the_new_total(
    session: Session, factory: Factory, browser_client: Browser
) -> None:
    (code,) = factory.codes()
    initiative = factory.initiative()
    session.commit()

    confirm = browser_client.post("/voucher", {"code": code, "initiative_id": str(initiative.id)})
    receipt = browser_client.submit(confirm, "/voucher/geven")

    assert receipt.path.startswith("/giften/")
    assert "€ 7,50" in receipt.text.replace("\u00a0", " ")
    assert initiative.title in receipt.text
    assert factory.voucher(code).state == "given"
    assert check(session) == []
