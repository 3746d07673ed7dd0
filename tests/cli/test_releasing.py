# SPDX-License-Identifier: EUPL-1.2
"""A round is released, budgeted and cancelled from a shell, by the same rules as at the desk."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from abs_platform.rounds.models import Round, YearBudget
from tests.cli.conftest import Shell
from tests.factories import Factory
from tests.rounds.ready import make_ready

DAY = dt.timedelta(days=1)


def planned(factory: Factory, *, addresses_days_old: int) -> Round:
    """A round of which the rest is in order."""
    round_ = factory.round(name="Najaar", opens=20 * DAY, closes=60 * DAY, is_released=False)
    make_ready(factory, round_, addresses_days_old=addresses_days_old)
    factory.session.commit()
    return round_


def test_a_round_is_released_only_when_its_list_is_green(run_abs: Shell, session: Session, factory: Factory) -> None:
    round_ = planned(factory, addresses_days_old=100)

    refused = run_abs("rounds", "release", "najaar")
    assert refused.status == 1
    assert "ROOD     addresses" in refused.out
    assert "Dit staat op rood: Adressen zijn vers." in refused.err
    assert run_abs("rounds", "release", "najaar", "--despite", "budget", "--reason", "Moet.").status == 2
    assert run_abs("rounds", "release", "najaar", "--despite", "addresses").status == 1
    session.expire_all()
    assert round_.released_at is None

    done = run_abs("rounds", "release", "najaar", "--despite", "addresses", "--reason", "Nieuw bestand komt.")
    assert (done.status, done.err) == (0, "")
    assert "De ronde is vrijgegeven." in done.out
    session.expire_all()
    assert round_.released_at is not None


def test_the_budget_of_a_year_is_set_with_a_reason(run_abs: Shell, session: Session) -> None:
    assert run_abs("rounds", "budget", 2027, "500.000").status == 2
    assert run_abs("rounds", "budget", 1999, "1", "--reason", "Oud.").status == 2

    first = run_abs("rounds", "budget", 2027, "500.000", "--reason", "De raad.")
    second = run_abs("rounds", "budget", 2027, "400000", "--reason", "Minder.")

    assert "nog niet ingevuld" in first.out
    assert "was: €\u00a0500.000" in second.out
    session.expire_all()
    assert session.get_one(YearBudget, 2027).amount_cents == 40_000_000


def test_a_round_is_cancelled_with_a_reason(run_abs: Shell, session: Session, factory: Factory) -> None:
    round_ = planned(factory, addresses_days_old=1)

    assert run_abs("rounds", "cancel", "Najaar").status == 2
    assert run_abs("rounds", "cancel", "Najaar", "--reason", "Uitgesteld.").status == 0
    assert run_abs("rounds", "cancel", "Najaar", "--reason", "Nog eens.").status == 1

    session.expire_all()
    assert round_.state == "cancelled"
    assert "geannuleerd" in run_abs("rounds", "list").out
