# SPDX-License-Identifier: EUPL-1.2
"""GET /api/v1/initiatives: what anyone may see, page by page."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from abs_platform.initiatives.states import PUBLIC_STATES, InitiativeState
from tests.api.client import ApiClient
from tests.factories import Factory

PATH = "/api/v1/initiatives"


def test_an_initiative_is_told_with_its_totals(session: Session, factory: Factory, api: ApiClient) -> None:
    initiative = factory.initiative(title="Bankje aan de beek", target_cents=20_000)
    for code in factory.codes(2):
        factory.give(code, initiative)
    session.commit()

    body = api.get(f"{PATH}?status=published").json

    assert body == {
        "initiatives": [
            {
                "id": initiative.id,
                "title": "Bankje aan de beek",
                "summary": "We planten samen tien bomen.",
                "theme": "green",
                "status": "published",
                "scope": "neighbourhood",
                "areaName": "Groeneveld",
                "districtName": "Windmolenbroek",
                "targetCents": 20_000,
                "raisedCents": 1_500,
                "givers": 2,
                "deadlineOn": initiative.deadline_on.isoformat(),
                "url": f"http://localhost/initiatieven/{initiative.id}-bankje-aan-de-beek",
            }
        ],
        "page": 1,
        "pages": 1,
        "total": 1,
    }


def test_only_public_states_are_listed_and_each_by_its_own_filter(
    session: Session, factory: Factory, api: ApiClient
) -> None:
    made = {state: factory.initiative(state, target_cents=5_000).id for state in InitiativeState}
    session.commit()

    every = api.get(f"{PATH}?pageSize=100").json

    assert {one["id"] for one in every["initiatives"]} == {made[state] for state in PUBLIC_STATES}
    for state in InitiativeState:
        if state in PUBLIC_STATES:
            found = api.get(f"{PATH}?status={state.value}").json
            assert [(one["id"], one["status"]) for one in found["initiatives"]] == [(made[state], state.value)]
        else:
            assert list(api.get(f"{PATH}?status={state.value}", status=400).json["errors"]) == ["status"]


def test_pages_hold_everything_once(session: Session, factory: Factory, api: ApiClient) -> None:
    made = {factory.initiative().id for _ in range(7)}
    session.commit()

    pages = [api.get(f"{PATH}?pageSize=3&page={number}").json for number in (1, 2, 3)]

    assert [(page["page"], page["pages"], page["total"], len(page["initiatives"])) for page in pages] == [
        (1, 3, 7, 3),
        (2, 3, 7, 3),
        (3, 3, 7, 1),
    ]
    listed = [one["id"] for page in pages for one in page["initiatives"]]
    assert len(listed) == len(set(listed))
    assert set(listed) == made


def test_no_initiatives_is_an_empty_page(api: ApiClient) -> None:
    assert api.get(PATH).json == {"initiatives": [], "page": 1, "pages": 1, "total": 0}


def test_a_district_shows_its_own_and_what_is_city_wide(session: Session, factory: Factory, api: ApiClient) -> None:
    own = factory.initiative(area="BU01411900")
    whole_district = factory.initiative(area="WK014119")
    city_wide = factory.initiative(area="GM0141")
    factory.initiative(area="BU01411800")
    session.commit()

    found = api.get(f"{PATH}?district=WK014119").json

    scopes = {one["id"]: (one["scope"], one["districtName"]) for one in found["initiatives"]}
    assert scopes == {
        own.id: ("neighbourhood", "Windmolenbroek"),
        whole_district.id: ("district", "Windmolenbroek"),
        city_wide.id: ("municipality", None),
    }


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("page=0", {"page"}),
        ("page=-1", {"page"}),
        ("page=een", {"page"}),
        ("page=99999999999999999999", {"page"}),
        ("pageSize=101", {"pageSize"}),
        ("pageSize=", {"pageSize"}),
        ("status=open", {"status"}),
        ("status=", {"status"}),
        ("district=WK999999", {"district"}),
        ("district=" + "x" * 30, {"district"}),
        ("page=0&pageSize=0&status=x&district=" + "x" * 30, {"page", "pageSize", "status", "district"}),
    ],
)
def test_bad_filters_are_400_with_all_errors_together(api: ApiClient, query: str, wrong: set[str]) -> None:
    problem = api.get(f"{PATH}?{query}", status=400).json

    assert set(problem["errors"]) == wrong
    assert all(isinstance(sentences, list) and sentences for sentences in problem["errors"].values())
