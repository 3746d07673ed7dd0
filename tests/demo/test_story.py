# SPDX-License-Identifier: EUPL-1.2
"""What the demo tells around its initiatives names what exists, keeps to the limits of the forms and adds up."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from abs_platform.clock import now
from abs_platform.demo.receipts import receipt_of
from abs_platform.demo.story import Story
from abs_platform.help_offers.states import MAX_NOTE, OfferState
from abs_platform.initiatives.states import NeedKind
from abs_platform.moderation.states import DecisionKind
from abs_platform.questions.states import MAX_QUESTION, Voice
from abs_platform.rulebook.states import Answer
from abs_platform.updates.states import MAX_BODY, MAX_THANKS, MAX_TITLE

ALMELO = Path(__file__).resolve().parents[2] / "abs_platform/municipalities/almelo"
STORY = Story.read(ALMELO / "demo")
BY_KEY = {item["key"]: item for item in STORY.initiatives}
RULE_QUESTIONS = {
    question["key"] for question in tomllib.loads((ALMELO / "rulebook.toml").read_text("utf-8"))["questions"]
}
STAFF = {
    person["email"]: person for person in tomllib.loads((ALMELO / "demo/people.toml").read_text("utf-8"))["person"]
}


def keys_in(state: str) -> set[str]:
    return {key for key, item in BY_KEY.items() if item["state"] == state}


def test_everything_that_is_told_is_about_an_initiative_of_the_demo() -> None:
    told = [*STORY.plans, *STORY.news, *STORY.accounts]
    told += [one["key"] for one in [*STORY.questions, *STORY.offers, *STORY.desk["cases"], *STORY.desk["changes"]]]

    assert [key for key in told if key not in BY_KEY] == []


def test_about_a_third_of_the_initiatives_and_all_that_wait_say_for_whom_and_when() -> None:
    assert len(BY_KEY) / 3 <= len(STORY.plans) <= len(BY_KEY) * 0.6
    assert keys_in("submitted") <= set(STORY.plans)
    assert all(plan["audience"] and plan["planning"] for plan in STORY.plans.values())


def test_needs_are_of_every_kind_and_short_enough() -> None:
    needs = [need for plan in STORY.plans.values() for need in plan.get("needs", [])]

    assert {need["kind"] for need in needs} == {kind.value for kind in NeedKind}
    assert all(1 <= len(need["description"]) <= 200 for need in needs)


def test_the_rules_check_is_answered_whole_for_every_theme() -> None:
    assert {item["theme"] for item in BY_KEY.values()} == set(STORY.answers)
    for answers in STORY.answers.values():
        assert set(answers) == RULE_QUESTIONS
        assert set(answers.values()) <= {answer.value for answer in Answer}
    own = [plan["answers"] for plan in STORY.plans.values() if "answers" in plan]
    assert all(set(answers) <= RULE_QUESTIONS for answers in own)


def test_what_was_sent_lies_there_since_today_since_some_days_and_too_long() -> None:
    days = [BY_KEY[key]["submitted_working_days_ago"] for key in keys_in("submitted")]

    assert len(days) == 14
    assert days.count(0) == 3
    assert days.count(5) >= 3
    assert sum(number > 10 for number in days) == 2


def test_every_desk_has_work() -> None:
    desks = {code for person in STAFF.values() for code in person["desks"]}

    waiting = {
        BY_KEY[key].get("hand_over", {}).get("to") or f"WK{BY_KEY[key]['area'][2:8]}" for key in keys_in("submitted")
    }

    assert waiting == desks


def test_one_came_back_one_was_handed_over_and_for_one_a_rule_was_set_aside() -> None:
    for name in ("changes_reason", "hand_over", "set_aside"):
        assert sum(name in BY_KEY[key] for key in keys_in("submitted")) == 1


def test_three_changes_wait_and_the_others_were_decided() -> None:
    relied_on = [change for change in STORY.desk["changes"] if set(change["to"]) - {"planning", "audience", "story"}]

    decided = [change["decision"] for change in relied_on if "decision" in change]

    assert len(relied_on) - len(decided) == 3
    assert set(decided) == {DecisionKind.APPROVE_CHANGE.value, DecisionKind.REFUSE_CHANGE.value}
    assert all(BY_KEY[change["key"]]["state"] == "published" for change in STORY.desk["changes"])


def test_some_messages_of_organisers_wait_for_an_answer_and_some_were_answered() -> None:
    last_said = {
        case["key"]: [said["by"] for said in case["said"] if said["by"] != "note"]
        for case in STORY.desk["cases"]
        if "said" in case
    }
    conversations = [voices for voices in last_said.values() if "organiser" in voices]

    assert sum(voices[-1] == "organiser" for voices in conversations) >= 3
    assert sum(voices[-1] == "desk" for voices in conversations) >= 3


def test_the_absence_is_of_two_who_work_at_desks_and_runs_today() -> None:
    absence = STORY.desk["absence"]

    assert STAFF[absence["who"]]["desks"]
    assert STAFF[absence["stand_in"]]["desks"]
    assert 0 < absence["from_days_ago"] < absence["days"]
    assert STAFF[STORY.desk["coordinator"]]["roles"] == ["coordinator"]


def test_every_initiative_that_got_its_money_thanks_and_most_tell_news() -> None:
    reached = keys_in("funded") | keys_in("in_progress") | keys_in("realised")

    assert {key for key in reached if "thanks" in STORY.news[key]} == reached
    assert sum(bool(STORY.news[key].get("updates")) for key in reached) >= len(reached) - 2


@pytest.mark.parametrize("key", list(STORY.news))
def test_news_fits_its_forms(key: str) -> None:
    news = STORY.news[key]

    assert len(news.get("thanks", "")) <= MAX_THANKS
    for update in news.get("updates", []):
        assert 0 < len(update["title"]) <= MAX_TITLE
        assert 0 < len(update["body"]) <= MAX_BODY


def test_every_realised_initiative_accounts_for_it_two_wait_and_one_came_back() -> None:
    under_way = {key: STORY.accounts[key] for key in STORY.accounts if BY_KEY[key]["state"] == "in_progress"}

    waiting = [key for key, one in under_way.items() if one.get("is_sent", True) and "remark" not in one]

    assert keys_in("realised") <= set(STORY.accounts)
    assert len(waiting) == 2
    assert sum("remark" in one for one in under_way.values()) == 1


@pytest.mark.parametrize("key", list(STORY.accounts))
def test_costs_go_with_the_budget_and_have_a_receipt_or_a_reason(key: str) -> None:
    account, item = STORY.accounts[key], BY_KEY[key]

    total = sum(cents for cents, _reason in account["costs"])

    assert len(account["costs"]) == len(account["shops"]) == len(item["budget"])
    assert 0.6 * item["target_cents"] <= total <= item["target_cents"]
    for (cents, reason), shop in zip(account["costs"], account["shops"], strict=True):
        assert bool(shop) != bool(reason) or cents == 0
        assert len(reason) <= 200


def test_questions_are_answered_by_both_and_one_report_waits() -> None:
    answers: list[dict[str, Any]] = [answer for one in STORY.questions for answer in one.get("answers", [])]

    assert {answer["voice"] for answer in answers} == {Voice.ORGANISER.value, Voice.OFFICIAL.value}
    assert sum("report" in one for one in STORY.questions) == 1
    assert sum("hidden" in one for one in STORY.questions) == 1
    assert any(not one.get("answers") and not {"report", "hidden"} & set(one) for one in STORY.questions)
    assert all(len(one["body"]) <= MAX_QUESTION for one in STORY.questions)


def test_help_is_accepted_thanked_for_and_waiting_and_asked_for() -> None:
    states = {offer.get("state", OfferState.OFFERED.value) for offer in STORY.offers}

    assert states == {OfferState.OFFERED.value, OfferState.ACCEPTED.value, OfferState.THANKED.value}
    for offer in STORY.offers:
        assert 1 <= offer["need"] <= len(STORY.plans[offer["key"]]["needs"])
        assert len(offer["note"]) <= MAX_NOTE


def test_nobody_asks_or_offers_before_it_was_published() -> None:
    for one in [*STORY.questions, *STORY.offers]:
        assert one["days_ago"] < BY_KEY[one["key"]]["published_days_ago"]


def test_a_receipt_is_a_whole_pdf_that_says_what_it_cost() -> None:
    pdf = receipt_of("Almelo", "Café (zaal) De Brug", 123450, now())

    assert pdf.startswith(b"%PDF-")
    assert pdf.endswith(b"%%EOF\n")
    assert b"EUR 1.234,50" in pdf
    assert "Café \\(zaal\\) De Brug".encode("latin-1") in pdf
