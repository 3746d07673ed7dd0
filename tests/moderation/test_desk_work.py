# SPDX-License-Identifier: EUPL-1.2
"""What is done at the desk besides deciding: taking up, ticking, notes, the conversation and exceptions."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from abs_platform.errors import Conflict, InvalidInput, NotAllowed
from abs_platform.initiatives import submitting
from abs_platform.initiatives.models import RuleOverride
from abs_platform.initiatives.states import InitiativeState as State
from abs_platform.initiatives.states import OverridableRule
from abs_platform.moderation import queries, service
from abs_platform.moderation.models import ChecklistTick, DeskNote, Message
from tests.factories import TEST_ACTOR
from tests.moderation.people import Desk


def test_taking_up_and_putting_back_shows_on_the_page_and_in_the_log(desk: Desk) -> None:
    initiative = desk.submitted()
    browser, base = desk.as_(desk.sanne), f"/regie/initiatieven/{initiative.id}"

    taken = browser.submit(browser.get(base), f"{base}/oppakken")
    put_back = browser.submit(taken, f"{base}/terugleggen")

    assert "Jij hebt dit opgepakt." in taken.text
    assert "Nog niemand heeft dit opgepakt." in put_back.text
    assert desk.events(initiative)[-2:] == ["initiative.taken_up", "initiative.released"]
    assert desk.mails() == []


def test_who_takes_up_what_a_colleague_just_took_up_is_told(desk: Desk) -> None:
    initiative = desk.submitted()
    service.take_up(
        desk.factory.session, initiative.id, seen_handler_id=0, user=desk.user(desk.tom), now=desk.factory.now
    )

    with pytest.raises(Conflict, match="Tom Jansen heeft dit net opgepakt"):
        service.take_up(
            desk.factory.session, initiative.id, seen_handler_id=0, user=desk.user(desk.sanne), now=desk.factory.now
        )
    service.take_up(
        desk.factory.session,
        initiative.id,
        seen_handler_id=desk.tom.id,
        user=desk.user(desk.sanne),
        now=desk.factory.now,
    )
    desk.factory.session.refresh(initiative)
    assert initiative.handler_id == desk.sanne.id


def test_the_submitter_sees_who_deals_with_it_by_first_name(desk: Desk) -> None:
    initiative = desk.submitted()
    initiative.handler_id = desk.sanne.id

    page = desk.as_(desk.initiator(initiative)).get(f"/account/initiatieven/{initiative.id}/gesprek")

    assert "Wijkregisseur Sanne behandelt dit." in page.text
    assert "de Boer" not in page.text


def test_a_tick_says_who_and_when_and_two_who_tick_at_once_keep_each_others(desk: Desk) -> None:
    initiative = desk.submitted()
    session, now = desk.factory.session, desk.factory.now
    shown = ["fixed.clear", "fixed.budget", "fixed.place"]

    for user, ticked in ((desk.user(desk.sanne), ["fixed.clear"]), (desk.user(desk.tom), ["fixed.budget"])):
        service.keep_checklist(session, initiative.id, shown=shown, seen=[], ticked=ticked, user=user, now=now)

    ticks = session.execute(select(ChecklistTick.key, ChecklistTick.ticked_by_id).order_by(ChecklistTick.key)).all()
    assert [tuple(tick) for tick in ticks] == [("fixed.budget", desk.tom.id), ("fixed.clear", desk.sanne.id)]
    page = desk.as_(desk.sanne).get(f"/regie/initiatieven/{initiative.id}")
    assert "Checklist (2/7)" in page.text
    assert "Tom Jansen," in page.one("#checklist").to_text()


def test_a_tick_can_be_taken_away_and_one_that_was_not_shown_cannot_be_set(desk: Desk) -> None:
    initiative = desk.submitted()
    session, now, user = desk.factory.session, desk.factory.now, desk.user(desk.sanne)
    service.keep_checklist(
        session, initiative.id, shown=["fixed.clear"], seen=[], ticked=["fixed.clear"], user=user, now=now
    )

    service.keep_checklist(
        session, initiative.id, shown=["fixed.clear"], seen=["fixed.clear"], ticked=["verzonnen"], user=user, now=now
    )

    assert session.scalars(select(ChecklistTick)).all() == []
    assert desk.events(initiative)[-1] == "initiative.check_unticked"


def test_a_tick_of_before_a_new_version_counts_no_more_and_can_be_set_again(desk: Desk) -> None:
    initiative = desk.submitted()
    session, now, user = desk.factory.session, desk.factory.now, desk.user(desk.sanne)
    ticked = {"shown": ["fixed.clear"], "seen": [], "ticked": ["fixed.clear"]}
    service.keep_checklist(session, initiative.id, user=user, now=now - dt.timedelta(days=3), **ticked)
    initiative.submitted_at = now - dt.timedelta(days=1)
    session.flush()

    old = desk.as_(desk.sanne).get(f"/regie/initiatieven/{initiative.id}")
    service.keep_checklist(session, initiative.id, user=desk.user(desk.tom), now=now, **ticked)

    assert "vóór deze tekst" in old.text
    assert "Checklist (0/7)" in old.text
    assert session.scalars(select(ChecklistTick.ticked_by_id)).all() == [desk.tom.id]


def test_the_answers_to_the_rules_check_become_lines_of_the_checklist(desk: Desk) -> None:
    initiative = desk.submitted()
    advice = {
        "id": 7,
        "answer": "yes",
        "kind": "permit",
        "title": "Vergunning",
        "explanation": "Vraag hem aan.",
        "contact": "14 0546",
        "legal_basis": "",
        "lead_days": 56,
        "cost_hint": "",
        "checklist_text": "Is de vergunning aangevraagd?",
    }
    asked = {"key": "road", "question": "Gaat er een weg dicht?", "help": "", "answer": "yes", "advices": [advice]}
    desk.keep_revision(initiative, desk.factory.now, rule_snapshot=[asked], rule_answers={"road": "yes"})

    page = desk.as_(desk.sanne).get(f"/regie/initiatieven/{initiative.id}")

    assert "Is de vergunning aangevraagd?" in page.one("#checklist").to_text()
    assert "Regelcheck: Gaat er een weg dicht?" in page.text
    assert "Checklist (0/8)" in page.text


def test_a_note_is_kept_with_its_writer(desk: Desk) -> None:
    initiative = desk.submitted()
    browser, base = desk.as_(desk.els), f"/regie/initiatieven/{initiative.id}"

    page = browser.submit(browser.get(base), f"{base}/notities", note="Gebeld met <beheer>.")

    (note,) = desk.factory.session.scalars(select(DeskNote)).all()
    assert (note.text, note.author_id) == ("Gebeld met <beheer>.", desk.els.id)
    assert "Els Bakker," in page.one("#notities").to_text()
    assert desk.mails() == []


def test_an_empty_note_or_message_is_refused_and_the_page_says_so(desk: Desk) -> None:
    initiative = desk.submitted()
    browser, base = desk.as_(desk.sanne), f"/regie/initiatieven/{initiative.id}"

    for action, name in (("notities", "note"), ("berichten", "message")):
        for text in ("   ", "x" * 4_001):
            page = browser.submit(browser.get(base), f"{base}/{action}", status=422, **{name: text})
            assert page.one(f"#{name}").attrs["aria-invalid"] == "true"
    assert desk.mails() == []


def test_the_desk_writes_with_an_official_voice_and_every_organiser_gets_one_mail(desk: Desk) -> None:
    initiative = desk.submitted()
    browser, base = desk.as_(desk.sanne), f"/regie/initiatieven/{initiative.id}"

    page = browser.submit(browser.get(base), f"{base}/berichten", message="Mag dat?\n\nGraag bericht.")
    theirs = desk.as_(desk.initiator(initiative)).get(f"/account/initiatieven/{initiative.id}/gesprek")

    mails = desk.mails("desk-message:")
    (message,) = desk.factory.session.scalars(select(Message)).all()
    assert "Je bericht is verstuurd, aan 3 organisatoren." in page.text
    assert len(mails) == len(message.recipient_ids) == 3
    assert all("Wijkregisseur Sanne schrijft" in (mail.text_body or "") for mail in mails)
    assert "Wijkregisseur Sanne" in theirs.one(".desk-talk__item--official").to_text()
    assert "de Boer" not in theirs.text


def test_an_organiser_writes_to_who_deals_with_it_and_is_no_official_voice(desk: Desk) -> None:
    initiative = desk.submitted()
    desk.user(desk.tom)
    initiative.handler_id = desk.sanne.id
    browser, address = desk.as_(desk.initiator(initiative)), f"/account/initiatieven/{initiative.id}/gesprek"

    page = browser.submit(browser.get(address), address, message="Mag de bank ook op de hoek?")

    assert "Je bericht is verstuurd." in page.text
    assert page.all(".desk-talk__item--official") == []
    assert "Anna organisator" in page.one(".desk-talk__item").to_text()
    assert [mail.recipient for mail in desk.mails("desk-message:")] == ["sanne@gemeente.example"]


def test_a_message_goes_to_the_stand_in_when_who_deals_with_it_is_absent(desk: Desk) -> None:
    initiative = desk.submitted()
    initiative.handler_id = desk.sanne.id
    desk.away(desk.sanne, desk.els)
    user = desk.user(desk.initiator(initiative))

    service.write_to_desk(desk.factory.session, initiative.id, "Hallo?", user=user, now=desk.factory.now)

    assert [mail.recipient for mail in desk.mails("desk-message:")] == ["els@gemeente.example"]


def test_a_message_to_a_desk_where_nobody_works_goes_to_the_coordinator(desk: Desk) -> None:
    initiative = desk.submitted()
    desk.user(desk.carla)
    user = desk.user(desk.initiator(initiative))

    service.write_to_desk(desk.factory.session, initiative.id, "Hallo?", user=user, now=desk.factory.now)

    assert [mail.recipient for mail in desk.mails("desk-message:")] == ["carla@gemeente.example"]


def test_an_organiser_cannot_flood_the_desk(desk: Desk) -> None:
    initiative = desk.submitted()
    browser, address = desk.as_(desk.initiator(initiative)), f"/account/initiatieven/{initiative.id}/gesprek"
    page = browser.get(address)
    for number in range(20):
        assert browser.send(page, address, message=f"Hallo {number}").status_code == 303

    refused = browser.submit(page, address, message="Nog een", status=429)

    assert "te vaak" in refused.text
    assert "Nog een" in refused.one("#message").to_text()
    assert len(desk.factory.session.scalars(select(Message)).all()) == 20


def test_before_sending_there_is_a_page_but_nothing_to_say_yet(desk: Desk) -> None:
    initiative = desk.factory.initiative(State.DRAFT)

    page = desk.as_(desk.initiator(initiative)).get(f"/account/initiatieven/{initiative.id}/gesprek")

    assert "zodra je je initiatief hebt verstuurd" in page.text
    assert page.all("#message") == []


def test_what_is_marked_as_handled_sends_no_mail(desk: Desk) -> None:
    initiative = desk.submitted()
    user = desk.user(desk.initiator(initiative))
    desk.user(desk.sanne)
    service.write_to_desk(desk.factory.session, initiative.id, "Dank je!", user=user, now=desk.factory.now)
    mailed = len(desk.mails())
    browser, base = desk.as_(desk.sanne), f"/regie/initiatieven/{initiative.id}"

    page = browser.submit(browser.get(base), f"{base}/berichten/afgehandeld")

    assert "Wacht op antwoord" not in page.one("#gesprek").to_text()
    assert len(desk.mails()) == mailed


def test_the_coordinator_sets_a_rule_aside_before_sending_and_it_can_be_sent_then(desk: Desk) -> None:
    session, now = desk.factory.session, desk.factory.now
    initiative = desk.factory.initiative(State.DRAFT, target_cents=900_000)
    browser, base = desk.as_(desk.carla), f"/regie/initiatieven/{initiative.id}/uitzondering"
    with pytest.raises(InvalidInput, match="Vraag een bedrag van"):
        submitting.submit(session, initiative.id, rules=desk.factory.rules, actor=TEST_ACTOR, now=now)

    page = browser.submit(browser.get(base), base, rule="maximum", reason="Het is een groot feest.")
    submitting.submit(session, initiative.id, rules=desk.factory.rules, actor=TEST_ACTOR, now=now)

    (override,) = session.scalars(select(RuleOverride)).all()
    assert (override.rule, override.reason) == (OverridableRule.MAXIMUM, "Het is een groot feest.")
    assert override.given_by_id == desk.carla.id
    assert "initiative.rule_set_aside" in desk.events(initiative)
    assert "Het is een groot feest." in page.text
    assert len(desk.mails("rule-set-aside:")) == 3
    assert "Het is een groot feest." in desk.as_(desk.sanne).get(f"/regie/initiatieven/{initiative.id}").text
    assert "Het is een groot feest." in desk.as_(desk.carla).get("/regie/uitzonderingen").text


def test_an_exception_needs_a_rule_and_a_reason_and_is_made_once(desk: Desk) -> None:
    initiative = desk.submitted()
    browser, base = desk.as_(desk.carla), f"/regie/initiatieven/{initiative.id}/uitzondering"
    page = browser.get(base)

    assert "Kies voor welke regel" in browser.submit(page, base, reason="Zomaar.", status=422).text
    assert "Schrijf hier 1 tot" in browser.submit(page, base, rule="organisers", reason=" ", status=422).text
    browser.submit(page, base, rule="organisers", reason="Kleine straat.")
    again = browser.submit(page, base, rule="organisers", reason="Nog eens.", status=409)
    assert "al een uitzondering" in again.text
    assert len(desk.factory.session.scalars(select(RuleOverride)).all()) == 1


@pytest.mark.parametrize("state", [State.PUBLISHED, State.REJECTED, State.REALISED])
def test_after_the_decision_no_exception_is_made(desk: Desk, state: State) -> None:
    initiative = desk.factory.initiative(state, target_cents=6_000)

    with pytest.raises(NotAllowed, match="Dit kan niet meer"):
        service.set_aside(
            desk.factory.session,
            initiative.id,
            OverridableRule.MAXIMUM,
            "Zomaar.",
            user=desk.user(desk.carla),
            now=desk.factory.now,
        )


def test_a_number_leads_the_coordinator_to_an_idea_that_was_not_sent(desk: Desk) -> None:
    initiative = desk.factory.initiative(State.DRAFT)
    browser = desk.as_(desk.carla)

    found = desk.ask("GET", f"/regie/uitzonderingen?nummer=%23{initiative.id}")
    unknown = browser.get("/regie/uitzonderingen?nummer=999999")

    assert found.location == f"/regie/initiatieven/{initiative.id}/uitzondering"
    assert "Er is geen initiatief met dit nummer." in unknown.text
    assert "Het plein is kaal" not in browser.get(found.location).text


def test_the_first_name_is_what_residents_read() -> None:
    assert [queries.first_name(name) for name in ("Sanne de Boer", " Tom ", "", "   ")] == ["Sanne", "Tom", "", ""]
