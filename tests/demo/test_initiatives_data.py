# SPDX-License-Identifier: EUPL-1.2
"""The demo's initiatives keep to the rules of the platform and differ from each other."""

import csv
import re
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from abs_platform.demo.addresses import write_address_files

DEMO = Path(__file__).resolve().parents[2] / "abs_platform/municipalities/almelo/demo"

THEMES = {
    "green",
    "play",
    "meeting",
    "sport",
    "culture",
    "safety",
    "care",
    "learning",
    "sustainability",
    "mobility",
}
STATES = {
    "published": 34,
    "funded": 8,
    "in_progress": 6,
    "realised": 12,
    "expired": 4,
    "stopped": 2,
    "withdrawn": 2,
    "rejected": 2,
    "changes_requested": 2,
    "submitted": 14,
    "draft": 1,
}
WITH_REASON = {"rejected", "stopped", "withdrawn", "changes_requested"}
NEVER_PUBLISHED = {"draft", "submitted", "changes_requested", "rejected"}
WITH_PROGRESS = {"published", "expired", "stopped", "withdrawn"}


def load(name: str) -> dict[str, Any]:
    with (DEMO / name).open("rb") as file:
        return tomllib.load(file)


CONTENT = load("initiatives.toml")
INITIATIVES: list[dict[str, Any]] = CONTENT["initiative"] + load("submitted.toml")["initiative"]
NEIGHBOURHOODS = {place["code"] for place in load("streets.toml")["neighbourhood"]}
DISTRICTS = {"WK" + code[2:8] for code in NEIGHBOURHOODS}

every_initiative = pytest.mark.parametrize("initiative", INITIATIVES, ids=lambda initiative: initiative["key"])


def test_the_initiatives_are_spread_over_states_themes_and_areas() -> None:
    themes = Counter(initiative["theme"] for initiative in INITIATIVES)
    levels = Counter(initiative["area"][:2] for initiative in INITIATIVES)
    districts = Counter("WK" + initiative["area"][2:8] for initiative in INITIATIVES if initiative["area"][:2] != "GM")

    assert Counter(initiative["state"] for initiative in INITIATIVES) == STATES
    assert set(themes) == THEMES
    assert min(themes.values()) >= 5
    assert levels == {"GM": 6, "WK": 32, "BU": 49}
    assert set(districts) == DISTRICTS
    assert min(districts.values()) >= 4


def test_no_key_title_summary_or_sentence_is_used_twice() -> None:
    for field in ("key", "title", "summary", "story", "place_description"):
        values = [initiative[field] for initiative in INITIATIVES]
        assert len(set(values)) == len(values), field

    sentences = Counter(
        sentence
        for initiative in INITIATIVES
        for sentence in re.split(r"(?<=[.?!])\s+", initiative["story"])
        if len(sentence) > 30
    )
    assert [sentence for sentence, times in sentences.items() if times > 1] == []


def test_no_two_organisers_share_an_address_or_a_name() -> None:
    organisers = [organiser for initiative in INITIATIVES for organiser in initiative["organisers"]]

    addresses = Counter((organiser["postcode"], organiser["house_number"]) for organiser in organisers)
    names = Counter(organiser["name"] for organiser in organisers)

    assert max(addresses.values()) == 1
    assert [name for name, times in names.items() if times > 1] == []


def test_organisers_live_at_demo_addresses_in_the_area_of_their_initiative(tmp_path: Path) -> None:
    write_address_files(
        DEMO / "streets.toml",
        tmp_path / "bag.csv",
        tmp_path / "key.csv",
        municipality="Almelo",
        municipality_code="GM0141",
    )
    with (tmp_path / "key.csv").open(encoding="utf-8", newline="") as file:
        lines = csv.DictReader(file, delimiter=";")
        area_of = {(line["PC6"], int(line["Huisnummer"])): line["Buurt2025"] for line in lines}

    strangers = [
        organiser["name"]
        for initiative in INITIATIVES
        for organiser in initiative["organisers"]
        if not area_of[organiser["postcode"], organiser["house_number"]].startswith(initiative["area"][2:])
    ]

    assert strangers == []


def test_collecting_initiatives_stand_at_every_stage() -> None:
    progress = [initiative["progress"] for initiative in INITIATIVES if initiative["state"] == "published"]

    assert progress.count(0.0) == 3
    assert sum(share > 0.85 for share in progress) >= 4
    assert min(progress) >= 0
    assert max(progress) <= 0.97


def test_most_targets_are_modest() -> None:
    targets = [initiative["target_cents"] for initiative in INITIATIVES]

    assert sum(15_000 <= target <= 150_000 for target in targets) > len(targets) / 2


def test_givers_have_sixty_messages_and_eighty_names_that_differ() -> None:
    messages, names = CONTENT["messages"], CONTENT["giver_names"]

    assert len(set(messages)) == len(messages) == 60
    assert len(set(names)) == len(names) == 80
    assert all(0 < len(text) <= 120 for text in messages)
    assert all(0 < len(text) <= 40 for text in names)


def test_nothing_can_be_mailed_or_visited_by_accident() -> None:
    for name in ("initiatives", "submitted", "plans", "news", "accounts", "talk"):
        text = (DEMO / f"{name}.toml").read_text("utf-8")
        assert "@" not in text
        assert "http" not in text
    desk = (DEMO / "desk.toml").read_text("utf-8")
    assert all(address.endswith(".example") for address in re.findall(r"\S+@([^\s\"]+)", desk))


@every_initiative
def test_texts_have_the_right_form(initiative: dict[str, Any]) -> None:
    paragraphs = initiative["story"].strip().split("\n\n")

    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", initiative["key"])
    assert 0 < len(initiative["title"]) <= 70
    assert 0 < len(initiative["summary"]) <= 160
    assert 0 < len(initiative["place_description"]) <= 100
    assert 2 <= len(paragraphs) <= 4
    assert all(paragraph.strip() and "\n" not in paragraph for paragraph in paragraphs)


@every_initiative
def test_the_area_and_theme_exist(initiative: dict[str, Any]) -> None:
    assert initiative["area"] in NEIGHBOURHOODS | DISTRICTS | {"GM0141"}
    assert initiative["theme"] in THEMES


@every_initiative
def test_there_are_three_or_four_organisers_with_full_addresses(initiative: dict[str, Any]) -> None:
    organisers = initiative["organisers"]

    assert len(organisers) in (3, 4)
    for organiser in organisers:
        assert set(organiser) == {"name", "postcode", "house_number"}
        assert re.fullmatch(r"(760[1-9]|7611|7627)[A-Z]{2}", organiser["postcode"])
        assert organiser["house_number"] > 0


@every_initiative
def test_the_budget_adds_up_to_a_target_within_bounds(initiative: dict[str, Any]) -> None:
    amounts = [line["amount_cents"] for line in initiative["budget"]]

    assert sum(amounts) == initiative["target_cents"]
    assert initiative["target_cents"] >= 5_000
    assert (initiative["target_cents"] > 500_000) == ("set_aside" in initiative)
    assert min(amounts) > 0
    assert all(line["description"] for line in initiative["budget"])


@every_initiative
def test_the_dates_fit_the_state(initiative: dict[str, Any]) -> None:
    state = initiative["state"]

    assert 30 <= initiative["deadline_days"] <= 300
    assert ("published_days_ago" in initiative) == (state not in NEVER_PUBLISHED)
    assert ("submitted_days_ago" in initiative) == (state in {"changes_requested", "rejected"})
    assert ("submitted_working_days_ago" in initiative) == (state == "submitted")
    if state == "published":
        assert initiative["published_days_ago"] < initiative["deadline_days"]
    if state == "expired":
        assert initiative["published_days_ago"] > initiative["deadline_days"]


@every_initiative
def test_what_ended_early_says_why_and_how_far_it_came(initiative: dict[str, Any]) -> None:
    state = initiative["state"]

    assert ("reason" in initiative) == (state in WITH_REASON)
    assert ("progress" in initiative) == (state in WITH_PROGRESS)
    assert 0 <= initiative.get("progress", 0) < 1
