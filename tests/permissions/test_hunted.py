# SPDX-License-Identifier: EUPL-1.2
"""What was found by hand, and what no table shows: borrowed desks, what is off the page, secrets in logs, hosts."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import select, text

from abs_platform import clock
from abs_platform.accounts.queries import user_of_session
from abs_platform.accounts.service import digest
from abs_platform.moderation.models import ChecklistTick
from tests.factories import SECRET_KEY
from tests.permissions.table import PHOTO, of
from tests.permissions.town import (
    ANONYMOUS,
    COORDINATOR,
    ELSEWHERE,
    FORMER,
    HERE,
    INITIATOR,
    OWN,
    PEOPLE,
    RESIDENT,
    STAND_IN,
    Town,
    filled,
)


def value(town: Town, query: str, **values: Any) -> Any:
    """One value of the database, as it is now."""
    return town.connection.scalar(text(query), values)


# -- who is whom ------------------------------------------------------------------------------------------------------


def test_an_absent_colleague_is_stood_in_for_by_her_stand_in_and_nobody_else(town: Town) -> None:
    here, elsewhere = town.factory.area_id(HERE), town.factory.area_id(ELSEWHERE)
    desks = {}
    for who in PEOPLE:
        if who != ANONYMOUS:
            token = town.tokens[who]
            user = user_of_session(town.session, token, digest(SECRET_KEY, "session", token), now=clock.now())
            assert user is not None
            desks[who] = user.desk_area_ids

    assert {who for who, areas in desks.items() if here in areas} == {
        OWN,
        STAND_IN,
        FORMER,
        "wijkregisseur who organises it",
    }
    assert desks[STAND_IN] == {here, elsewhere}
    assert desks["wijkregisseur of another district"] == {elsewhere}
    assert desks[COORDINATOR] == desks[RESIDENT] == frozenset()


def test_a_coordinator_does_not_make_herself_finance(town: Town) -> None:
    other = town.factory.account("tweede@gemeente.example", name="Tweede")
    path = town.path("staff.change", account_id=other.id)
    assert other.id
    town.session.execute(
        text("INSERT INTO staff_roles (account_id, role, granted_at) VALUES (:id, 'coordinator', now())"),
        {"id": other.id},
    )
    town.session.commit()
    own = town.path("staff.change", account_id=town.accounts[COORDINATOR].id)

    assert town.send(COORDINATOR, "POST", own, {"roles": "finance"}).status_code == 422
    assert town.send(COORDINATOR, "POST", path, {"roles": "finance"}).status_code == 303

    query = "SELECT role FROM staff_roles WHERE account_id = :id AND ended_at IS NULL"
    assert value(town, query, id=town.accounts[COORDINATOR].id) == "coordinator"
    assert value(town, query, id=other.id) == "finance"


def test_nobody_wipes_the_own_second_step_from_an_open_browser(town: Town) -> None:
    path = town.path("staff.reset_second_factor", account_id=town.accounts[COORDINATOR].id)

    answer = town.send(COORDINATOR, "POST", path)

    assert answer.status_code == 409
    assert town.rows() == town.before


# -- off the page is off the site -------------------------------------------------------------------------------------


def test_an_answer_to_a_hidden_question_is_read_nowhere(town: Town) -> None:
    hidden = {"decision": "hide", "reason": "Reclame."}
    assert (
        town.send(OWN, "POST", town.path("questions_regie.decide", post_id=town.ids["question"]), hidden).status_code
        == 303
    )

    for endpoint in ("questions.report", "questions.answer"):
        for name in ("question", "answer"):
            answer = town.send(RESIDENT, "GET", town.path(endpoint, post_id=town.ids[name]))
            assert answer.status_code == 404, f"{endpoint} of the {name}"
    for who in (ANONYMOUS, RESIDENT, INITIATOR):
        page = town.send(who, "GET", town.path("questions.index", initiative_id=town.ids["published"]))
        assert "Wanneer is het?" not in page.text
        assert "In mei." not in page.text


@pytest.mark.parametrize(
    "how", ["hidden by the desk", "taken away by the organisers", "thrown away before it was posted"]
)
def test_the_pictures_of_an_update_that_is_off_the_page_are_off_the_site(town: Town, how: str) -> None:
    ids = filled(of("published", update_id="{draft_update}"), town.ids)
    town.send(INITIATOR, "POST", town.path("updates.add_photo", **ids), {"picture": PHOTO, "alt_text": "Een plein"})
    if "before" not in how:
        assert town.send(INITIATOR, "POST", town.path("updates.post", **ids)).status_code == 303
    pictures = town.connection.execute(
        text("SELECT key, widths[1] FROM pictures WHERE update_id = :id AND removed_at IS NULL"),
        {"id": ids["update_id"]},
    ).all()
    addresses = [f"/media/{key}/{width}.jpg" for key, width in pictures]
    assert len(addresses) == 2
    assert [town.send(ANONYMOUS, "GET", address).status_code for address in addresses] == [200, 200]

    reason = {"reason": "Dit kan niet."}
    if "desk" in how:
        town.send(OWN, "POST", town.path("updates_regie.hide", update_id=ids["update_id"]), reason)
    else:
        town.send(INITIATOR, "POST", town.path("updates.remove", **ids), reason)

    assert [town.send(ANONYMOUS, "GET", address).status_code for address in addresses] == [404, 404]


def test_only_lines_that_are_on_the_checklist_can_be_ticked(town: Town) -> None:
    path = town.path("desk.checklist", initiative_id=town.ids["submitted"])

    town.send(OWN, "POST", path, {"shown": ["fixed.clear", "mine"], "ticked": ["fixed.clear", "mine"]})

    assert town.session.scalars(select(ChecklistTick.key)).all() == ["fixed.clear"]


# -- mails and logs ---------------------------------------------------------------------------------------------------


def test_no_link_in_a_mail_carries_the_host_of_a_request(town: Town) -> None:
    evil = {"Host": "kwaad.example", "X-Forwarded-Host": "kwaad.example", "Forwarded": "host=kwaad.example"}
    assert (
        town.send(ANONYMOUS, "POST", "/inloggen", {"email": "rita@voorbeeld.example"}, headers=evil).status_code == 303
    )
    message = {"message": "Horen we al iets?"}
    path = town.path("conversation.say", initiative_id=town.ids["submitted"])
    assert town.send(INITIATOR, "POST", path, message, headers=evil).status_code == 303

    mails = town.connection.execute(text("SELECT text_body, html_body, message_id FROM outgoing_mails")).all()

    assert len(mails) >= 2
    assert not [mail for mail in mails if "kwaad.example" in "".join(map(str, mail))]


def test_a_text_that_looks_like_our_mark_in_a_mail_gets_nobody_s_key(town: Town) -> None:
    ids = filled(of("published", update_id="{draft_update}"), town.ids)
    form = {"title": "Nieuws 0-lezer-0", "body": "Kijk op https://kwaad.example/0-lezer-0 en 0-0-0"}
    town.send(INITIATOR, "POST", town.path("updates.save", **ids), form)

    town.send(INITIATOR, "POST", town.path("updates.post", **ids))

    mail = value(town, "SELECT html_body FROM outgoing_mails WHERE event LIKE 'update:%'")
    assert "kwaad.example/0-lezer-0" in mail
    assert not re.search(r"0-[0-9a-f]{32}-0", mail), "the mark was not replaced"


def test_the_log_of_signing_in_holds_no_secret(town: Town, caplog: pytest.LogCaptureFixture, capfd: Any) -> None:
    caplog.set_level("DEBUG")
    asked = town.send(ANONYMOUS, "POST", "/inloggen", {"email": "rita@voorbeeld.example", "volgende": "/account/adres"})
    cookie = re.match(r"session=[^;]+", asked.headers["Set-Cookie"])
    assert cookie
    mail = value(town, "SELECT text_body FROM outgoing_mails ORDER BY id DESC LIMIT 1")
    code = re.search(r"\b(\d{3} ?\d{3})\b", mail)
    token = re.search(r"/inloggen/link/([\w-]+)", mail)
    assert code
    assert token
    town.send(ANONYMOUS, "GET", f"/inloggen/link/{token[1]}", cookie=cookie[0])
    page = town.send(ANONYMOUS, "GET", "/inloggen/code", cookie=cookie[0])
    csrf = re.search(r'name="csrf_token"\s+value="([^"]+)"', page.text)
    again = re.match(r"session=[^;]+", page.headers.get("Set-Cookie", "")) or cookie
    assert csrf
    for typed in ("000000", code[1]):
        form = {"code": typed, "csrf_token": csrf[1]}
        signed_in = town.send(ANONYMOUS, "POST", "/inloggen/code", form, cookie=again[0], with_csrf=False)
    assert signed_in.status_code == 303
    session = re.search(r"session=([^;]+)", signed_in.headers["Set-Cookie"])
    assert session
    town.send(OWN, "POST", "/inloggen/tweede-stap", {"code": "918273"})
    town.send(OWN, "POST", "/inloggen/tweede-stap/herstelcode", {"recovery_code": "7KQJ-4MXP-9T2C-VH3B"})
    town.send(OWN, "POST", "/inloggen/tweede-stap/passkey", {"credential": '{"id": "geheim-antwoord"}'})
    town.send(ANONYMOUS, "GET", "/inloggen/gemeente/terug?state=geheime-staat&code=geheime-code")

    out, err = capfd.readouterr()
    logged = "\n".join([out, err, caplog.text, *(str(record.__dict__) for record in caplog.records)])

    assert "/inloggen/code" in logged, "nothing was logged"
    secrets = [code[1], code[1].replace(" ", ""), token[1], session[1], "rita@voorbeeld.example", town.tokens[OWN]]
    secrets += ["918273", "7KQJ-4MXP-9T2C-VH3B", "7KQJ4MXP9T2CVH3B", "geheim-antwoord", "geheime-staat", "geheime-code"]
    assert not [secret for secret in secrets if secret in logged]


def test_a_cookie_from_before_signing_in_is_worth_nothing_afterwards(town: Town) -> None:
    planted = town.cookie(ANONYMOUS)
    assert town.send(ANONYMOUS, "GET", "/account", cookie=planted).status_code == 302

    town.send(ANONYMOUS, "POST", "/inloggen", {"email": "rita@voorbeeld.example"}, cookie=planted)

    assert town.send(ANONYMOUS, "GET", "/account", cookie=planted).status_code == 302
    for token in ("", "x", "1", str(town.ids["session"]), "\x00", "é", "x" * 5_000):
        assert (
            town.send(RESIDENT, "GET", "/account", cookie=town.cookie(RESIDENT, token=token or " ")).status_code == 302
        )


def test_signing_out_ends_the_session_itself(town: Town) -> None:
    stolen = town.cookie(RESIDENT)
    assert town.send(RESIDENT, "GET", "/account", cookie=stolen).status_code == 200

    town.send(RESIDENT, "POST", "/uitloggen")

    assert town.send(RESIDENT, "GET", "/account", cookie=stolen).status_code == 302
