# SPDX-License-Identifier: EUPL-1.2
"""Codes that an organiser enters: given, waiting, entered before, not usable; with limits per account."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from abs_platform.attempts import Attempt
from abs_platform.donations.service import return_vouchers
from abs_platform.initiatives.service import close_if_funded
from abs_platform.ledger.queries import check
from abs_platform.objections.models import Objection
from abs_platform.outbox import OutgoingMail
from abs_platform.paper import queries
from abs_platform.paper.entering import UNUSABLE_AN_HOUR, give_waiting
from abs_platform.paper.models import EntryBatch, WaitingEntry
from abs_platform.paper.service import forget, refuse, release
from abs_platform.paper.states import EntryOutcome as Outcome
from abs_platform.users import Role
from abs_platform.vouchers.codes import format_payload
from tests.factories import TEST_ACTOR, Factory
from tests.paper.organisers import Paper, paper_of
from tests.people import OWN_DESK

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def paper(factory: Factory) -> Paper:
    return paper_of(factory)


def decide(paper: Paper, *, release_it: bool) -> None:
    """A wijkregisseur decides about the newest batch."""
    session, batch, by = paper.factory.session, paper.batch(), paper.factory.account()
    if release_it:
        release(session, batch.id, actor=TEST_ACTOR, by_id=by.id, now=paper.factory.now)
    else:
        refuse(session, batch.id, "Dit klopt niet.", actor=TEST_ACTOR, by_id=by.id, now=paper.factory.now)


def test_a_code_from_paper_is_given_whole_and_says_in_which_batch(paper: Paper, session: Session) -> None:
    (code,) = paper.factory.fresh_codes(1)

    outcomes = paper.outcomes([code])

    gift, batch = paper.gift(code), paper.batch()
    assert outcomes == [Outcome.GIVEN]
    assert gift is not None
    assert (gift.channel, gift.entry_batch_id, gift.initiative_id) == ("organiser", batch.id, paper.initiative.id)
    assert (batch.entered_count, batch.refused_count, batch.state) == (1, 0, "booked")
    assert check(session) == []


def test_the_same_code_again_changes_nothing_in_this_batch_or_a_later_one(paper: Paper) -> None:
    (code,) = paper.factory.fresh_codes(1)

    outcomes = paper.outcomes([code, code]) + paper.outcomes([code], now=paper.factory.now + 13 * HOUR)

    assert outcomes == [Outcome.GIVEN, Outcome.BEFORE, Outcome.BEFORE]
    assert paper.factory.session.scalar(select(func.sum(EntryBatch.entered_count + EntryBatch.refused_count))) == 1


def test_a_bad_code_among_good_ones_loses_none(paper: Paper) -> None:
    first, second, online = paper.factory.fresh_codes(3)
    paper.given_online(online)

    outcomes = paper.outcomes([first, format_payload(7), online, second])

    assert outcomes == [Outcome.GIVEN, Outcome.NOT_USABLE, Outcome.NOT_USABLE, Outcome.GIVEN]
    assert (paper.batch().entered_count, paper.batch().refused_count) == (2, 2)


def test_what_a_co_organiser_entered_is_not_usable_for_another(paper: Paper) -> None:
    (code,) = paper.factory.fresh_codes(1)

    outcomes = paper.outcomes([code]) + paper.outcomes([code], account_id=paper.factory.account().id)

    assert outcomes == [Outcome.GIVEN, Outcome.NOT_USABLE]


def test_thirty_unusable_codes_an_hour_are_the_end_for_that_account_only(paper: Paper, session: Session) -> None:
    (code,) = paper.factory.fresh_codes(1)

    wrong = paper.outcomes(format_payload(number) for number in range(UNUSABLE_AN_HOUR))
    answer = paper.enter([code])[0]
    other = paper.outcomes([code], account_id=paper.factory.account().id)

    assert set(wrong) == {Outcome.NOT_USABLE}
    assert answer.outcome == Outcome.LATER
    assert "kun je verder" in answer.sentence
    assert other == [Outcome.GIVEN]
    assert session.scalar(select(func.count()).select_from(Attempt)) == UNUSABLE_AN_HOUR


def test_after_an_hour_the_rest_can_be_entered(paper: Paper) -> None:
    (code,) = paper.factory.fresh_codes(1)
    paper.enter(format_payload(number) for number in range(UNUSABLE_AN_HOUR))

    assert paper.outcomes([code], now=paper.factory.now + HOUR) == [Outcome.GIVEN]


def test_once_the_initiative_is_there_the_rest_stays_with_its_households(factory: Factory) -> None:
    paper = paper_of(factory, target_cents=5_000, large=100)
    codes = factory.fresh_codes(9)

    before = paper.outcomes(codes[:7])
    assert close_if_funded(factory.session, paper.initiative.id, actor=TEST_ACTOR, now=factory.now)
    after = paper.outcomes([*codes[7:], format_payload(3)])

    assert before == [Outcome.GIVEN] * 7
    assert after == [Outcome.CLOSED] * 3  # right or wrong: nothing was looked at
    assert factory.voucher(codes[8]).state == "issued"


def test_more_than_so_many_an_hour_wait_and_the_desk_gets_one_mail(paper: Paper, session: Session) -> None:
    paper.factory.account("sanne@voorbeeld.example", name="Sanne", roles=(Role.DISTRICT_MANAGER,), desks=(OWN_DESK,))
    codes = paper.factory.fresh_codes(5)

    outcomes = paper.outcomes(codes)

    batch = paper.batch()
    assert outcomes == [Outcome.GIVEN] * 3 + [Outcome.WAITING] * 2
    assert (batch.state, batch.entered_count) == ("waiting", 5)
    assert batch.waits_until == paper.factory.now + 48 * HOUR
    assert paper.gift(codes[4]) is None
    assert paper.factory.voucher(codes[4]).state == "issued"
    assert len(queries.waiting_vouchers(session, batch.id)) == 2
    mails = session.scalars(select(OutgoingMail).where(OutgoingMail.event == f"large-batch:{batch.id}")).all()
    assert [mail.recipient for mail in mails] == ["sanne@voorbeeld.example"]
    assert not any(code in f"{mails[0].text_body}" for code in codes)


def test_the_hour_counts_for_all_organisers_of_an_initiative_together(paper: Paper) -> None:
    codes, other = paper.factory.fresh_codes(6), paper.factory.account().id

    outcomes = paper.outcomes(codes[:3]) + paper.outcomes(codes[3:4], account_id=other)
    later = paper.outcomes(codes[4:5], now=paper.factory.now + HOUR)

    assert outcomes == [Outcome.GIVEN] * 3 + [Outcome.WAITING]
    assert later == [Outcome.GIVEN]


def test_waiting_codes_are_known_to_who_entered_them_and_wait_for_another(paper: Paper) -> None:
    codes = paper.factory.fresh_codes(4)
    paper.enter(codes)

    own, other = paper.outcomes(codes[3:]), paper.outcomes(codes[3:], account_id=paper.factory.account().id)

    assert own == [Outcome.BEFORE]
    assert other == [Outcome.WAITING]
    assert paper.factory.session.scalar(select(func.count()).select_from(WaitingEntry)) == 1


def test_an_unusable_code_does_not_make_a_batch_wait(paper: Paper) -> None:
    paper.enter(paper.factory.fresh_codes(3))

    assert paper.outcomes([format_payload(9)]) == [Outcome.NOT_USABLE]
    assert paper.batch().state == "booked"


def test_a_released_batch_gives_what_still_can_be_given(paper: Paper, session: Session) -> None:
    codes = paper.factory.fresh_codes(5)
    paper.enter(codes)
    paper.given_online(codes[3])
    decide(paper, release_it=True)
    batch = paper.batch()

    given = [
        give_waiting(session, batch.id, voucher_id, actor=TEST_ACTOR, now=paper.factory.now)
        for voucher_id in queries.waiting_vouchers(session, batch.id)
    ]

    assert given == [(paper.initiative.id, False), (paper.initiative.id, True)]
    gift = paper.gift(codes[4])
    assert gift is not None
    assert (gift.channel, gift.entry_batch_id) == ("organiser", batch.id)
    assert queries.waiting_vouchers(session, batch.id) == []
    assert check(session) == []


def test_a_refused_batch_leaves_the_vouchers_with_their_households(paper: Paper, session: Session) -> None:
    email = "anna@voorbeeld.example"
    paper.account_id = paper.factory.account(email).id
    codes = paper.factory.fresh_codes(5)
    paper.enter(codes)
    decide(paper, release_it=False)

    again = paper.outcomes(codes[3:4], now=paper.factory.now + HOUR)
    paper.given_online(codes[4])

    assert again == [Outcome.NOT_USABLE]
    assert paper.factory.voucher(codes[3]).state == "issued"
    mail = session.scalars(select(OutgoingMail).where(OutgoingMail.recipient == email)).one()
    assert "Dit klopt niet." in (mail.text_body or "")


def test_after_a_release_new_codes_are_given_again(paper: Paper) -> None:
    codes = paper.factory.fresh_codes(5)
    paper.enter(codes[:4])
    decide(paper, release_it=True)

    assert paper.outcomes(codes[4:]) == [Outcome.GIVEN]


def test_a_code_of_which_an_objection_was_upheld_cannot_be_entered_again(paper: Paper, session: Session) -> None:
    (code,) = paper.factory.fresh_codes(1)
    paper.enter([code])
    gift, now = paper.gift(code), paper.factory.now
    assert gift is not None
    session.add(Objection(donation_id=gift.id, raised_at=now, state="upheld", decided_at=now, reason="Klopt."))
    session.flush()
    return_vouchers(session, paper.initiative.id, actor=TEST_ACTOR, now=now, reason="bezwaar")

    assert paper.factory.voucher(code).state == "issued"
    assert paper.outcomes([code]) == [Outcome.NOT_USABLE]
    paper.given_online(code)


def test_who_leaves_takes_the_name_along_and_the_batch_stays(paper: Paper) -> None:
    paper.enter(paper.factory.fresh_codes(1))

    forget(paper.factory.session, paper.account_id)

    assert (paper.batch().account_id, paper.batch().entered_count) == (None, 1)


def test_a_batch_stands_out_by_refusals_objections_speed_and_share(paper: Paper, session: Session) -> None:
    paper.large = 1_000
    codes = paper.factory.fresh_codes(60)
    paper.enter([*codes, *(format_payload(number) for number in range(16))])
    gift, now = paper.gift(codes[0]), paper.factory.now
    assert gift is not None
    session.add(Objection(donation_id=gift.id, raised_at=now))
    session.flush()

    (batch,) = queries.batches_of(session, paper.initiative.id)

    assert (batch.given, batch.refused, batch.objections, batch.share) == (60, 16, 1, 100)
    assert batch.odd == [
        "1 bezwaar van een bewoner",
        "21% van de codes kon niet worden gebruikt",
        "60 codes binnen 1 minuut",
        "100% van alle vouchers voor dit initiatief",
    ]


def test_an_ordinary_batch_does_not_stand_out(paper: Paper, session: Session) -> None:
    paper.enter([*paper.factory.fresh_codes(3), format_payload(1)])

    (batch,) = queries.batches_of(session, paper.initiative.id)

    assert batch.odd == []
