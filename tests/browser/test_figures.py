# SPDX-License-Identifier: EUPL-1.2
"""Anyone reads the figures and the seal of a round; the coordinator how it goes, and where every euro is."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from abs_platform.rounds.models import Round
from abs_platform.users import Role
from abs_platform.vouchers.models import VoucherBatch
from tests.browser.conftest import Town
from tests.browser.test_after_publishing import sign_in
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser


def test_the_figures_of_a_round_can_be_read_and_checked(town: Town, visitor: Visitor) -> None:
    batch = town.session.scalars(select(VoucherBatch).order_by(VoucherBatch.id)).first()
    assert batch is not None
    assert batch.merkle_root is not None
    round_ = town.session.get_one(Round, batch.round_id)
    coordinator = town.factory.account(roles=(Role.COORDINATOR,), name="Coby")
    town.session.commit()

    visitor.goto("/")
    visitor.press(visitor.page.locator(".abs-footer").get_by_role("link", name="Cijfers"))
    visitor.reads("Cijfers")
    visitor.goto(f"/cijfers/{round_.id}")
    expect(visitor.page.get_by_text(batch.merkle_root.hex())).to_be_visible()
    visitor.page.locator(".fig-district summary").first.press("Enter")
    expect(visitor.page.locator(".fig-district .fig-table").first).to_be_visible()
    visitor.check(in_the_dark=True, magnified=True)

    sign_in(town, visitor, coordinator)
    visitor.goto(f"/beheer/rondes/{round_.id}/cijfers")
    visitor.reads(f"Cijfers van {round_.name}")
    visitor.check(in_the_dark=True, magnified=True)
    visitor.press(visitor.page.get_by_role("link", name="Slotrapport"))
    visitor.reads(f"Slotrapport van {round_.name}")
    expect(visitor.page.get_by_text("Telt op, tot op de cent")).to_be_visible()
    visitor.check(in_the_dark=True, magnified=True)
