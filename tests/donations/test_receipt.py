# SPDX-License-Identifier: EUPL-1.2
"""The receipt: what was given, and the truth about it later."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy.orm import Session

from abs_platform.donations.service import Gift, GiftDetails, return_to_plan_b, return_vouchers
from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.service import stop
from abs_platform.vouchers.service import expire_round
from tests.factories import TEST_ACTOR, Factory
from tests.page import Browser


def stopped_gift(factory: Factory, **details: int) -> tuple[str, Initiative, Gift]:
    (code,) = factory.codes()
    initiative = factory.initiative()
    gift = factory.give(code, initiative, GiftDetails(plan_b_initiative_id=details.get("plan_b")))
    assert gift is not None
    stop(factory.session, initiative.id, reason="Kan niet.", actor=TEST_ACTOR, now=factory.now)
    return code, initiative, gift


def test_a_voucher_that_came_back_says_until_when_it_can_be_given(
    session: Session, factory: Factory, browser_client: Browser
) -> None:
    _code, initiative, gift = stopped_gift(factory)
    return_vouchers(session, initiative.id, actor=TEST_ACTOR, now=factory.now, reason="stopped")
    session.commit()

    page = browser_client.get(f"/giften/{gift.reference}")

    assert "opnieuw geven, tot en met" in page.text
    assert page.all('a[href="/voucher"]')


def test_a_voucher_that_went_to_plan_b_says_so(session: Session, factory: Factory, browser_client: Browser) -> None:
    plan_b = factory.initiative(title="De tweede keus")
    _code, _initiative, gift = stopped_gift(factory, plan_b=plan_b.id)
    return_to_plan_b(session, gift.donation_id, actor=TEST_ACTOR, now=factory.now, reason="stopped")
    session.commit()

    page = browser_client.get(f"/giften/{gift.reference}")

    assert "Je voucher is daarna naar De tweede keus gegaan." in page.text
    assert "opnieuw geven" not in page.text


def test_a_voucher_that_came_back_and_expired_says_so(
    session: Session, factory: Factory, browser_client: Browser
) -> None:
    code, initiative, gift = stopped_gift(factory)
    return_vouchers(session, initiative.id, actor=TEST_ACTOR, now=factory.now, reason="stopped")
    later = factory.now + dt.timedelta(days=100)
    expire_round(session, factory.voucher(code).round_id, actor=TEST_ACTOR, now=later)
    session.commit()

    page = browser_client.get(f"/giften/{gift.reference}")

    assert "De tijd om je voucher opnieuw te geven is voorbij." in page.text


@pytest.mark.parametrize("reference", ["%00", "ABCDEFGHJK", "abc", "1" * 300, "%F0%9F%98%80"])
def test_a_number_that_is_no_receipt_is_not_found(browser_client: Browser, reference: str) -> None:
    page = browser_client.get(f"/giften/{reference}", status=404)

    assert "Dit bewijs bestaat niet" in page.text
