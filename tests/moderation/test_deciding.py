# SPDX-License-Identifier: EUPL-1.2
"""Deciding: a private draft, the mail as it goes, and one mail for each organiser with exactly what was shown."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from abs_platform.donations.queries import total_of
from abs_platform.errors import Conflict, InvalidInput, NotAllowed
from abs_platform.events import Event
from abs_platform.initiatives.content import content_of
from abs_platform.initiatives.models import Initiative, Organiser
from abs_platform.initiatives.states import InitiativeState as State
from abs_platform.moderation import deciding
from abs_platform.moderation.states import DECIDABLE, WITHOUT_REASON
from tests.moderation.people import ELSEWHERE, Desk, Kind

REASON = "Vraag eerst de buren.\n\nDaarna kijken we opnieuw."
OUTCOME = {
    Kind.PUBLISH: State.PUBLISHED,
    Kind.REQUEST_CHANGES: State.CHANGES_REQUESTED,
    Kind.REJECT: State.REJECTED,
    Kind.STOP: State.STOPPED,
}
FROM = {kind: next(state for state in State if state in DECIDABLE[kind]) for kind in Kind}


def ready_for(desk: Desk, kind: Kind) -> Initiative:
    """An initiative about which this can be decided."""
    initiative = desk.initiative(FROM[kind])
    if kind in {Kind.APPROVE_CHANGE, Kind.REFUSE_CHANGE}:
        desk.send_change(initiative, title="Bomen en bankjes")
    return initiative


def options_of(kind: Kind) -> dict[str, str]:
    return {"to": ELSEWHERE} if kind == Kind.HAND_OVER else {}


@pytest.mark.parametrize("kind", Kind)
def test_a_decision_moves_writes_down_and_mails_each_organiser_once_with_what_was_shown(desk: Desk, kind: Kind) -> None:
    initiative = ready_for(desk, kind)
    desk.draft(initiative, kind, REASON, **options_of(kind))
    browser, base = desk.as_(desk.sanne), f"/regie/initiatieven/{initiative.id}"
    shown = browser.get(f"{base}/besluit")

    browser.submit(shown, f"{base}/besluit/versturen", is_sure="1")

    (decision,) = desk.decisions(initiative)
    mails = desk.mails(f"decision:{decision.id}")
    emails = desk.factory.session.scalars(select(Organiser.email).where(Organiser.initiative_id == initiative.id)).all()
    assert (decision.kind, decision.reason, decision.decided_by_id) == (kind, REASON, desk.sanne.id)
    assert desk.state(initiative) == OUTCOME.get(kind, FROM[kind])
    assert desk.drafts(initiative) == []
    assert sorted(mail.recipient or "" for mail in mails) == sorted(emails)
    assert {(mail.subject, mail.text_body) for mail in mails} == {(decision.mail_subject, decision.mail_text)}
    assert len(decision.recipient_ids) == len(mails) == 3
    assert decision.mail_subject in shown.text
    for line in filter(None, decision.mail_text.splitlines()):
        assert " ".join(line.split()) in shown.text
    assert all(email in shown.text for email in emails)


def test_what_was_decided_can_be_read_back_with_its_mail_and_who_got_it(desk: Desk) -> None:
    initiative = desk.submitted(title="Bankjes")
    decision = desk.decide(initiative, Kind.REQUEST_CHANGES, REASON)

    page = desk.as_(desk.els).get(f"/regie/initiatieven/{initiative.id}/besluiten/{decision.id}")

    assert "om een aanpassing gevraagd" in page.text
    assert "Sanne de Boer" in page.text
    assert "De mail ging naar Anna, Bram, Cem." in page.text
    assert "Vraag eerst de buren." in page.text


@pytest.mark.parametrize("kind", sorted(set(Kind) - WITHOUT_REASON))
def test_a_decision_that_needs_a_reason_does_not_go_without_one(desk: Desk, kind: Kind) -> None:
    initiative = ready_for(desk, kind)
    browser, base = desk.as_(desk.sanne), f"/regie/initiatieven/{initiative.id}"
    to = str(desk.factory.area_id(ELSEWHERE))

    page = browser.submit(
        browser.get(base), f"{base}/besluit", kind=kind.value, to_area_id=to, reason="  ", step="preview", status=422
    )

    assert "Geef een reden" in page.text
    assert desk.decisions(initiative) == []
    assert desk.mails("decision:") == []


@pytest.mark.parametrize("kind", sorted(WITHOUT_REASON))
def test_a_yes_may_go_without_a_note_and_its_mail_says_nothing_of_one(desk: Desk, kind: Kind) -> None:
    initiative = ready_for(desk, kind)

    decision = desk.decide(initiative, kind, "")

    assert "schrijft erbij" not in decision.mail_text


def test_organisers_read_the_decision_with_its_reason_on_their_own_page(desk: Desk) -> None:
    initiative = desk.submitted()
    desk.decide(initiative, Kind.REQUEST_CHANGES, REASON)

    page = desk.as_(desk.initiator(initiative)).get(f"/account/initiatieven/{initiative.id}/gesprek")

    said = " ".join(page.one(".desk-talk__item--official").to_text().split())
    assert said.startswith("Om een aanpassing gevraagd Wijkregisseur Sanne, ")
    assert said.endswith("Vraag eerst de buren. Daarna kijken we opnieuw.")


def test_a_decision_cannot_be_rewritten(desk: Desk) -> None:
    decision = desk.decide(desk.submitted(), Kind.REJECT)

    for change in ("UPDATE decisions SET reason = 'anders'", "DELETE FROM decisions"):
        with pytest.raises(DBAPIError, match="append only"), desk.factory.session.begin_nested():
            desk.factory.session.execute(text(change))
    assert decision.reason == "Zomaar."


def test_a_draft_stays_when_its_writer_leaves_and_is_there_when_she_comes_back(desk: Desk) -> None:
    initiative = desk.submitted()
    browser, base = desk.as_(desk.sanne), f"/regie/initiatieven/{initiative.id}"
    browser.submit(browser.get(base), f"{base}/besluit", kind="reject", reason="Half af", step="keep")

    page = desk.as_(desk.sanne).get(base)

    assert page.one("#reason").to_text().strip() == "Half af"
    assert "checked" in page.one('input[value="reject"]').attrs
    assert desk.state(initiative) == State.SUBMITTED
    assert desk.mails() == []


def test_the_mail_of_a_draft_that_is_not_whole_is_not_shown(desk: Desk) -> None:
    initiative = desk.submitted()
    desk.draft(initiative, Kind.REJECT, "")

    page = desk.as_(desk.sanne).get(f"/regie/initiatieven/{initiative.id}/besluit", status=422)

    assert "Geef een reden" in page.text
    assert page.one("#reason").attrs["aria-invalid"] == "true"


def test_a_draft_can_be_thrown_away(desk: Desk) -> None:
    initiative = desk.submitted()
    desk.draft(initiative, Kind.REJECT, "Weg ermee")
    browser, base = desk.as_(desk.sanne), f"/regie/initiatieven/{initiative.id}"

    browser.submit(browser.get(base), f"{base}/besluit/weggooien")

    assert desk.drafts(initiative) == []


def test_two_wijkregisseurs_deciding_the_second_is_told_by_whom_and_what_and_keeps_her_text(desk: Desk) -> None:
    initiative = desk.submitted()
    desk.draft(initiative, Kind.REJECT, "Dit is mijn eigen tekst.", by=desk.tom)
    browser, base = desk.as_(desk.tom), f"/regie/initiatieven/{initiative.id}"
    seen_by_tom = browser.get(f"{base}/besluit")
    desk.decide(initiative, Kind.PUBLISH, "", by=desk.sanne)
    desk.factory.session.commit()

    page = browser.submit(seen_by_tom, f"{base}/besluit/versturen", status=409)

    assert "Sanne de Boer publiceerde het." in page.text
    assert "Dit is mijn eigen tekst." in page.text
    assert desk.state(initiative) == State.PUBLISHED
    assert [decision.kind for decision in desk.decisions(initiative)] == [Kind.PUBLISH]
    assert [draft.reason for draft in desk.drafts(initiative)] == ["Dit is mijn eigen tekst."]


def test_pressing_send_twice_decides_once_and_leads_to_what_was_decided(desk: Desk) -> None:
    initiative = desk.submitted()
    desk.draft(initiative, Kind.PUBLISH)
    browser, base = desk.as_(desk.sanne), f"/regie/initiatieven/{initiative.id}"
    shown = browser.get(f"{base}/besluit")
    browser.submit(shown, f"{base}/besluit/versturen")

    page = browser.submit(shown, f"{base}/besluit/versturen")

    assert "gepubliceerd" in page.text
    assert len(desk.decisions(initiative)) == 1
    assert len(desk.mails("decision:")) == 3


def test_a_mail_whose_recipients_changed_after_it_was_shown_is_shown_again(desk: Desk) -> None:
    initiative = desk.submitted()
    desk.draft(initiative, Kind.REQUEST_CHANGES, REASON)
    browser, base = desk.as_(desk.sanne), f"/regie/initiatieven/{initiative.id}"
    shown = browser.get(f"{base}/besluit")
    desk.factory.session.execute(
        update(Organiser)
        .where(Organiser.initiative_id == initiative.id, Organiser.name == "Cem")
        .values(email="cem.nieuw@voorbeeld.example")
    )
    desk.factory.session.commit()

    again = browser.submit(shown, f"{base}/besluit/versturen", status=409)

    assert "De mail of de ontvangers zijn intussen veranderd" in again.text
    assert "cem.nieuw@voorbeeld.example" in again.text
    assert desk.decisions(initiative) == []
    browser.submit(again, f"{base}/besluit/versturen")
    assert [decision.kind for decision in desk.decisions(initiative)] == [Kind.REQUEST_CHANGES]


def test_only_organisers_who_confirmed_and_are_still_there_get_the_mail(desk: Desk) -> None:
    initiative = desk.initiative(State.PUBLISHED)
    session = desk.factory.session
    people = session.scalars(select(Organiser).where(Organiser.initiative_id == initiative.id).order_by(Organiser.id))
    anna, bram, cem = people.all()
    bram.forgotten_at = desk.factory.now
    cem.confirmed_at = None
    session.flush()

    decision = desk.decide(initiative, Kind.STOP)

    assert decision.recipient_ids == [anna.id]
    assert [mail.recipient for mail in desk.mails("decision:")] == [anna.email]


def test_stopping_says_what_goes_back_and_asks_for_a_second_yes(desk: Desk) -> None:
    initiative = desk.initiative(State.PUBLISHED)
    for code in desk.factory.codes(3):
        desk.factory.give(code, initiative)
    desk.draft(initiative, Kind.STOP, "De grond is verkocht.")
    browser, base = desk.as_(desk.sanne), f"/regie/initiatieven/{initiative.id}"
    shown = browser.get(f"{base}/besluit")

    refused = browser.submit(shown, f"{base}/besluit/versturen", status=422)

    assert "3 giften van samen € 22,50 gaan terug naar de gevers." in shown.text.replace("\xa0", " ")
    assert "Vink aan dat je het initiatief stopt" in refused.text
    assert desk.state(initiative) == State.PUBLISHED
    browser.submit(refused, f"{base}/besluit/versturen", is_sure="1")
    assert desk.state(initiative) == State.STOPPED
    assert total_of(desk.factory.session, initiative.id).givers == 3  # close_initiatives gives them back


@pytest.mark.parametrize("kind", Kind)
def test_deciding_in_a_state_that_does_not_allow_it_is_refused(desk: Desk, kind: Kind) -> None:
    for state in set(State) - DECIDABLE[kind] - {State.DRAFT}:
        initiative = desk.factory.initiative(state, target_cents=6_000)

        with pytest.raises((Conflict, NotAllowed)):
            desk.draft(initiative, kind, REASON, **options_of(kind))
        assert desk.drafts(initiative) == []


def test_publishing_asks_again_for_three_addresses(desk: Desk) -> None:
    initiative = desk.submitted()
    session = desk.factory.session
    session.execute(
        update(Organiser)
        .where(Organiser.initiative_id == initiative.id, Organiser.name != "Anna")
        .values(postcode="7609AB", house_number="1")
    )

    with pytest.raises(InvalidInput, match="Nu is het er 1"):
        desk.decide(initiative, Kind.PUBLISH, "")
    assert desk.state(initiative) == State.SUBMITTED


def test_publishing_after_its_deadline_is_refused_before_a_mail_is_shown(desk: Desk) -> None:
    initiative = desk.submitted(days_left=0)
    browser, base = desk.as_(desk.sanne), f"/regie/initiatieven/{initiative.id}"

    page = browser.submit(browser.get(base), f"{base}/besluit", kind="publish", step="preview", status=422)

    assert "Kies een streefdatum na vandaag" in page.text
    assert desk.state(initiative) == State.SUBMITTED


def test_handing_over_keeps_the_answer_by_date_tells_the_other_desk_and_lets_the_handler_go(desk: Desk) -> None:
    initiative = desk.submitted()
    initiative.handler_id = desk.sanne.id
    sent_at = initiative.submitted_at
    desk.user(desk.els)

    decision = desk.decide(initiative, Kind.HAND_OVER, "Deze straat is van jullie.", to=ELSEWHERE)

    session = desk.factory.session
    session.refresh(initiative)
    assert initiative.desk_area_id == desk.factory.area_id(ELSEWHERE) == decision.to_area_id
    assert initiative.submitted_at == sent_at
    assert initiative.handler_id is None
    assert decision.desk_recipient_ids == [desk.els.id]
    assert [mail.recipient for mail in desk.mails("handed-over:")] == ["els@gemeente.example"]
    assert "Deze straat is van jullie." in (desk.mails("handed-over:")[0].text_body or "")
    assert len(desk.mails("decision:")) == 3
    event = session.scalars(select(Event).where(Event.kind == "initiative.handed_over")).one()
    assert event.details == {"from_area": decision.desk_area_id, "to_area": decision.to_area_id}


def test_handing_over_to_the_same_desk_or_to_none_is_refused(desk: Desk) -> None:
    initiative = desk.submitted()

    for to in (None, "WK014119", "BU01411801"):  # to none, to the same, to a neighbourhood
        with pytest.raises(InvalidInput, match="Kies een andere balie"):
            desk.decide(initiative, Kind.HAND_OVER, "Weg.", to=to)


def test_handing_over_to_what_is_no_area_is_refused(desk: Desk) -> None:
    initiative = desk.submitted()
    browser, base = desk.as_(desk.sanne), f"/regie/initiatieven/{initiative.id}"

    for to in ("999999", "-1", "x", "9" * 30):
        fields = {"kind": "hand_over", "reason": "Weg.", "to_area_id": to, "step": "preview"}
        page = browser.submit(browser.get(base), f"{base}/besluit", status=422, **fields)
        assert "Kies een andere balie" in page.text


def test_after_handing_over_the_old_desk_only_looks_and_the_new_one_decides(desk: Desk) -> None:
    initiative = desk.submitted()
    desk.user(desk.els)
    desk.decide(initiative, Kind.HAND_OVER, "Weg.", to=ELSEWHERE)

    with pytest.raises(NotAllowed, match="Els Bakker"):
        desk.draft(initiative, Kind.PUBLISH)
    desk.decide(initiative, Kind.PUBLISH, "", by=desk.els)

    assert desk.state(initiative) == State.PUBLISHED


def test_the_coordinator_hands_over_but_does_not_decide(desk: Desk) -> None:
    initiative = desk.submitted()

    with pytest.raises(NotAllowed):
        desk.draft(initiative, Kind.PUBLISH, by=desk.carla)
    decision = desk.decide(initiative, Kind.HAND_OVER, "Verdeeld.", by=desk.carla, to=ELSEWHERE)

    assert "Beheerder Carla" in decision.mail_text


def test_an_approved_change_is_live_and_a_refused_one_is_not(desk: Desk) -> None:
    session = desk.factory.session
    for kind, title in ((Kind.APPROVE_CHANGE, "Bomen en bankjes"), (Kind.REFUSE_CHANGE, "Bomen")):
        initiative = desk.initiative(State.PUBLISHED, title="Bomen")
        desk.send_change(initiative, title="Bomen en bankjes")

        desk.decide(initiative, kind, "Zo is het.")

        session.refresh(initiative)
        assert content_of(session, initiative)["title"] == title
        assert deciding.change_that_waits(session, initiative) is None


def test_a_change_that_was_changed_after_it_was_looked_at_is_not_approved(desk: Desk) -> None:
    initiative = desk.initiative(State.PUBLISHED, title="Bomen")
    desk.send_change(initiative, title="Bomen en bankjes")
    desk.draft(initiative, Kind.APPROVE_CHANGE)
    waiting = deciding.change_that_waits(desk.factory.session, initiative)
    assert waiting is not None
    waiting.content = waiting.content | {"title": "Een zwembad"}
    desk.factory.session.flush()

    with pytest.raises(deciding.DecidedMeanwhile):
        desk.give(initiative, desk.user(desk.sanne), desk.factory.now)
    desk.factory.session.refresh(initiative)
    assert initiative.title == "Bomen"


def test_nobody_decides_about_an_own_initiative(desk: Desk) -> None:
    initiative = desk.submitted()
    initiator = desk.initiator(initiative)
    desk.sanne.email, initiator.email = initiator.email, "anders@voorbeeld.example"
    desk.factory.session.flush()

    with pytest.raises(NotAllowed, match="Dit is je eigen initiatief"):
        desk.draft(initiative, Kind.PUBLISH)
    page = desk.as_(desk.sanne).get(f"/regie/initiatieven/{initiative.id}", status=403)
    assert "Dit is je eigen initiatief" in page.text


def test_who_decides_is_who_it_comes_back_to(desk: Desk) -> None:
    initiative = desk.submitted()

    desk.decide(initiative, Kind.REQUEST_CHANGES)

    desk.factory.session.refresh(initiative)
    assert initiative.handler_id == desk.sanne.id


def test_a_mail_about_a_decision_calls_the_wijkregisseur_by_first_name(desk: Desk) -> None:
    decision = desk.decide(desk.submitted(), Kind.REJECT)

    assert "Wijkregisseur Sanne" in decision.mail_text
    assert "de Boer" not in decision.mail_text
    assert dt.timedelta(0) <= desk.factory.now - decision.decided_at < dt.timedelta(minutes=1)
