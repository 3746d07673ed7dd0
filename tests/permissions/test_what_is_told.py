# SPDX-License-Identifier: EUPL-1.2
"""What every page tells to everybody: who gave, what is not decided yet, and where people live."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from flask import Flask
from sqlalchemy import text

from abs_platform.accounts.models import Account
from tests.permissions.table import COORDINATORS, DESK, LOOKERS, ORGANISERS
from tests.permissions.test_hostile_texts import pages
from tests.permissions.test_object_routes import routes
from tests.permissions.town import (
    ANONYMOUS,
    COORDINATOR,
    DRAFT_REASON,
    FINANCE,
    GIVER_EMAIL,
    HELPER,
    INITIATOR,
    NOTE,
    OWN,
    PEOPLE,
    POSTCODES,
    RECEIPT_NAME,
    RESIDENT,
    TORN,
    Town,
    filled,
)

SAME_FOR_ALL = {"static", "media.picture", "illustrations.show", "app.style"}
# These look at nobody's account.
SAME_FOR_ALL |= {"map.points", "news.feed", "agenda.calendar"}


@dataclass(frozen=True)
class Told:
    """An answer that somebody got."""

    who: str
    endpoint: str
    path: str
    status: int
    body: str
    headers: dict[str, str]


@pytest.fixture(scope="module")
def told(arranged: Town) -> list[Told]:
    """Every page, as everybody gets it."""
    found = []
    own_pages = {
        "accounts.data",
        "accounts.download",
        "accounts.home",
        "accounts.devices",
        "api.initiatives",
        "mail.index",
    }
    addresses = {
        (endpoint, arranged.path(endpoint, **filled(entry.args, arranged.ids)))
        for endpoint, entry in pages()
        if routes(arranged.app)[endpoint] == {"GET"}
    }
    addresses |= {(endpoint, arranged.path(endpoint)) for endpoint in own_pages}
    for endpoint, path in sorted(addresses):
        for who in PEOPLE:
            answer = arranged.send(who, "GET", path)
            if answer.status_code == 301:
                answer = arranged.send(who, "GET", answer.location)
            headers = {name.lower(): value for name, value in answer.headers.items()}
            body = answer.text if "html" in headers["content-type"] or "json" in headers["content-type"] else ""
            found.append(Told(who, endpoint, path, answer.status_code, body, headers))
    return found


def who_reads(told: list[Told], words: str) -> dict[str, set[str]]:
    """The people who read these words somewhere, and where. The demo shows its mails to all."""
    found: dict[str, set[str]] = {}
    for one in told:
        if words in one.body and not one.endpoint.startswith(("mail.", "demo.")):
            found.setdefault(one.who, set()).add(one.endpoint)
    return found


def test_every_page_was_looked_at_by_everybody(told: list[Told]) -> None:
    assert len(told) > 900
    assert {one.who for one in told if one.status == 200} == set(PEOPLE)
    assert not [one for one in told if one.status >= 500]


def test_nobody_reads_who_gave(told: list[Told]) -> None:
    assert who_reads(told, GIVER_EMAIL) == {}
    assert who_reads(told, GIVER_EMAIL.partition("@")[0]) == {}


def test_a_decision_that_is_not_given_is_read_at_its_desk_alone(told: list[Told]) -> None:
    found = who_reads(told, DRAFT_REASON)

    assert set(found) == DESK
    assert found[OWN] <= {"desk.show", "deciding.preview", "accounts.data", "accounts.download"}
    assert set.union(*(found[who] for who in DESK - {OWN})) <= {"desk.show"}


def test_a_note_is_read_by_staff_who_may_look_alone(told: list[Told]) -> None:
    found = who_reads(told, NOTE)

    assert set(found) == LOOKERS
    assert set.union(*found.values()) <= {"desk.show", "accounts.data", "accounts.download"}


def test_a_receipt_is_named_to_its_organisers_and_its_desk_alone(told: list[Told]) -> None:
    assert set(who_reads(told, RECEIPT_NAME)) <= ORGANISERS | DESK


def test_a_receipt_is_served_from_no_public_address(town: Town, told: list[Told]) -> None:
    for name in ("receipt_key", "sent_receipt_key", "their_receipt_key"):
        key = town.ids[name]
        for who in PEOPLE:
            for width in (1, 300, 480):
                for extension in ("jpg", "webp"):
                    assert town.send(who, "GET", f"/media/{key}/{width}.{extension}").status_code == 404
        assert not [one for one in told if key in one.body]


def test_the_address_of_an_organiser_is_read_by_colleagues_and_the_desk_alone(town: Town, told: list[Told]) -> None:
    address = town.accounts[INITIATOR].email or ""

    found = who_reads(told, address)

    assert set(found) <= ORGANISERS | LOOKERS
    public = {"initiatives.show", "initiatives.index", "questions.index", "updates.public_index", "pages.home"}
    assert not set.union(*found.values()) & {*public, "donations.receipt", "invitations.show", "api.initiatives"}


def test_where_an_organiser_lives_is_read_by_no_stranger(told: list[Told]) -> None:
    for postcode in POSTCODES:
        for written in (postcode, f"{postcode[:4]} {postcode[4:]}", f"{postcode[:4]}\u00a0{postcode[4:]}"):
            found = who_reads(told, written)
            assert set(found) <= ORGANISERS, f"{written}: {found}"


def test_who_offered_help_is_known_to_the_organisers_alone(town: Town, told: list[Told]) -> None:
    assert set(who_reads(told, town.accounts[HELPER].email or "")) <= {HELPER, INITIATOR} | ORGANISERS | {
        "organiser of another"
    }


def test_the_own_data_of_somebody_are_of_nobody_else(town: Town, told: list[Told]) -> None:
    accounts: dict[str, Account] = town.accounts
    for one in told:
        if one.endpoint in {"accounts.data", "accounts.download"} and one.who != ANONYMOUS:
            others = {account.email for who, account in accounts.items() if who != one.who}
            assert not [address for address in others if address and address in one.body], one.who
            assert GIVER_EMAIL not in one.body


def test_no_page_of_somebody_who_is_signed_in_is_kept_by_a_cache(told: list[Told]) -> None:
    kept = {
        (one.endpoint, one.headers.get("cache-control"))
        for one in told
        if one.who != ANONYMOUS and "no-store" not in one.headers.get("cache-control", "") and one.status != 301
    }

    assert {endpoint for endpoint, _control in kept} <= {*SAME_FOR_ALL, "api.initiatives"}


def test_no_page_stands_in_a_frame_or_is_guessed_at(told: list[Told]) -> None:
    for one in told:
        assert one.headers["x-frame-options"] == "DENY", one.path
        assert "frame-ancestors 'none'" in one.headers["content-security-policy"], one.path
        assert one.headers["x-content-type-options"] == "nosniff", one.path
        assert "unsafe" not in one.headers["content-security-policy"], one.path


def test_an_error_says_nothing_of_how_it_is_made(told: list[Told], app: Flask) -> None:
    for one in told:
        for word in ("Traceback", "sqlalchemy", "psycopg", "werkzeug", app.root_path):
            assert word not in one.body, one.path
        assert "Werkzeug" not in one.headers.get("server", "")


def test_the_mails_of_a_draft_decision_are_none(town: Town) -> None:
    query = "SELECT count(*) FROM outgoing_mails WHERE text_body LIKE :words OR html_body LIKE :words"
    logged = "SELECT count(*) FROM events e WHERE e::text LIKE :words"

    for words in (f"%{DRAFT_REASON}%", f"%{NOTE}%"):
        assert town.connection.scalar(text(query), {"words": words}) == 0
        assert town.connection.scalar(text(logged), {"words": words}) == 0


def test_finance_and_residents_see_nothing_of_the_desk(told: list[Told]) -> None:
    for one in told:
        if one.who in {FINANCE, RESIDENT} and one.path.startswith(("/regie", "/beheer")):
            is_receipt = one.endpoint == "accountability_regie.receipt" and one.who == FINANCE
            assert is_receipt or one.status in {403, 404}, f"{one.who}: {one.path} {one.status}"


def test_only_the_coordinator_sees_who_works_here(told: list[Told]) -> None:
    read = {one.who for one in told if one.path.startswith("/beheer") and one.status == 200}

    assert read == COORDINATORS
    assert COORDINATOR in COORDINATORS
    assert TORN not in read
