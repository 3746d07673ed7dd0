# SPDX-License-Identifier: EUPL-1.2
"""Letters leave the building once, whole, and with a count that is right; and are forgotten here after that."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from abs_platform.clock import local_date
from abs_platform.errors import Conflict, InvalidInput, InvalidTransition, NotFound
from abs_platform.events import Event
from abs_platform.households.models import AddressImport, Household
from abs_platform.initiatives.service import stop
from abs_platform.letters import doubts, handing_over, writing
from abs_platform.letters.content import LetterContent
from abs_platform.letters.models import LetterFile, LetterRun, LetterText
from abs_platform.letters.states import FileKind, RunState
from abs_platform.vouchers.models import Voucher
from tests.factories import TEST_ACTOR, Factory
from tests.letters_desk.runs import issued_batch, key_of, made_run, row_of

HOUR = dt.timedelta(hours=1)


def hand_over(
    factory: Factory, run: LetterRun, *, letters: int = 3, files: int = 3, missing: frozenset[str] = frozenset()
) -> None:
    handing_over.hand_over(
        factory.session,
        run.id,
        seen_letters=letters,
        seen_files=files,
        missing=missing,
        actor=TEST_ACTOR,
        now=factory.now,
    )


def withdraw(factory: Factory, run: LetterRun, reason: str = "Verkeerde tekst.") -> None:
    handing_over.withdraw(factory.session, run.id, reason=reason, actor=TEST_ACTOR, now=factory.now)


def kinds(session: Session) -> list[str]:
    return list(session.scalars(select(Event.kind).where(Event.subject == "letters").order_by(Event.id)))


def test_a_run_that_adds_up_is_handed_over_once(session: Session, factory: Factory) -> None:
    run = made_run(factory, issued_batch(factory))

    hand_over(factory, run)

    assert (run.state, run.handed_over_at) == (RunState.HANDED_OVER, factory.now)
    with pytest.raises(Conflict, match="al overgedragen"):
        hand_over(factory, run)
    event = session.scalars(select(Event).where(Event.kind == "letters.handed_over")).one()
    assert event.details == {"round": run.round_id, "batch": run.batch_id, "letters": 3, "files": 3}


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        ({"state": RunState.MAKING}, "Nog niet alle brieven"),
        ({"letters": ()}, "bestand met brieven is er niet"),
        ({"letters": (2,)}, "samen 2 brieven"),
        ({"letters": (2, 2)}, "samen 4 brieven"),
        ({"lines": 0}, "adressen en codes is er niet"),
        ({"lines": 2}, "telt 2 regels"),
        ({"count": 4, "letters": (4,), "lines": 4}, "telde 3 vouchers"),
    ],
    ids=str,
)
def test_what_does_not_add_up_is_not_handed_over(factory: Factory, made: dict[str, object], sentence: str) -> None:
    run = made_run(factory, issued_batch(factory), **made)  # type: ignore[arg-type]
    row = row_of(factory, run)

    with pytest.raises(Conflict, match=sentence):
        hand_over(factory, run, letters=row.letter_count, files=len(row.files))

    assert run.handed_over_at is None


def test_a_gap_between_the_files_and_a_lost_file_are_seen(session: Session, factory: Factory) -> None:
    run = made_run(factory, issued_batch(factory))
    lost = frozenset({key_of(run, FileKind.LETTERS, 2)})

    with pytest.raises(Conflict, match="niet meer te vinden"):
        hand_over(factory, run, missing=lost)
    session.execute(update(LetterFile).where(LetterFile.number == 2).values(number=3))
    with pytest.raises(Conflict, match="ontbreekt er een"):
        hand_over(factory, run)


def test_a_page_with_other_counts_hands_nothing_over(factory: Factory) -> None:
    run = made_run(factory, issued_batch(factory))

    for seen in ({"letters": 2}, {"files": 4}):
        with pytest.raises(Conflict, match="intussen veranderd"):
            hand_over(factory, run, **seen)
    with pytest.raises(NotFound):
        handing_over.hand_over(
            factory.session, 999_999, seen_letters=1, seen_files=1, actor=TEST_ACTOR, now=factory.now
        )


def test_a_voucher_that_was_revoked_later_still_counts_one_that_was_gone_before_does_not(
    session: Session, factory: Factory
) -> None:
    run = made_run(factory, issued_batch(factory))
    first = session.scalars(select(Voucher.id).order_by(Voucher.id)).first()
    gone = update(Voucher).where(Voucher.id == first)

    session.execute(gone.values(state="revoked", revoked_at=factory.now + HOUR))
    assert handing_over.obstacles(session, row_of(factory, run)) == []

    session.execute(gone.values(revoked_at=factory.now - HOUR))
    assert len(handing_over.obstacles(session, row_of(factory, run))) == 1


def test_withdrawing_needs_a_reason_and_makes_room_for_another_run(session: Session, factory: Factory) -> None:
    batch = issued_batch(factory)
    run = made_run(factory, batch)

    with pytest.raises(InvalidInput):
        withdraw(factory, run, "  ")
    withdraw(factory, run)
    session.add(
        LetterRun(
            round_id=batch.round_id,
            batch_id=batch.id,
            letter_text_id=run.letter_text_id,
            choices={},
            help_points={},
            letters_per_file=400,
            letter_count=3,
            began_at=factory.now,
        )
    )
    session.flush()

    assert session.scalars(select(Event.reason).where(Event.kind == "letters.withdrawn")).all() == ["Verkeerde tekst."]
    with pytest.raises(Conflict, match="ingetrokken"):
        hand_over(factory, run)


def test_what_was_handed_over_cannot_be_withdrawn(factory: Factory) -> None:
    run = made_run(factory, issued_batch(factory))
    hand_over(factory, run)

    with pytest.raises(InvalidTransition):
        withdraw(factory, run)


@pytest.mark.parametrize("end", [hand_over, withdraw])
def test_the_sealed_copies_are_forgotten_after_two_weeks_and_the_counts_stay(
    session: Session, factory: Factory, end: object
) -> None:
    run = made_run(factory, issued_batch(factory))
    end(factory, run)  # type: ignore[operator]
    early, late = (factory.now + dt.timedelta(days=days) for days in (13, 14))

    assert handing_over.files_to_forget(session, early) == {}
    due = handing_over.files_to_forget(session, late)
    assert [len(keys) for keys in due.values()] == [3]
    forgotten = [handing_over.forget_files(session, run.id, due[run.id], actor=TEST_ACTOR, now=late) for _ in "12"]

    assert forgotten == [3, 0]
    assert handing_over.files_to_forget(session, late) == {}
    row = row_of(factory, run)
    assert (row.made_count, {file.store_key for file in row.files}) == (3, {None})
    assert kinds(session)[-1] == "letters.files_forgotten"


def test_the_files_of_a_run_that_is_still_here_are_kept(session: Session, factory: Factory) -> None:
    made_run(factory, issued_batch(factory))

    assert handing_over.files_to_forget(session, factory.now + dt.timedelta(days=300)) == {}


def test_what_changed_since_is_told_before_the_letters_go(session: Session, factory: Factory) -> None:
    stopped, going = factory.initiative(title="De gestopte tuin"), factory.initiative(title="De moestuin")
    choices = {str(factory.area_id("BU01411900")): [{"id": stopped.id}, {"id": going.id}]}
    run = made_run(factory, issued_batch(factory), choices=choices)
    today = local_date(factory.now)
    assert doubts.about(session, row_of(factory, run), today=today) == []

    stop(session, stopped.id, reason="Zomaar.", actor=TEST_ACTOR, now=factory.now)
    voucher = session.scalars(select(Voucher).order_by(Voucher.id)).first()
    assert voucher is not None
    session.execute(
        update(Voucher).where(Voucher.id == voucher.id).values(state="revoked", revoked_at=factory.now + HOUR)
    )
    content = LetterContent(**session.get_one(LetterText, run.letter_text_id).content | {"title": "Nieuwe kop"})
    text = writing.save_text(
        session, content, seen_version=1, note="", account_id=None, actor=TEST_ACTOR, now=factory.now
    )
    writing.approve(session, text.id, account_id=factory.account().id, actor=TEST_ACTOR, now=factory.now)
    found = " ".join(doubts.about(session, row_of(factory, run), today=today))

    assert "De gestopte tuin" in found
    assert "De moestuin" not in found
    assert "code die intussen is ingetrokken" in found
    assert "Daarna is versie 2 goedgekeurd" in found


def test_addresses_that_changed_since_are_told(session: Session, factory: Factory) -> None:
    run = made_run(factory, issued_batch(factory))
    counts = dict.fromkeys(("new_count", "gone_count", "unchanged_count", "rejected_count", "skipped_count"), 0)
    texts = dict.fromkeys(("actor", "bag_file", "bag_edition", "bag_sha256", "key_sha256"), "x")
    session.add(AddressImport(imported_at=factory.now + HOUR, key_edition=2024, changed_count=1, **counts, **texts))
    today = local_date(factory.now)

    assert "De adressen zijn bijgewerkt" in doubts.about(session, row_of(factory, run), today=today)[0]
    session.execute(update(Household).values(mail_returned_at=factory.now + HOUR))
    assert "3 adressen zijn er niet meer" in doubts.about(session, row_of(factory, run), today=today)[0]
