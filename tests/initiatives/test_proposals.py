# SPDX-License-Identifier: EUPL-1.2
"""What organisers write: kept as they go, sent once, after publishing changed in part; also by two at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from abs_platform import clock
from abs_platform.areas.models import Area
from abs_platform.errors import AbsError, Conflict, InvalidInput
from abs_platform.events import Event
from abs_platform.initiatives import changing, content, proposals, service
from abs_platform.initiatives.models import BudgetLine, InitiativeNeed, Revision
from abs_platform.initiatives.states import InitiativeState as State
from abs_platform.initiatives.states import NeedKind, Theme
from abs_platform.outbox import OutgoingMail
from abs_platform.users import Role
from abs_platform.working_days import answer_by
from tests.concurrency.racing import at_once, committed
from tests.factories import TEST_ACTOR, Factory
from tests.initiatives.writing import (
    SLUITERSVELD,
    Writer,
    ask_two_questions,
    begin,
    finish,
    mails_about,
    user_of,
    whole,
)

LINE = {"description": "Hout", "amount_cents": 10_000}


@pytest.fixture(autouse=True)
def _questions(request: pytest.FixtureRequest) -> None:
    if "own_app" not in request.fixturenames:
        ask_two_questions(request.getfixturevalue("session"))


def events_of(writer: Writer, kind: str) -> list[Event]:
    query = select(Event).where(Event.subject_id == writer.initiative_id, Event.kind == kind)
    return list(writer.session.scalars(query.order_by(Event.id)))


def revisions_of(writer: Writer) -> list[tuple[int, str]]:
    query = select(Revision.number, Revision.kind).where(Revision.initiative_id == writer.initiative_id)
    return [tuple(row) for row in writer.session.execute(query.order_by(Revision.number))]  # type: ignore[misc]


# -- beginning and saving ---------------------------------------------------------------------------------------------


def test_beginning_makes_a_draft_of_the_initiator_alone(factory: Factory) -> None:
    writer = begin(factory)

    assert writer.initiative.state == State.DRAFT
    assert writer.proposal.content["title"] == "Een bankje bij de vijver"
    assert len(events_of(writer, "initiative.created")) == 1


def test_a_sixth_unfinished_idea_is_refused_kindly(factory: Factory) -> None:
    account = factory.account()
    for _ in range(proposals.MAX_OPEN_DRAFTS):
        begin(factory, account)

    with pytest.raises(Conflict, match="nog niet af"):
        begin(factory, account)

    assert begin(factory).initiative.state == State.DRAFT


def test_saving_keeps_what_was_typed_and_derives_the_rest(factory: Factory) -> None:
    writer = begin(factory)

    writer.save(**whole(factory))

    kept = writer.proposal
    assert kept.version == 2
    assert kept.content["target_cents"] == 50_050
    assert kept.content["area_name"] == "Groeneveld"
    assert [entry["answer"] for entry in kept.content["rule_snapshot"]] == ["no", "unknown"]
    assert writer.initiative.target_cents is None, "the row waits until it is sent"


def test_the_lists_call_a_draft_what_its_organisers_call_it_now(factory: Factory) -> None:
    writer = begin(factory)

    writer.save(title="Een heel andere naam")

    assert writer.initiative.title == "Een heel andere naam"


def test_saving_the_same_again_changes_nothing(factory: Factory) -> None:
    writer = begin(factory)
    first = writer.save(story="Hoi").version

    assert writer.save(story="Hoi", version=0).version == first


def test_an_old_version_does_not_overwrite_what_another_wrote(factory: Factory) -> None:
    writer = begin(factory)
    seen = writer.proposal.version
    writer.save(story="Van Anna")

    with pytest.raises(Conflict, match="Iemand anders"):
        writer.save(version=seen, story="Van Bram")

    assert writer.proposal.content["story"] == "Van Anna"


def test_two_people_can_write_at_two_parts_with_one_version(factory: Factory) -> None:
    writer = begin(factory)
    seen = writer.proposal.version
    writer.save(version=seen, story="Van Anna")

    writer.save(version=seen, planning="Van Bram")

    assert (writer.proposal.content["story"], writer.proposal.content["planning"]) == ("Van Anna", "Van Bram")


@pytest.mark.parametrize("name", ["target_cents", "area_name", "rule_snapshot", "pictures", "state", "organisers"])
def test_what_is_derived_or_no_part_at_all_cannot_be_saved(factory: Factory, name: str) -> None:
    writer = begin(factory)

    with pytest.raises(ValueError, match=name):
        writer.save(**{name: 1})


@pytest.mark.parametrize("state", [State.REJECTED, State.EXPIRED, State.STOPPED, State.WITHDRAWN, State.SUBMITTED])
def test_what_is_not_with_the_organisers_cannot_be_written(factory: Factory, state: State) -> None:
    initiative = factory.initiative(state)

    with pytest.raises(Conflict, match="niet aan te passen"):
        proposals.save(factory.session, initiative.id, {"story": "X"}, version=0, account_id=None, now=factory.now)


TEXT = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=40)
CONTENT = st.fixed_dictionaries(
    {
        "title": TEXT.map(lambda text: text.strip() or "x"),
        "summary": TEXT,
        "story": TEXT,
        "theme": st.sampled_from([theme.value for theme in Theme]),
        "place_description": TEXT,
        "audience": TEXT,
        "planning": TEXT,
        "budget": st.lists(
            st.fixed_dictionaries({"description": TEXT, "amount_cents": st.integers(1, 100_000_000)}), max_size=30
        ),
        "needs": st.lists(
            st.fixed_dictionaries(
                {"kind": st.sampled_from(list(NeedKind)).map(str), "description": TEXT.map(lambda text: text or "x")}
            ),
            max_size=20,
        ),
        "deadline_on": st.none() | st.dates(dt.date(2026, 1, 1), dt.date(2030, 1, 1)).map(dt.date.isoformat),
        "latitude": st.floats(50, 54).map(lambda value: round(value, 5)),
        "longitude": st.floats(3, 8).map(lambda value: round(value, 5)),
    }
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(written=CONTENT)
def test_what_is_saved_and_applied_reads_back_the_same(factory: Factory, written: dict[str, Any]) -> None:
    with factory.session.begin_nested() as savepoint:
        writer = begin(factory)
        kept = writer.save(**written).content

        content.apply(factory.session, writer.initiative, kept, content.EMPTY)

        read = content.content_of(factory.session, writer.initiative)
        assert read | {"rule_snapshot": []} == kept | {"rule_snapshot": []}
        assert content.changes_between(read, kept) == []
        savepoint.rollback()


# -- sending ----------------------------------------------------------------------------------------------------------


def test_sending_puts_it_on_the_desk_and_tells_all_organisers_when_they_hear(factory: Factory) -> None:
    manager = factory.account(name="Sanne", roles=(Role.DISTRICT_MANAGER,), desks=("WK014119",))
    writer = finish(factory)

    sent = writer.send()

    row = writer.initiative
    assert sent == proposals.Sent(is_new=True, waits=True, answer_by=answer_by(factory.now, 10))
    assert (row.state, row.target_cents, row.story) == (State.SUBMITTED, 50_050, "We zetten **samen** een bankje neer.")
    assert (row.audience, row.planning, row.latitude) == ("Iedereen", "In mei.", 52.35671)
    assert row.desk_area_id == factory.area_id("WK014119")
    assert revisions_of(writer) == [(1, "submitted")]
    mails = mails_about(writer.session, f"initiative.submitted:{row.id}:1")
    assert len(mails) == 3
    body = writer.session.scalars(
        select(OutgoingMail.text_body).where(OutgoingMail.event == f"initiative.submitted:{row.id}:1").limit(1)
    ).one()
    assert body is not None
    assert f"{sent.answer_by.day} " in body
    assert manager.name in body


def test_sending_twice_sends_once(factory: Factory) -> None:
    writer = finish(factory)
    first = writer.send()

    second = writer.send(now=factory.now + dt.timedelta(days=3))

    assert (second.is_new, second.answer_by) == (False, first.answer_by)
    assert revisions_of(writer) == [(1, "submitted")]
    assert len(events_of(writer, "initiative.submitted")) == 1


def test_only_what_the_sender_saw_is_sent(factory: Factory) -> None:
    writer = finish(factory)
    seen = writer.proposal.version
    writer.save(story="Intussen anders")

    with pytest.raises(Conflict, match="nog één keer"):
        proposals.send(
            writer.session,
            writer.initiative_id,
            rules=factory.rules,
            account_id=None,
            actor=TEST_ACTOR,
            now=factory.now,
            version=seen,
        )

    assert writer.initiative.state == State.DRAFT


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"title": ""}, "title"),
        ({"summary": ""}, "summary"),
        ({"story": "  "}, "story"),
        ({"theme": ""}, "theme"),
        ({"area_id": None}, "place"),
        ({"budget": []}, "target"),
        ({"budget": [{"description": "Niets", "amount_cents": 4_999}]}, "target"),
        ({"budget": [{"description": "Alles", "amount_cents": 500_001}]}, "target"),
        ({"deadline_on": None}, "deadline"),
        ({"rule_answers": {"music": "yes"}}, "rule_answers"),
        ({"rule_answers": {}}, "rule_answers"),
    ],
)
def test_what_is_missing_is_named_and_nothing_is_sent(factory: Factory, changes: dict[str, Any], problem: str) -> None:
    writer = finish(factory, **changes)

    with pytest.raises(InvalidInput) as refused:
        writer.send()

    assert list(refused.value.fields) == [problem]
    assert writer.initiative.state == State.DRAFT
    assert revisions_of(writer) == []
    assert mails_about(writer.session, "initiative.submitted") == []


@pytest.mark.parametrize("days", [-1, 0, 366])
def test_a_deadline_of_the_past_or_too_far_away_is_not_sent(factory: Factory, days: int) -> None:
    deadline = clock.local_date(factory.now) + dt.timedelta(days=days)
    writer = finish(factory, deadline_on=deadline.isoformat())

    with pytest.raises(InvalidInput) as refused:
        writer.send()

    assert list(refused.value.fields) == ["deadline"]


def test_an_area_that_is_no_longer_there_must_be_chosen_again(factory: Factory) -> None:
    writer = finish(factory)
    area = factory.session.get_one(Area, factory.area_id("BU01411900"))
    area.is_current = False

    with pytest.raises(InvalidInput) as refused:
        writer.send()

    assert list(refused.value.fields) == ["place"]


def test_without_an_own_address_it_is_not_sent(factory: Factory) -> None:
    writer = begin(factory)
    writer.save(**whole(factory))

    with pytest.raises(InvalidInput) as refused:
        writer.send()

    assert set(refused.value.fields) == {"organisers", "own_address"}


def test_after_a_request_for_changes_the_same_is_written_and_sent_again(factory: Factory) -> None:
    writer = finish(factory)
    writer.send()
    service.request_changes(
        writer.session, writer.initiative_id, reason="Vraag de buren.", actor=TEST_ACTOR, now=factory.now
    )

    writer.save(story="We vroegen de buren.")
    before = writer.initiative.story
    writer.send()

    assert before == "We zetten **samen** een bankje neer.", "the desk sees what was sent until it is sent again"
    assert writer.initiative.story == "We vroegen de buren."
    assert revisions_of(writer) == [(1, "submitted"), (2, "submitted")]
    newest, older = proposals.latest_revisions(writer.session, writer.initiative_id, 2)
    assert [change.field for change in proposals.changes_between(older.content, newest.content)] == ["story"]


# -- after publishing -------------------------------------------------------------------------------------------------


def published(factory: Factory, **changes: Any) -> Writer:
    writer = finish(factory, **changes)
    writer.send()
    service.publish(writer.session, writer.initiative_id, actor=TEST_ACTOR, now=factory.now)
    return writer


def test_small_changes_are_live_at_once(factory: Factory) -> None:
    writer = published(factory)
    small = {
        "story": "Nieuw verhaal",
        "planning": "In juni.",
        "audience": "Alle buren",
        "place_description": "Naast de vijver",
        "needs": [{"kind": "knowledge", "description": "Wie weet iets van hout?"}],
    }

    writer.save(**small)
    sent = writer.send()

    row = writer.initiative
    assert (sent.waits, row.story, row.planning, row.audience) == (False, "Nieuw verhaal", "In juni.", "Alle buren")
    assert row.state == State.PUBLISHED
    assert writer.proposal.sent_at is None
    assert revisions_of(writer)[-1] == (2, "edited")
    assert events_of(writer, "initiative.edited")[0].details == {"fields": sorted(small)}


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "Twee bankjes"},
        {"summary": "Anders"},
        {"theme": Theme.GREEN.value},
        {"latitude": 52.4, "longitude": 6.7},
        {"budget": [LINE]},
        {"rule_answers": {"closed_road": "yes", "music": "yes"}},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_givers_relied_on_waits_for_the_desk(factory: Factory, changes: dict[str, Any]) -> None:
    writer = published(factory)
    before = content.content_of(writer.session, writer.initiative)

    writer.save(**changes)
    sent = writer.send()

    assert sent.waits
    assert writer.proposal.sent_at == factory.now
    assert content.content_of(writer.session, writer.initiative) == before
    assert len(events_of(writer, "initiative.change_sent")) == 1


def test_the_desk_agrees_and_the_change_is_live(factory: Factory) -> None:
    writer = published(factory)
    writer.save(area_id=factory.area_id(SLUITERSVELD), budget=[LINE])
    writer.send()

    proposals.approve_change(
        writer.session, writer.initiative_id, rules=factory.rules, actor=TEST_ACTOR, now=factory.now
    )

    row = writer.initiative
    assert (row.target_cents, row.area_id) == (10_000, factory.area_id(SLUITERSVELD))
    lines = select(BudgetLine.description).where(BudgetLine.initiative_id == row.id)
    assert writer.session.scalars(lines).all() == ["Hout"]
    assert writer.proposal.sent_at is None
    assert revisions_of(writer)[-1] == (2, "approved")
    with pytest.raises(Conflict, match="geen wijziging"):
        proposals.approve_change(
            writer.session, writer.initiative_id, rules=factory.rules, actor=TEST_ACTOR, now=factory.now
        )


def test_the_desk_refuses_and_the_organisers_keep_what_they_wrote(factory: Factory) -> None:
    writer = published(factory)
    writer.save(title="Tien bankjes")
    writer.send()

    proposals.refuse_change(
        writer.session, writer.initiative_id, reason="Eén is genoeg.", actor=TEST_ACTOR, now=factory.now
    )

    assert writer.initiative.title == "Een bankje bij de vijver"
    assert (writer.proposal.sent_at, writer.proposal.content["title"]) == (None, "Tien bankjes")
    assert events_of(writer, "initiative.change_refused")[0].reason == "Eén is genoeg."


def test_a_refusal_has_a_reason(factory: Factory) -> None:
    writer = published(factory)
    writer.save(title="Tien bankjes")
    writer.send()

    with pytest.raises(InvalidInput):
        proposals.refuse_change(writer.session, writer.initiative_id, reason=" ", actor=TEST_ACTOR, now=factory.now)


def test_a_change_that_waits_can_be_taken_back_and_not_written_over(factory: Factory) -> None:
    writer = published(factory)
    writer.save(title="Tien bankjes")
    writer.send()

    with pytest.raises(Conflict, match="wacht al"):
        writer.save(title="Elf bankjes")
    writer.save(story="Maar dit mag.")
    sent = writer.send()
    proposals.withdraw_change(writer.session, writer.initiative_id, actor=TEST_ACTOR, now=factory.now)

    assert sent.waits
    assert (writer.proposal.sent_at, writer.proposal.content["title"]) == (None, "Een bankje bij de vijver")
    assert writer.initiative.story == "Maar dit mag."
    assert len(events_of(writer, "initiative.change_withdrawn")) == 1
    with pytest.raises(Conflict):
        proposals.withdraw_change(writer.session, writer.initiative_id, actor=TEST_ACTOR, now=factory.now)


def test_the_desk_agrees_only_to_what_it_looked_at(factory: Factory) -> None:
    writer = published(factory)
    writer.save(title="Tien bankjes")
    writer.send()
    seen = writer.proposal.version
    proposals.withdraw_change(writer.session, writer.initiative_id, actor=TEST_ACTOR, now=factory.now)
    writer.save(title="Twintig bankjes")
    writer.send()

    with pytest.raises(Conflict, match="intussen veranderd"):
        proposals.approve_change(
            writer.session, writer.initiative_id, rules=factory.rules, actor=TEST_ACTOR, now=factory.now, version=seen
        )

    assert writer.initiative.title == "Een bankje bij de vijver"


def test_what_was_never_sent_can_be_thrown_away(factory: Factory) -> None:
    writer = published(factory)
    writer.save(title="Tien bankjes", story="Anders")

    proposals.discard_change(writer.session, writer.initiative_id, actor=TEST_ACTOR, now=factory.now)

    assert writer.proposal.content["title"] == "Een bankje bij de vijver"
    assert writer.proposal.content == content.content_of(writer.session, writer.initiative)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"budget": [LINE | {"amount_cents": 600_000}]}, "target"),
        ({"budget": []}, "target"),
        ({"deadline_on": "2020-01-01"}, "deadline"),
        ({"story": ""}, "story"),
        ({"title": ""}, "title"),
        ({"area_id": None}, "place"),
    ],
    ids=str,
)
def test_a_change_keeps_the_rules_too(factory: Factory, changes: dict[str, Any], problem: str) -> None:
    writer = published(factory)
    writer.save(**changes)

    with pytest.raises(InvalidInput) as refused:
        writer.send()

    assert list(refused.value.fields) == [problem]
    assert writer.proposal.sent_at is None


@pytest.mark.parametrize("state", [State.FUNDED, State.IN_PROGRESS])
@pytest.mark.parametrize("changes", [{"budget": [LINE]}, {"deadline_on": "2030-01-01"}], ids=["budget", "deadline"])
def test_once_the_money_is_in_what_it_was_asked_for_stands(
    factory: Factory, state: State, changes: dict[str, Any]
) -> None:
    initiative = factory.initiative(state)
    writer = Writer(factory, factory.account(), initiative.id)
    writer.save(**changes)

    with pytest.raises(InvalidInput, match="al binnen"):
        writer.send()

    assert writer.proposal.sent_at is None


def test_a_change_that_waits_is_not_approved_after_the_end(factory: Factory) -> None:
    writer = published(factory)
    writer.save(title="Tien bankjes")
    writer.send()
    service.stop(writer.session, writer.initiative_id, reason="Klaar.", actor=TEST_ACTOR, now=factory.now)

    with pytest.raises(Conflict):
        proposals.approve_change(
            writer.session, writer.initiative_id, rules=factory.rules, actor=TEST_ACTOR, now=factory.now
        )


def test_an_initiative_of_before_the_wizard_can_be_changed_too(factory: Factory) -> None:
    initiative = factory.initiative(State.PUBLISHED)
    writer = Writer(factory, factory.account(), initiative.id)
    assert writer.proposal.version == 0

    writer.save(version=0, story="Nu met meer bomen.")
    sent = writer.send()

    assert (sent.waits, writer.initiative.story) == (False, "Nu met meer bomen.")


def test_readable_changes_name_every_part_in_words(factory: Factory) -> None:
    empty = dict(content.EMPTY)
    writer = begin(factory)
    kept = writer.save(**whole(factory)).content | {"pictures": [{"id": 1, "alt": "Een vijver"}, {"id": 2, "alt": ""}]}

    changes = {change.label: change.new for change in proposals.changes_between(empty, kept)}

    assert changes["Begroting"].replace("\u00a0", " ") == "Bankje: € 450\nVerf: € 50,50"
    assert changes["Voor welke buurt"] == "Groeneveld"
    assert changes["Thema"] == "Ontmoeten"
    assert changes["Hulp die nog nodig is"] == "hulp: Vier mensen die schilderen"
    assert changes["Regelcheck"] == "Vraag over closed_road? nee\nVraag over music? weet ik nog niet"
    assert changes["Foto's"] == "Een vijver\nfoto zonder beschrijving"
    assert changes["Punt op de kaart"] == "52.35671, 6.66247"
    assert set(changes) == {content.label_of(field) for field in content._FIELDS}


def test_needs_and_lines_that_stay_stand_in_their_new_order(factory: Factory) -> None:
    writer = published(factory)
    needs = [{"kind": "materials", "description": text} for text in ("Schep", "Emmer", "Vier mensen die schilderen")]
    writer.save(needs=needs)

    writer.send()

    rows = select(InitiativeNeed.position, InitiativeNeed.description).order_by(InitiativeNeed.position)
    found = writer.session.execute(rows.where(InitiativeNeed.initiative_id == writer.initiative_id)).all()
    assert [tuple(row) for row in found] == [(1, "Schep"), (2, "Emmer"), (3, "Vier mensen die schilderen")]


# -- at the same moment -----------------------------------------------------------------------------------------------


@pytest.fixture
def own_writer(own_factory: Factory) -> Writer:
    ask_two_questions(own_factory.session)
    writer = finish(own_factory)
    own_factory.session.commit()
    return writer


def racing(own_app: Flask, *works: Callable[[Session], Any]) -> list[Any]:
    return at_once([committed(own_app, work) for work in works])


def saver(writer: Writer, version: int, **changes: Any) -> Callable[[Session], Any]:
    number, account_id, now = writer.initiative_id, writer.account.id, writer.factory.now
    return lambda session: (
        proposals.save(session, number, changes, version=version, account_id=account_id, now=now).version
    )


def sender(writer: Writer) -> Callable[[Session], Any]:
    number, rules, now = writer.initiative_id, writer.factory.rules, writer.factory.now
    return lambda session: proposals.send(session, number, rules=rules, account_id=None, actor=TEST_ACTOR, now=now)


def test_of_two_who_save_the_same_part_at_once_one_is_told(own_app: Flask, own_writer: Writer) -> None:
    version = own_writer.proposal.version
    works = [saver(own_writer, version, story="Van Anna"), saver(own_writer, version, story="Van Bram")]
    own_writer.session.commit()

    results = racing(own_app, *works)

    assert [isinstance(result, Conflict) for result in results].count(True) == 1
    assert own_writer.proposal.version == version + 1


def test_two_who_save_different_parts_at_once_both_are_kept(own_app: Flask, own_writer: Writer) -> None:
    version = own_writer.proposal.version
    works = [saver(own_writer, version, story="Van Anna"), saver(own_writer, version, planning="Van Bram")]
    own_writer.session.commit()

    results = racing(own_app, *works)

    kept = own_writer.proposal.content
    assert not any(isinstance(result, AbsError) for result in results)
    assert (kept["story"], kept["planning"]) == ("Van Anna", "Van Bram")


def test_two_first_saves_at_once_make_one_working_copy(own_app: Flask, own_factory: Factory) -> None:
    initiative = own_factory.initiative(State.PUBLISHED)
    writer = Writer(own_factory, own_factory.account(), initiative.id)
    works = [saver(writer, 0, story="Van Anna"), saver(writer, 0, story="Van Bram")]
    own_factory.session.commit()

    results = racing(own_app, *works)

    assert [isinstance(result, Conflict) for result in results].count(True) == 1


def test_sent_by_two_at_once_it_is_sent_once(own_app: Flask, own_writer: Writer) -> None:
    works = [sender(own_writer) for _ in range(4)]
    own_writer.session.commit()

    results = racing(own_app, *works)

    assert [result.is_new for result in results].count(True) == 1
    assert revisions_of(own_writer) == [(1, "submitted")]
    assert len(mails_about(own_writer.session, "initiative.submitted")) == 3


def test_saved_while_it_is_sent_either_goes_along_or_is_told(own_app: Flask, own_writer: Writer) -> None:
    works = [sender(own_writer), saver(own_writer, own_writer.proposal.version, story="Net op tijd")]
    own_writer.session.commit()

    sent, saved = racing(own_app, *works)

    assert sent.is_new
    own_writer.session.expire_all()
    went_along = own_writer.initiative.story == "Net op tijd"
    assert went_along != isinstance(saved, Conflict)


def test_approved_and_taken_back_at_once_only_one_counts(own_app: Flask, own_factory: Factory) -> None:
    ask_two_questions(own_factory.session)
    writer = published(own_factory)
    writer.save(title="Tien bankjes")
    writer.send()
    number, rules, now = writer.initiative_id, own_factory.rules, own_factory.now
    own_factory.session.commit()

    approved, taken_back = racing(
        own_app,
        lambda session: changing.approve_change(session, number, rules=rules, actor=TEST_ACTOR, now=now),
        lambda session: changing.withdraw_change(session, number, actor=TEST_ACTOR, now=now),
    )

    assert isinstance(approved, Conflict) != isinstance(taken_back, Conflict)
    writer.session.expire_all()
    assert (writer.initiative.title == "Tien bankjes") == isinstance(taken_back, Conflict)


def test_five_ideas_begun_at_once_are_all_there(own_app: Flask, own_factory: Factory) -> None:
    user = user_of(own_factory.account())
    own_factory.session.commit()

    def start(session: Session) -> int:
        made = proposals.start(
            session, user, title="Een idee", theme=Theme.GREEN, actor=TEST_ACTOR, now=own_factory.now
        )
        return made.id

    results = racing(own_app, *[start] * 3)

    assert len(set(results)) == 3
    assert (
        own_factory.session.scalar(select(func.count()).select_from(Event).where(Event.kind == "initiative.created"))
        == 3
    )
