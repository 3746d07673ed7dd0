# SPDX-License-Identifier: EUPL-1.2
"""Every route with an object is really tried by everybody: who may not is refused and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from abs_platform import clock
from abs_platform.security import STAFF_IDLE_SECONDS, access_of
from tests.permissions.table import BY_TOKEN, EVERYBODY, FOR_ALL, OF_THE_DEMO, TABLE, WHEN_PUBLISHED, Entry
from tests.permissions.town import ANONYMOUS, AT_THE_DESK, COORDINATOR, FINANCE, OWN, PEOPLE, RESIDENT, Town, filled

REFUSED = {403, 404}


def entries() -> Iterator[tuple[str, Entry]]:
    """The table, one entry at a time."""
    for endpoint, found in TABLE.items():
        for entry in (found,) if isinstance(found, Entry) else found:
            yield endpoint, entry


def name_of(value: Any) -> str:
    """What a test is called."""
    return value if isinstance(value, str) else "-".join(map(str, value.form.values()))[:30] if value.form else "x"


def routes(app: Flask) -> dict[str, set[str]]:
    """The methods of every route."""
    found: dict[str, set[str]] = {}
    for rule in app.url_map.iter_rules():
        found.setdefault(rule.endpoint, set()).update(set(rule.methods or ()) - {"HEAD", "OPTIONS"})
    return found


def send(town: Town, who: str, endpoint: str, entry: Entry, **options: Any) -> TestResponse:
    """This route, as this person."""
    (method,) = routes(town.app)[endpoint]
    path = town.path(endpoint, **filled(entry.args, town.ids))
    return town.send(who, method, path, filled(entry.form, town.ids) if method == "POST" else None, **options)


def is_refused(answer: TestResponse, *, told: bool = False) -> bool:
    """Whether somebody got nothing but a refusal, or was asked to sign in before she looks."""
    if told:
        return answer.status_code == 409
    if answer.status_code == 302 and answer.request.method == "GET":
        return urlsplit(answer.location).path == "/inloggen"
    return answer.status_code in REFUSED


def test_every_route_with_an_object_says_here_who_may(app: Flask) -> None:
    with_objects = {rule.endpoint for rule in app.url_map.iter_rules() if rule.arguments}

    spoken_of = [*TABLE, *BY_TOKEN, *WHEN_PUBLISHED, *OF_THE_DEMO, *FOR_ALL]

    assert with_objects - set(spoken_of) == set(), "say in tests/permissions/table.py who may enter these"
    assert set(spoken_of) - with_objects == set(), "these routes are gone"
    assert len(spoken_of) == len(set(spoken_of))


def test_who_is_not_signed_in_may_enter_no_route_of_the_table() -> None:
    assert not [endpoint for endpoint, entry in entries() if ANONYMOUS in entry.may | entry.told]


def test_what_is_public_is_marked_as_public_and_nothing_else(app: Flask) -> None:
    for_all = {*BY_TOKEN, *WHEN_PUBLISHED, *OF_THE_DEMO, *FOR_ALL}

    assert {endpoint for endpoint in for_all if access_of(app, endpoint) != "public"} == set()
    assert {endpoint for endpoint in TABLE if access_of(app, endpoint) == "public"} == set()


@pytest.mark.parametrize(("endpoint", "entry"), list(entries()), ids=name_of)
def test_who_may_not_is_refused_and_changes_nothing(town: Town, endpoint: str, entry: Entry) -> None:
    answers = {who: send(town, who, endpoint, entry) for who in PEOPLE if who not in entry.may}

    wrong = {who: answer.status for who, answer in answers.items() if not is_refused(answer, told=who in entry.told)}
    assert not wrong
    assert town.rows() == town.before


@pytest.mark.parametrize(("endpoint", "entry"), list(entries()), ids=name_of)
def test_who_may_gets_through(town: Town, endpoint: str, entry: Entry) -> None:
    changed = False

    for who in sorted(entry.may):
        with town.undone():
            answer = send(town, who, endpoint, entry)
            changed = changed or town.rows() != town.before
        assert answer.status_code in entry.answers, f"{who}: {answer.status}\n{answer.get_data(as_text=True)[:3000]}"
        assert urlsplit(answer.location or "").path not in {"/inloggen", "/inloggen/tweede-stap"}, who

    is_form = routes(town.app)[endpoint] == {"POST"}
    assert not changed or is_form, "a GET changed something"
    # A form that changes nothing for who may would prove nothing about who may not.
    assert changed or not is_form or 422 in entry.answers, "it did nothing for who may"


@pytest.mark.parametrize(("endpoint", "args"), list(WHEN_PUBLISHED.items()), ids=str)
def test_what_is_not_published_is_there_for_nobody(town: Town, endpoint: str, args: dict[str, Any]) -> None:
    path = town.path(endpoint, **filled(args, town.ids))

    assert {who: town.send(who, "GET", path).status_code for who in PEOPLE} == dict.fromkeys(PEOPLE, 404)


@pytest.mark.parametrize(("endpoint", "args"), list(BY_TOKEN.items()), ids=str)
def test_a_wrong_key_opens_nothing(town: Town, endpoint: str, args: dict[str, str]) -> None:
    (method,) = routes(town.app)[endpoint]
    path = town.path(endpoint, **args)

    for who in PEOPLE:
        answer = town.send(who, method, path, {"doe": "ja"} if method == "POST" else None)
        # Whoever is signed in already goes on to the own account, and a link that is over says so.
        is_link = endpoint in {"accounts.link", "accounts.use_link"}
        assert answer.status_code == 404 or (is_link and answer.status_code in {200, 303, 409}), (
            f"{who}: {answer.status}"
        )

    assert town.rows() == town.before


def staff_routes(app: Flask) -> dict[str, set[str]]:
    """The routes of staff, with the roles that may enter them."""
    found = {endpoint: access_of(app, endpoint) or "" for endpoint in routes(app)}
    return {
        endpoint: set(access.removeprefix("staff:").split(","))
        for endpoint, access in found.items()
        if access.startswith("staff:")
    }


def any_path(town: Town, endpoint: str) -> str:
    """An address of a route, about something of the town when it is about something."""
    found = TABLE.get(endpoint, Entry(may=EVERYBODY))
    entry = found if isinstance(found, Entry) else found[0]
    return town.path(endpoint, **filled(entry.args, town.ids))


def test_every_route_of_staff_refuses_the_other_roles_and_residents(town: Town) -> None:
    roles = {RESIDENT: "", OWN: "district_manager", COORDINATOR: "coordinator", FINANCE: "finance"}
    tried = 0

    for endpoint, allowed in staff_routes(town.app).items():
        (method,) = routes(town.app)[endpoint]
        for who, role in roles.items():
            if role in allowed:
                continue
            answer = town.send(who, method, any_path(town, endpoint), {} if method == "POST" else None)
            assert answer.status_code == 403, f"{endpoint} as {who}: {answer.status}"
            tried += 1

    assert town.rows() == town.before
    assert tried > 50


@pytest.mark.parametrize("how", ["without the second step", "after an idle hour"])
def test_no_route_of_staff_opens(town: Town, how: str) -> None:
    whos = {"district_manager": OWN, "coordinator": COORDINATOR, "finance": FINANCE, "desk": AT_THE_DESK}
    long_ago = int(clock.now().timestamp()) - STAFF_IDLE_SECONDS - 1
    cookies = {}
    for role, who in whos.items():
        if how == "after an idle hour":
            cookies[role] = town.cookie(who, seen_at=long_ago)
        else:
            token = town.factory.session_of(town.accounts[who], has_second_factor=False)
            cookies[role] = town.cookie(who, token=token)
    town.session.commit()
    before = town.rows()

    for endpoint, allowed in staff_routes(town.app).items():
        (method,) = routes(town.app)[endpoint]
        for role in allowed:
            path, form = any_path(town, endpoint), {} if method == "POST" else None
            answer = town.send(whos[role], method, path, form, cookie=cookies[role])
            if method == "GET":
                assert answer.status_code == 302, f"{endpoint} as {role}: {answer.status}"
                assert urlsplit(answer.location).path == "/inloggen/tweede-stap", endpoint
            else:
                assert answer.status_code == 403, f"{endpoint} as {role}: {answer.status}"

    assert town.rows() == before


def test_every_other_page_of_an_account_asks_to_sign_in(town: Town) -> None:
    without_objects = {rule.endpoint for rule in town.app.url_map.iter_rules() if not rule.arguments}

    for endpoint in without_objects:
        if access_of(town.app, endpoint) in {"public", "webhook"}:
            continue
        for method in routes(town.app)[endpoint]:
            answer = town.send(ANONYMOUS, method, town.path(endpoint), {} if method == "POST" else None)
            if method == "GET":
                assert answer.status_code == 302, endpoint
                assert urlsplit(answer.location).path == "/inloggen", endpoint
            else:
                assert answer.status_code == 403, endpoint

    assert town.rows() == town.before
