# SPDX-License-Identifier: EUPL-1.2
"""What somebody sends who means harm: other people's numbers, fields that are not in a form, values of no kind."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text
from werkzeug.test import TestResponse

from abs_platform.security import access_of
from tests.permissions.table import BY_TOKEN, FOR_ALL, PHOTO, TABLE, WHEN_PUBLISHED, Entry, of
from tests.permissions.test_object_routes import entries, routes
from tests.permissions.town import (
    ANONYMOUS,
    COORDINATOR,
    FINANCE,
    INITIATOR,
    OWN,
    RESIDENT,
    SIGN_IN_LINK,
    STAND_IN,
    Town,
    filled,
)

REFUSALS = {400, 403, 404, 409, 422}
EVIL = "https://kwaad.example"


def forms(town: Town) -> list[tuple[str, Entry]]:
    """The routes of the table that take a form."""
    return [(endpoint, entry) for endpoint, entry in entries() if routes(town.app)[endpoint] == {"POST"}]


# Forms that are about no object, or about the own account.
PLAIN_FORMS: dict[str, tuple[str, dict[str, str]]] = {
    "/account/gegevens": (RESIDENT, {"name": "Rita"}),
    "/account/welkom": (RESIDENT, {"name": "Rita", "volgende": "/account"}),
    "/account/adres": (RESIDENT, {"code": "AAAA-AAAA-AAAA"}),
    "/voucher/waar": (ANONYMOUS, {"code": "AAAA-AAAA-AAAA"}),
    "/voucher/waar/bezwaar": (ANONYMOUS, {"code": "AAAA-AAAA-AAAA"}),
    "/balie": (OWN, {"code": "AAAA-AAAA-AAAA", "number": "12", "seen": "12", "form_key": "x", "stack": "1"}),
    "/balie/nieuwe-brief": (OWN, {"postcode": "7607 AB", "house_number": "12"}),
    "/initiatieven/nieuw": (RESIDENT, {"title": "Plan", "theme": "green", "summary": "Kort"}),
    "/inloggen": (ANONYMOUS, {"email": "x@voorbeeld.example", "volgende": "/account"}),
    "/inloggen/code": (ANONYMOUS, {"code": "123456"}),
    "/inloggen/tweede-stap": (OWN, {"code": "123456", "volgende": "/regie"}),
    "/inloggen/tweede-stap/herstelcode": (OWN, {"recovery_code": "7KQJ-4MXP-9T2C-VH3B"}),
    "/inloggen/tweede-stap/passkey": (OWN, {"credential": "{}"}),
    "/inloggen/gemeente/terug": (ANONYMOUS, {"state": "x", "code": "x"}),
    "/account/tweede-stap/app": (OWN, {"code": "123456"}),
    "/account/tweede-stap/passkeys": (OWN, {"credential": "{}", "name": "Sleutel"}),
    "/beheer/gebruikers/nieuw": (
        COORDINATOR,
        {"email": "nieuw@gemeente.example", "name": "Nieuw", "roles": "coordinator", "desks": ""},
    ),
    "/beheer/regels/vraag/nieuw": (COORDINATOR, {"text": "Is er muziek?", "help": ""}),
    "/regie/afwezigheid": (
        STAND_IN,
        {"starts_on": "2999-01-01", "ends_on": "2999-01-02", "stand_in_id": "1"},
    ),
    "/voucher": (ANONYMOUS, {"code": "AAAA-AAAA-AAAA", "initiatief": "1"}),
    "/voucher/geven": (
        ANONYMOUS,
        {"code": "AAAA-AAAA-AAAA", "initiative_id": "1", "giver_name": "x", "giver_email": "x@y.nl", "message": "x"},
    ),
}


def first_of(entry: Entry) -> str:
    """Somebody who may."""
    return min(entry.may, key=lambda who: (who != INITIATOR, who != OWN, who))


def post(town: Town, endpoint: str, entry: Entry, form: Any = None, **options: Any) -> TestResponse:
    """The form of a route, as somebody who may send it."""
    path = town.path(endpoint, **filled(entry.args, town.ids))
    return town.send(first_of(entry), "POST", path, filled(entry.form, town.ids) if form is None else form, **options)


# -- somebody else's numbers under an address of my own ---------------------------------------------------------------

_ORGANISE = INITIATOR
FOREIGN: list[tuple[str, str, str, dict[str, Any], dict[str, Any]]] = [
    # who, method, endpoint, arguments, form
    *(
        (_ORGANISE, "POST", "submitting.change", of("draft", picture_id=picture), form)
        for picture in (
            "{their_picture}",
            "{their_live_picture}",
            "{their_update_picture}",
            "{their_receipt}",
            "{photo}",
        )
        for form in ({"doe": "weg"}, {"doe": "omhoog"}, {f"alt-{picture}": "Van mij"})
    ),
    *(  # of my own initiative, but none of its own pictures: these have rules of their own
        (_ORGANISE, "POST", "submitting.change", of(where, picture_id=picture), form)
        for where, picture in (
            ("running", "{receipt}"),
            ("running", "{photo}"),
            ("accounted", "{sent_receipt}"),
            ("accounted", "{sent_photo}"),
            ("published", "{update_picture}"),
        )
        for form in ({"doe": "weg"}, {"doe": "omhoog"}, {f"alt-{picture}": "Van mij"})
    ),
    *(
        (_ORGANISE, "POST", "submitting.save_people", of("draft"), {"audience": "", "version": "1", "naar": naar})
        for naar in ("weg-{their_organiser}", "opnieuw-{their_organiser}", "weg-{my_organiser}", "weg-0", "weg-x")
    ),
    *(
        (_ORGANISE, method, endpoint, of("published", update_id=update), form)
        for update in ("{their_draft_update}", "{their_update}")
        for method, endpoint, form in (
            ("GET", "updates.edit", {}),
            ("POST", "updates.save", {"title": "Van mij", "body": "Van mij"}),
            ("POST", "updates.post", {}),
            ("GET", "updates.ask_remove", {}),
            ("POST", "updates.remove", {"reason": "Weg"}),
            ("POST", "updates.add_photo", {"picture": PHOTO, "alt_text": "Van mij"}),
        )
    ),
    *(
        (
            _ORGANISE,
            "POST",
            "updates.change_photo",
            of("published", update_id="{draft_update}", picture_id=picture),
            form,
        )
        for picture in ("{their_update_picture}", "{live_picture}", "{picture}", "{their_live_picture}")
        for form in ({"remove": "1"}, {f"alt-{picture}": "Van mij"})
    ),
    *(
        (_ORGANISE, "POST", "help_offers.answer", of("published", offer_id="{their_offer}"), {"answer": answer})
        for answer in ("accept", "thank")
    ),
    (RESIDENT, "GET", "help_offers.offer", of("published", need_id="{their_need}"), {}),
    (RESIDENT, "POST", "help_offers.make", of("published", need_id="{their_need}"), {"note": "Hoi"}),
    *(
        (_ORGANISE, "POST", "accountability.change_photo", of("running", picture_id=picture), form)
        for picture in ("{their_photo}", "{sent_photo}", "{receipt}", "{live_picture}", "{their_receipt}")
        for form in ({"remove": "1"}, {f"alt-{picture}": "Van mij"})
    ),
    *(
        (_ORGANISE, method, endpoint, of("running", picture_id=picture), {})
        for picture in ("{their_receipt}", "{sent_receipt}", "{photo}", "{their_photo}", "{live_picture}")
        for method, endpoint in (("GET", "accountability.receipt"), ("POST", "accountability.remove_receipt"))
    ),
    *(
        (_ORGANISE, method, endpoint, of("running", position=99), form)
        for method, endpoint, form in (
            ("GET", "accountability.cost", {}),
            ("POST", "accountability.save_cost", {"actual": "1", "no_receipt_reason": "Weg"}),
            ("POST", "accountability.remove_cost", {}),
        )
    ),
    *(
        (OWN, "GET", "accountability_regie.receipt", of("accounted", picture_id=picture), {})
        for picture in ("{their_receipt}", "{receipt}", "{sent_photo}", "{live_picture}")
    ),
    # What was not sent yet is of its organisers alone.
    (OWN, "GET", "accountability_regie.receipt", of("running", picture_id="{receipt}"), {}),
    (OWN, "GET", "accountability_regie.review", of("running"), {}),
    (OWN, "GET", "deciding.decided", of("published", decision_id="{their_decision}"), {}),
    *(
        (OWN, "POST", "deciding.write", of("submitted"), {"kind": "hand_over", "reason": "x", "to_area_id": area})
        for area in ("{neighbourhood}", "0", "999999999999", "x")
    ),
    (OWN, "POST", "staff.remove_absence", {"absence_id": "{their_absence}"}, {}),
    (
        COORDINATOR,
        "POST",
        "staff.remove_absence_of",
        {"account_id": "{manager_elsewhere}", "absence_id": "{absence}"},
        {},
    ),
    *(
        (COORDINATOR, method, endpoint, {"account_id": "{resident}"}, form)
        for method, endpoint, form in (
            ("GET", "staff.edit", {}),
            ("POST", "staff.change", {"roles": "coordinator"}),
            ("POST", "staff.end", {}),
            ("POST", "staff.reset_second_factor", {}),
            ("GET", "staff.absence_of", {}),
            (
                "POST",
                "staff.add_absence_of",
                {"starts_on": "2999-01-01", "ends_on": "2999-01-02", "stand_in_id": "{account}"},
            ),
        )
    ),
    (COORDINATOR, "POST", "staff.change", {"account_id": "{account}"}, {"roles": ["finance", "coordinator"]}),
    (COORDINATOR, "POST", "staff.change", {"account_id": "{account}"}, {"roles": "mayor"}),
    (
        *(COORDINATOR, "POST", "staff.change", {"account_id": "{account}"}),
        {"roles": "district_manager", "desks": "{neighbourhood}"},
    ),
]


@pytest.fixture(scope="module")
def numbered(arranged: Town) -> Town:
    """The town, with the numbers of more objects."""
    one = arranged.connection.scalar
    of_initiative = "SELECT id FROM organisers WHERE initiative_id = :id AND role = :role ORDER BY id LIMIT 1"
    arranged.ids["their_organiser"] = one(
        text(of_initiative), {"id": arranged.ids["their_draft"], "role": "co_organiser"}
    )
    arranged.ids["my_organiser"] = one(text(of_initiative), {"id": arranged.ids["draft"], "role": "initiator"})
    arranged.ids["neighbourhood"] = arranged.factory.area_id("BU01411900")
    arranged.session.close()
    arranged.ids["resident"] = arranged.accounts[RESIDENT].id
    # Another's absence, long from now.
    arranged.ids["their_absence"] = one(
        text(
            "INSERT INTO absences (account_id, stand_in_id, starts_on, ends_on) "
            "VALUES (:one, :other, '2999-01-01', '2999-01-05') RETURNING id"
        ),
        {"one": arranged.ids["manager_elsewhere"], "other": arranged.accounts[STAND_IN].id},
    )
    arranged.before = arranged.rows()
    return arranged


@pytest.mark.parametrize("case", FOREIGN, ids=lambda case: " ".join(map(str, case)))
def test_what_is_of_somebody_else_cannot_be_reached_from_my_own_page(
    numbered: Town, town: Town, case: tuple[str, str, str, dict[str, Any], dict[str, Any]]
) -> None:
    who, method, endpoint, args, form = case
    sent = filled({name: value for name, value in form.items() if isinstance(value, str | tuple)}, town.ids)
    sent |= {name: value for name, value in form.items() if isinstance(value, list)}

    answer = town.send(who, method, town.path(endpoint, **filled(args, town.ids)), sent if method == "POST" else None)

    written = endpoint == "deciding.write" and answer.status_code == 422  # the draft itself is her own, and kept
    assert answer.status_code in REFUSALS, f"{answer.status} {answer.location}"
    assert written or town.rows() == town.before


# -- fields that are not in the form ----------------------------------------------------------------------------------

_NAMES = (
    "state status role roles voice purpose account_id author_id user_id made_by_id by_id handler_id initiative_id id "
    "update_id desk_area_id area_id desks target_cents amount_cents planned_cents raised_cents is_staff published_at "
    "submitted_at confirmed_at posted_at second_factor_at has_second_factor address_verified_at deleted_at is_public "
    "recipient_ids recipient_count is_active email"
)
_VALUES = {
    "state": "published",
    "role": "coordinator",
    "roles": "coordinator",
    "voice": "official",
    "purpose": "receipt",
    "email": "kwaad@voorbeeld.example",
}
EXTRA = dict.fromkeys(_NAMES.split(), "1") | _VALUES
# What such fields could touch: without numbers that count up, and moments as whether there is one.
PROTECTED = {
    "initiatives": "id, state, target_cents, area_id, desk_area_id, handler_id, has_questions, published_at",
    "organisers": "initiative_id, account_id, role, email, name, confirmed_at IS NULL, address_verified_at IS NULL",
    "accounts": "id, email, name, deleted_at IS NULL",
    "staff_roles": "account_id, role, ended_at IS NULL",
    "desk_assignments": "account_id, area_id",
    "account_sessions": "account_id, method, ended_at IS NULL, second_factor_at IS NULL",
    "initiative_proposals": "initiative_id, content, saved_by_id, sent_at IS NULL",
    "initiative_updates": "initiative_id, author_id, state, title, body, posted_at IS NULL, recipient_count",
    "question_posts": "initiative_id, question_id, voice, author_id, body, hidden_by_id",
    "help_offers": "initiative_id, account_id, kind, need, state, answered_by_id",
    "pictures": "initiative_id, update_id, purpose, uploaded_by_id, alt_text, removed_at IS NULL",
    "accountabilities": "initiative_id, state, story, saved_by_id, decided_by_id",
    "accountability_costs": "initiative_id, position, description, planned_cents, actual_cents",
    "decision_drafts": "initiative_id, author_id, desk_area_id, kind, reason, to_area_id",
    "decisions": "initiative_id, kind, reason, desk_area_id, decided_by_id, recipient_ids",
    "desk_messages": "initiative_id, side, author_id, text, handled_by_id",
    "rule_overrides": "initiative_id, rule, given_by_id",
    "outgoing_mails": "recipient, subject, state",
}


def protected(town: Town) -> dict[str, list[Any]]:
    """What nobody may set by a field of the own making."""
    return {
        table: sorted(map(str, town.connection.execute(text(f"SELECT {columns} FROM {table}"))))
        for table, columns in PROTECTED.items()
    }


def test_a_field_that_is_not_in_the_form_sets_nothing(town: Town) -> None:
    differ = {}
    for endpoint, entry in forms(town):
        own = filled(entry.form, town.ids)
        extra = {
            name: value for name, value in EXTRA.items() if name not in own and name not in ALSO_READ.get(endpoint, ())
        }
        with town.undone():
            post(town, endpoint, entry)
            plain = protected(town)
        with town.undone():
            post(town, endpoint, entry, own | extra)
            if protected(town) != plain:
                differ[endpoint] = own

    assert not differ


# Fields of these forms themselves, that the entry of the table leaves out.
ALSO_READ = {"staff.change": {"desks"}}


# -- no token, another site -------------------------------------------------------------------------------------------


def test_no_form_is_taken_without_its_token(town: Town) -> None:
    of_another_browser = {"csrf_token": town.csrf_field("the token in the cookie of another browser")}
    taken = set()
    for endpoint, entry in forms(town):
        own = filled(entry.form, town.ids)
        for form in (own, own | {"csrf_token": "x"}, own | of_another_browser):
            answer = post(town, endpoint, entry, form, with_csrf=False)
            if answer.status_code != 400:
                taken.add((endpoint, answer.status_code))

    assert not taken
    assert town.rows() == town.before


FROM_ELSEWHERE = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": EVIL},
    {"Origin": "null"},
]


@pytest.mark.parametrize("headers", FROM_ELSEWHERE, ids=str)
def test_no_form_is_taken_from_another_site(town: Town, headers: dict[str, str]) -> None:
    taken = {
        (endpoint, answer.status_code)
        for endpoint, entry in forms(town)
        if (answer := post(town, endpoint, entry, headers=headers)).status_code != 403
    }

    assert not taken
    assert town.rows() == town.before


def test_no_form_about_no_object_is_taken_without_its_token_or_from_another_site(town: Town) -> None:
    who_enters = {"public": ANONYMOUS, "resident": OWN, "staff:coordinator": COORDINATOR, "staff:finance": FINANCE}
    who_enters["staff:coordinator,desk"] = COORDINATOR
    taken = {}
    for rule in town.app.url_map.iter_rules():
        access = access_of(town.app, rule.endpoint) or ""
        if rule.arguments or "POST" not in (rule.methods or ()) or rule.endpoint in STATELESS:
            continue
        who = who_enters.get(access, OWN)
        answers = [
            town.send(who, "POST", rule.rule, {}, with_csrf=False).status_code,
            *(town.send(who, "POST", rule.rule, {}, headers=headers).status_code for headers in FROM_ELSEWHERE),
        ]
        if answers != [400, 403, 403, 403, 403]:
            taken[rule.endpoint] = answers

    assert not taken
    assert town.rows() == town.before
    assert town.send(RESIDENT, "GET", "/uitloggen").status_code == 405


# These know no session: giving a voucher by its code, the API, and the webhook, which takes what is signed only.
STATELESS = {"vouchers.check", "vouchers.give", "api.voucher_donations", "payments_webhook.stripe"}


# -- values of no kind ------------------------------------------------------------------------------------------------

LONG = "x" * 100_000
STRANGE = {
    "empty": "",
    "zero": "0",
    "below zero": "-1",
    "far too large": str(2**64),
    "a huge number": "9" * 5_000,
    "a NUL": "a\x00b",
    "long": LONG,
    "not a number": "NaN",
    "digits of another script": "\u0663\u0664",
    "a line end": "a\r\nBcc: x@kwaad.example",
    "turned": "\u202eabc\u2066",
    "a last day": "9999-12-31",
}
# Of all fields at once only the first that is wrong is looked at in some forms.
ONE_BY_ONE = {STRANGE[name] for name in ("a NUL", "far too large")}


@pytest.mark.parametrize("value", STRANGE.values(), ids=STRANGE.keys())
def test_no_value_in_a_form_breaks_anything(town: Town, value: str) -> None:
    broken = []
    for endpoint, entry in forms(town):
        own = filled(entry.form, town.ids)
        texts = [name for name, sent in own.items() if isinstance(sent, str)]
        tries = [own | dict.fromkeys(texts, value)] if texts else []
        if len(texts) > 1 and value in ONE_BY_ONE:
            tries += [own | {name: value} for name in texts]
        for form in tries:
            with town.undone():
                answer = post(town, endpoint, entry, form)
            if answer.status_code >= 500:
                broken.append((endpoint, {name: str(sent)[:20] for name, sent in form.items()}))

    assert not broken


@pytest.mark.parametrize("value", sorted(ONE_BY_ONE | {"", LONG}), ids=lambda value: repr(value[:9]))
@pytest.mark.parametrize(("path", "who", "form"), [(path, *rest) for path, rest in PLAIN_FORMS.items()])
def test_no_value_breaks_a_form_about_no_object(
    town: Town, path: str, who: str, form: dict[str, str], value: str
) -> None:
    for changed in (
        dict.fromkeys(form, value),
        *(form | {name: value} for name in form),
        {name: [value] * 2 for name in form},
    ):
        with town.undone():
            assert town.send(who, "POST", path, changed).status_code < 500, changed


def test_a_form_may_miss_or_repeat_any_field(town: Town) -> None:
    broken = []
    for endpoint, entry in forms(town):
        own = filled(entry.form, town.ids)
        repeated = {name: [value, value] for name, value in own.items() if isinstance(value, str)}
        # A file where a text is asked, and a text where a file is asked.
        swapped = {name: (b"abc", "x.txt") if isinstance(value, str) else "abc" for name, value in own.items()}
        tries: list[dict[str, Any]] = [{}, repeated, swapped]
        for form in tries:
            with town.undone():
                answer = post(town, endpoint, entry, form)
            if answer.status_code >= 500:
                broken.append((endpoint, list(form)))

    assert not broken


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b'{"reason": "x", "kind": "publish"}'),
        ("text/plain", b"reason=x"),
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n'),
        ("application/x-www-form-urlencoded", b"%ff%fe=%00&a=%u1234&&&===;;"),
        ("application/x-www-form-urlencoded; charset=utf-7", b"a=+ADw-script+AD4-"),
        ("", b"\x00\xff"),
    ],
    ids=str,
)
def test_a_body_of_another_kind_breaks_nothing(town: Town, content_type: str, body: bytes) -> None:
    broken, token = [], {"X-CSRFToken": town.csrf_field()}
    for endpoint, entry in forms(town):
        with town.undone():
            answer = post(town, endpoint, entry, body, content_type=content_type, headers=token)  # type: ignore[arg-type]
        if answer.status_code >= 500:
            broken.append((endpoint, answer.status_code))

    assert not broken


# Version 0 of a text is the one that comes with the platform: that may be put back.
ALLOWED = ("site_texts_desk.put_back", "version", "0")
NUMBERS = ["0", "-1", str(2**63 - 1), str(2**64), "abc", "1%00"]


def test_no_number_in_an_address_breaks_anything(town: Town) -> None:
    public = {**WHEN_PUBLISHED, **BY_TOKEN, "mail.show": {"mail_id": "1"}}
    tried = {endpoint: Entry(may=frozenset({ANONYMOUS}), args=args) for endpoint, args in public.items()}
    tried |= dict(reversed(list(entries())))
    broken = []
    for endpoint, entry in tried.items():
        (method,) = routes(town.app)[endpoint]
        args = filled(entry.args, town.ids)
        for name in args:
            try:
                path = town.path(endpoint, **args | {name: "987654321"})
            except ValueError:  # one of a few words: nothing else is built
                continue
            for number in NUMBERS:
                if (endpoint, name, number) == ALLOWED:
                    continue
                answer = town.send(
                    first_of(entry), method, path.replace("987654321", number), {} if method == "POST" else None
                )
                if answer.status_code >= 500 or (answer.status_code < 300 and method == "POST"):
                    broken.append((endpoint, name, number, answer.status_code))

    assert not broken
    assert town.rows() == town.before


QUERIES = (
    "pagina",
    "zoek",
    "status",
    "wijk",
    "balie",
    "soort",
    "wie",
    "laat",
    "initiatief",
    "volgende",
    "nummer",
    "stapel",
    "state",
)
QUERIES += ("code", "iss", "error", "uitgelogd", "state", "aan", "v", "c")


@pytest.mark.parametrize("value", sorted(ONE_BY_ONE | {"", LONG}), ids=lambda value: repr(value[:9]))
def test_no_query_breaks_a_page(town: Town, value: str) -> None:
    broken = []
    query = dict.fromkeys(QUERIES, value[:5000])
    for endpoint, methods in routes(town.app).items():
        if methods != {"GET"} or endpoint in {
            *FOR_ALL,
            "pages.readyz",
            *BY_TOKEN,
            "mail.show",
            "flyers.poster",
            "flyers.flyer",
        }:
            continue
        found = TABLE.get(endpoint, Entry(may=frozenset({COORDINATOR, OWN}), args=WHEN_PUBLISHED.get(endpoint, {})))
        entry = found if isinstance(found, Entry) else found[0]
        path = town.path(endpoint, **filled(entry.args, town.ids))
        for who in (
            {first_of(entry), COORDINATOR} if endpoint.startswith(("desk.", "exceptions.")) else {first_of(entry)}
        ):
            answer = town.send(who, "GET", path, query_string=query)
            if answer.status_code >= 500:
                broken.append((endpoint, who, answer.status_code))

    assert not broken


# -- where one is led -------------------------------------------------------------------------------------------------

ELSEWHERE = [
    *(
        "https://kwaad.example",
        "//kwaad.example",
        "/\\kwaad.example",
        "\\\\kwaad.example",
        "///kwaad.example",
        "https:kwaad.example",
    ),
    *(
        "/\t/kwaad.example",
        "/\n/kwaad.example",
        " //kwaad.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "//kwaad.example/%2f..",
    ),
    *(
        "http:///kwaad.example",
        "/%5ckwaad.example\\",
        "@kwaad.example",
        "account@kwaad.example",
        "\x00//kwaad.example",
        "\u2028//kwaad.example",
    ),
    *(
        "////kwaad.example",
        "https://localhost@kwaad.example",
        "https://localhost.kwaad.example",
        "/" + "a" * 600,
        "\u3000//kwaad.example",
    ),
]


@pytest.mark.parametrize("place", ELSEWHERE)
def test_nobody_is_led_to_another_site(town: Town, place: str) -> None:
    town.before = town.rows()
    for who, method, path, form in (
        (RESIDENT, "GET", "/inloggen", None),
        (RESIDENT, "POST", "/inloggen", {"email": "x@voorbeeld.example"}),
        (ANONYMOUS, "GET", "/inloggen", None),
        (ANONYMOUS, "POST", "/inloggen", {"email": "geen adres"}),
        (RESIDENT, "GET", "/account/welkom", None),
        (RESIDENT, "POST", "/account/welkom", {"name": "Rita"}),
        (RESIDENT, "POST", "/account/welkom", {"name": ""}),
        (OWN, "GET", "/inloggen/tweede-stap", None),
        (OWN, "POST", "/inloggen/tweede-stap", {"code": "000000"}),
        (OWN, "POST", "/inloggen/tweede-stap/herstelcode", {"recovery_code": "x"}),
        (STAND_IN, "GET", "/inloggen/tweede-stap", None),
        (OWN, "GET", "/account/tweede-stap", None),
        (ANONYMOUS, "GET", "/inloggen/gemeente", None),
    ):
        with town.undone():
            options = {"query_string": {"volgende": place}} if method == "GET" else {}
            answer = town.send(who, method, path, None if form is None else form | {"volgende": place}, **options)
        parts = urlsplit(answer.location or "")
        assert not parts.netloc, f"{path} leads to {answer.location}"
        assert not parts.scheme, f"{path} leads to {answer.location}"
        assert not (answer.location or "").startswith(("//", "/\\")), answer.location
        led = re.findall(r'(?:href|action|value|src)="([^"]*)"', answer.get_data(as_text=True))
        assert not [one for one in led if "kwaad" in one or one.startswith("javascript:")], path


def test_a_link_of_a_mail_signs_in_only_the_browser_that_asked(town: Town) -> None:
    for who in (ANONYMOUS, OWN):
        town.send(who, "POST", town.path("accounts.use_link", token=SIGN_IN_LINK))
        town.send(who, "GET", town.path("accounts.link", token=SIGN_IN_LINK))

    assert town.rows() == town.before
