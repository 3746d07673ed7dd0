# SPDX-License-Identifier: EUPL-1.2
"""The rounds of the demo are alive: letters, paper, lost letters, kept vouchers, and something to do for everybody."""

from collections import Counter
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from abs_platform.accounts.models import Account
from abs_platform.areas.models import Area, HelpPoint
from abs_platform.areas.states import AreaLevel
from abs_platform.donations.models import Donation
from abs_platform.letters.models import LetterFile, LetterRun, LetterText
from abs_platform.letters.states import RunState
from abs_platform.objections.models import Objection
from abs_platform.paper.box_queries import desk_boxes
from abs_platform.paper.models import EntryBatch, WaitingEntry
from abs_platform.replacements.queries import hot_spots, marked_addresses, post_of_rounds
from abs_platform.reports.closing import closing_report
from abs_platform.reports.proving import prove
from abs_platform.reports.queries import round_totals, rounds
from abs_platform.rounds.budgeting import year_view
from abs_platform.rounds.models import Round
from abs_platform.rounds.queries import open_round
from abs_platform.rounds.readiness import checks
from abs_platform.rounds.states import CheckKind, RoundState
from abs_platform.rule_settings.models import RuleChange
from abs_platform.vouchers.models import KeptVoucher, Voucher, VoucherBatch
from abs_platform.work.models import WorkOrder
from jobs.schedule import TIMETABLE
from tests.demo.conftest import NOW
from tests.page import Browser
from tests.stand_in import BANK_ACCOUNT, StandIn


def by_state(session: Session, model: type[Round | Objection | EntryBatch | WorkOrder]) -> Counter[str]:
    return Counter(session.scalars(select(model.state)))


def the_open_round(session: Session) -> int:
    found = open_round(session, NOW)
    assert found is not None
    return found.id


def test_two_rounds_are_over_one_is_open_and_one_waits_for_its_check_list(loaded: Session) -> None:
    assert by_state(loaded, Round) == {
        RoundState.CLOSED.value: 2,
        RoundState.ISSUED.value: 1,
        RoundState.PLANNED.value: 1,
    }
    of_text = {round_.state: round_.letter_text_id is not None for round_ in loaded.scalars(select(Round))}
    assert of_text == {"closed": True, "issued": True, "planned": False}


def test_every_round_is_proven_and_its_closing_report_adds_up(loaded: Session) -> None:
    for one in rounds(loaded):
        assert prove(loaded, one.id).faults == []
        assert closing_report(loaded, one, round_totals(loaded, one.id)).adds_up
        assert round_totals(loaded, one.id).given > 0


def test_the_next_round_lacks_budget_and_nothing_else(town: Flask, loaded: Session) -> None:
    planned = loaded.scalars(select(Round).where(Round.state == RoundState.PLANNED.value)).one()
    keys, settings = town.extensions["code_keys"], town.extensions["settings"]

    found = checks(loaded, planned.id, key_fingerprint=keys.fingerprint, rules=settings.rules, now=NOW)

    assert [check.kind for check in found if check.is_red] == [CheckKind.BUDGET]
    assert [check.kind for check in found if check.is_warning] == [CheckKind.JOB_PROCESS]
    other = {round_.issue_on.year for round_ in loaded.scalars(select(Round))} - {planned.issue_on.year}
    assert all((year_view(loaded, year).left_cents or -1) >= 0 for year in other)


def test_every_district_has_a_help_point_and_the_letter_a_text_that_was_approved(loaded: Session) -> None:
    districts = select(func.count()).select_from(Area).where(Area.level == AreaLevel.DISTRICT.value, Area.is_current)

    assert loaded.scalar(select(func.count()).select_from(HelpPoint)) == loaded.scalar(districts)
    assert loaded.scalars(select(LetterText)).one().approved_at is not None
    assert len(loaded.scalars(select(RuleChange)).all()) == 3


def test_lost_letters_wait_were_printed_and_show_where_much_goes_wrong(loaded: Session) -> None:
    round_id = the_open_round(loaded)
    (post,) = [one for one in post_of_rounds(loaded, NOW) if one.round_id == round_id]

    assert (post.waiting, post.printed, post.dropped, post.returned) == (6, 21, 2, 8)
    assert len(hot_spots(loaded, round_id)) == 1
    assert len(marked_addresses(loaded, 20)) == 8


def test_the_new_letters_are_made_and_those_of_the_open_round_can_be(loaded: Session) -> None:
    run = loaded.scalars(select(LetterRun)).one()
    files = loaded.scalars(select(LetterFile).where(LetterFile.run_id == run.id)).all()

    assert (run.state, run.letter_count) == (RunState.MADE.value, 21)
    assert {file.letter_count for file in files} == {21}
    assert all(file.store_key for file in files)
    assert loaded.scalar(select(func.count()).select_from(VoucherBatch)) == 4
    assert by_state(loaded, WorkOrder) == {"done": 4, "failed": 1}


def test_a_resident_keeps_vouchers_of_which_one_ends_soon_one_is_over_and_one_was_given(loaded: Session) -> None:
    rows = loaded.execute(
        select(Voucher.state, Voucher.usable_until)
        .join(KeptVoucher, KeptVoucher.voucher_id == Voucher.id)
        .join(Account, Account.id == KeptVoucher.account_id)
        .where(Account.email == "sanne-wibbelink@voorbeeld.example")
    ).all()

    assert Counter(row.state for row in rows) == {"kept": 2, "expired": 1, "given": 1}
    assert any(row.state == "kept" and (row.usable_until - NOW).days < 14 for row in rows)


def test_organisers_entered_codes_from_paper_and_one_batch_waits(town: Flask, loaded: Session) -> None:
    states = by_state(loaded, EntryBatch)
    boxes = desk_boxes(loaded, None)

    assert states["waiting"] == 1
    assert states["booked"] > 10
    assert loaded.scalar(select(func.count()).select_from(WaitingEntry)) == 22
    assert [bool(box.odd) for box in boxes].count(True) == 1
    assert len(boxes) == 3
    channels = Counter(loaded.scalars(select(Donation.channel)))
    assert channels["organiser"] > 200
    assert channels["desk"] > 200


def test_objections_are_open_upheld_and_rejected(loaded: Session) -> None:
    assert by_state(loaded, Objection) == {"open": 1, "upheld": 1, "rejected": 1}


def test_the_page_of_the_demo_shows_codes_that_work_and_tells_everybody_what_to_try(town: Flask) -> None:
    page = Browser(town).get("/demo")

    for path in ("/balie", "/beheer/rondes", "/beheer/post", "/voucher/waar", "/account/vouchers", "/cijfers"):
        assert page.one(f'#main a[href="{path}"]'), path
    assert "Nadia Wessels" in page.text


def test_no_job_finds_anything_to_do_right_after_loading(
    town: Flask, loaded: Session, demo_bank: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(town.extensions["settings"], payments=demo_bank.settings, bank_account=BANK_ACCOUNT)
    monkeypatch.setitem(town.extensions, "settings", settings)
    monkeypatch.setitem(town.extensions, "payments", demo_bank.provider)
    states = select(Voucher.state, func.count()).group_by(Voucher.state).order_by(Voucher.state)
    before = loaded.execute(states).all()

    reports = {name: entry.job(NOW) for name, entry in TIMETABLE.items()}

    loaded.rollback()
    assert {name: report.errors for name, report in reports.items() if report.errors} == {}
    # What the bank of the demo does in other tests is booked and counted, and the mails of this morning leave.
    did = {name: report.changed for name, report in reports.items() if report.changed}
    assert set(did) - {"reconcile_payments", "count_figures", "count_progress", "send_reminders"} == set(), did
    assert loaded.execute(states).all() == before
