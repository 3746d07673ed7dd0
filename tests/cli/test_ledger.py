# SPDX-License-Identifier: EUPL-1.2
"""The books on the command line: a month or a year, added up."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from abs_platform import clock
from tests.cli.conftest import Shell
from tests.factories import Factory


def test_a_year_is_shown_with_what_moved_and_its_fingerprint(
    run_own_abs: Shell, own_session: Session, own_factory: Factory
) -> None:
    own_factory.codes(2)
    own_session.commit()

    shown = run_own_abs("ledger", "close", clock.today().year)
    past = run_own_abs("ledger", "close", f"{clock.today().year - 1}-12")

    assert shown.status == past.status == 0
    assert "vouchers_issued" in shown.out
    assert "€\u00a015,00" in shown.out
    assert "1 boekingen, vingerafdruk " in shown.out
    assert shown.out.endswith("Deze periode loopt nog: de cijfers zijn voorlopig.\n")
    assert past.out.endswith("Afgesloten.\n")


@pytest.mark.parametrize("period", ["2026-13", "november", "26"])
def test_what_is_no_month_and_no_year_is_refused(run_abs: Shell, period: str) -> None:
    refused = run_abs("ledger", "close", period)

    assert refused.status == 1
    assert "geen maand of jaar" in refused.err
