# SPDX-License-Identifier: EUPL-1.2
"""POST /api/v1/voucher-donations: the same verb as the page, and every refusal with its own status."""

from __future__ import annotations

import json
import os
import uuid
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from abs_platform.donations.models import Donation
from abs_platform.donations.service import return_vouchers
from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.service import stop
from abs_platform.initiatives.states import InitiativeState
from abs_platform.ledger.queries import check
from abs_platform.vouchers.models import CodeAttempt
from tests.api.client import ApiClient
from tests.factories import TEST_ACTOR, Factory


def gifts(session: Session) -> list[Donation]:
    query = select(Donation).order_by(Donation.id).execution_options(populate_existing=True)
    return list(session.scalars(query))


def attempts(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(CodeAttempt)) or 0


def arrange(factory: Factory, codes: int = 1, target_cents: int = 50_000) -> tuple[list[str], Initiative]:
    made, initiative = factory.codes(codes), factory.initiative(target_cents=target_cents)
    factory.session.commit()
    return made, initiative


def test_a_code_and_an_initiative_are_enough(session: Session, factory: Factory, api: ApiClient) -> None:
    (code,), initiative = arrange(factory)

    body = api.give({"code": code, "initiativeId": initiative.id}).json

    (gift,) = gifts(session)
    assert body == {
        "donationId": gift.reference,
        "amountCents": 750,
        "initiative": {
            "id": initiative.id,
            "status": "published",
            "targetCents": 50_000,
            "raisedCents": 750,
            "givers": 1,
        },
    }
    assert (gift.giver_name, gift.channel, factory.voucher(code).state) == (None, "online", "given")
    assert check(session) == []


def test_all_that_a_page_takes_can_be_sent(session: Session, factory: Factory, api: ApiClient) -> None:
    (code,), initiative = arrange(factory)
    plan_b = factory.initiative()
    session.commit()
    key = uuid.uuid4()

    api.give(
        {
            "code": code.lower().replace("-", " "),
            "initiativeId": initiative.id,
            "giverName": "Riet",
            "message": "Hup",
            "giverEmail": "riet@voorbeeld.example",
            "planBInitiativeId": plan_b.id,
            "idempotencyKey": str(key),
        }
    )

    (gift,) = gifts(session)
    assert (gift.giver_name, gift.message, gift.giver_email) == ("Riet", "Hup", "riet@voorbeeld.example")
    assert (gift.plan_b_initiative_id, gift.idempotency_key) == (plan_b.id, key)


def test_nulls_are_as_good_as_nothing(session: Session, factory: Factory, api: ApiClient) -> None:
    (code,), initiative = arrange(factory)
    optional = ("giverName", "message", "giverEmail", "planBInitiativeId", "idempotencyKey")

    api.give({"code": code, "initiativeId": initiative.id} | dict.fromkeys(optional))

    assert len(gifts(session)) == 1


def test_the_same_key_twice_is_one_gift(session: Session, factory: Factory, api: ApiClient) -> None:
    (code, other), initiative = arrange(factory, 2)
    body = {"code": code, "initiativeId": initiative.id, "idempotencyKey": str(uuid.uuid4())}

    first, second = api.give(body), api.give(body)
    refused = api.give(body | {"code": other}, status=409)

    assert first.json["donationId"] == second.json["donationId"]
    assert "al een andere voucher gegeven" in refused.json["detail"]
    assert len(gifts(session)) == 1
    assert factory.voucher(other).state == "issued"


def test_a_key_is_for_one_initiative_and_not_for_a_gift_that_came_back(
    session: Session, factory: Factory, api: ApiClient
) -> None:
    (code,), initiative = arrange(factory)
    other = factory.initiative()
    session.commit()
    body = {"code": code, "initiativeId": initiative.id, "idempotencyKey": str(uuid.uuid4())}
    api.give(body)

    api.give(body | {"initiativeId": other.id}, status=409)
    stop(session, initiative.id, reason="Kan niet.", actor=TEST_ACTOR, now=factory.now)
    return_vouchers(session, initiative.id, actor=TEST_ACTOR, now=factory.now, reason="stopped")
    session.commit()
    api.give(body, status=409)

    assert [gift.state for gift in gifts(session)] == ["returned"]
    assert attempts(session) == 0
    assert api.give({"code": code, "initiativeId": other.id}).json["initiative"]["givers"] == 1


def test_the_gift_that_reaches_the_target_funds_before_the_answer(
    session: Session, factory: Factory, api: ApiClient
) -> None:
    codes, initiative = arrange(factory, 7, target_cents=5_000)

    answers = [api.give({"code": code, "initiativeId": initiative.id}).json["initiative"] for code in codes]

    assert [answer["status"] for answer in answers] == ["published"] * 6 + ["funded"]
    assert answers[-1]["raisedCents"] == 5_250
    assert check(session, jobs_have_run=True) == []


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        pytest.param({"code": None}, {"code"}, id="no code"),
        pytest.param({"code": 123}, {"code"}, id="a number for a code"),
        pytest.param({"code": ["A"]}, {"code"}, id="a list for a code"),
        pytest.param({"code": ""}, {"code"}, id="empty code"),
        pytest.param({"code": "ABCD-EFGH-JKMN"}, {"code"}, id="typing error"),
        pytest.param({"code": "A" * 10_000}, {"code"}, id="10 kB"),
        pytest.param({"code": "\U0001f600" * 12}, {"code"}, id="emoji"),
        pytest.param({"initiativeId": None}, {"initiativeId"}, id="no initiative"),
        pytest.param({"initiativeId": "1"}, {"initiativeId"}, id="text for a number"),
        pytest.param({"initiativeId": 1.5}, {"initiativeId"}, id="half a number"),
        pytest.param({"initiativeId": True}, {"initiativeId"}, id="true for a number"),
        pytest.param({"initiativeId": 0}, {"initiativeId"}, id="zero"),
        pytest.param({"initiativeId": 2**63}, {"initiativeId"}, id="too large"),
        pytest.param({"giverName": "R" * 81}, {"giverName"}, id="name too long"),
        pytest.param({"message": "m" * 501}, {"message"}, id="message too long"),
        pytest.param({"giverEmail": "riet"}, {"giverEmail"}, id="no address"),
        pytest.param({"giverEmail": "riet@\ud800.nl"}, {"giverEmail"}, id="half a character in an address"),
        pytest.param({"planBInitiativeId": -1}, {"planBInitiativeId"}, id="plan B below zero"),
        pytest.param({"planBInitiativeId": 999_999}, {"planBInitiativeId"}, id="plan B not there"),
        pytest.param({"idempotencyKey": "abc"}, {"idempotencyKey"}, id="no key"),
        pytest.param({"initiative_id": 1}, {"initiative_id"}, id="unknown property"),
        pytest.param(
            {"code": 1, "initiativeId": "x", "giverEmail": "x", "extra": 1},
            {"code", "initiativeId", "giverEmail", "extra"},
            id="everything at once",
        ),
    ],
)
def test_bad_input_is_400_with_all_errors_together(
    session: Session, factory: Factory, api: ApiClient, changes: dict[str, Any], wrong: set[str]
) -> None:
    (code,), initiative = arrange(factory)

    problem = api.give({"code": code, "initiativeId": initiative.id} | changes, status=400).json

    assert set(problem["errors"]) == wrong
    assert all(isinstance(sentences, list) and sentences for sentences in problem["errors"].values())
    assert (gifts(session), attempts(session), factory.voucher(code).state) == ([], 0, "issued")


def test_a_plan_b_must_be_another(session: Session, factory: Factory, api: ApiClient) -> None:
    (code,), initiative = arrange(factory)
    body = {"code": code, "initiativeId": initiative.id, "planBInitiativeId": initiative.id}

    assert set(api.give(body, status=400).json["errors"]) == {"planBInitiativeId"}
    assert factory.voucher(code).state == "issued"


@pytest.mark.parametrize("state", [*(state for state in InitiativeState if state != InitiativeState.PUBLISHED), None])
def test_giving_to_what_does_not_collect_is_409(
    session: Session, factory: Factory, api: ApiClient, state: InitiativeState | None
) -> None:
    initiative_id = 999_999 if state is None else factory.initiative(state, target_cents=5_000).id
    (code,) = factory.fresh_codes(1)
    session.commit()
    before = len(gifts(session))

    problem = api.give({"code": code, "initiativeId": initiative_id}, status=409).json

    assert "Je voucher is nog van jou" in problem["detail"]
    assert (len(gifts(session)), attempts(session), factory.voucher(code).state) == (before, 0, "issued")


def test_a_wrong_code_is_409_with_one_sentence_whatever_is_wrong(
    session: Session, factory: Factory, api: ApiClient
) -> None:
    (given,), initiative = arrange(factory)
    api.give({"code": given, "initiativeId": initiative.id})
    unknown = factory.keys.code(os.urandom(16))

    problems = [api.give({"code": code, "initiativeId": initiative.id}, status=409).json for code in (given, unknown)]

    for problem in problems:
        del problem["requestId"]
    assert problems[0] == problems[1]
    assert attempts(session) == 2
    assert len(gifts(session)) == 1


def test_the_eleventh_wrong_code_is_429_with_a_time(
    app: Flask, session: Session, factory: Factory, api: ApiClient
) -> None:
    (code,), initiative = arrange(factory)
    for _ in range(10):
        api.give({"code": factory.keys.code(os.urandom(16)), "initiativeId": initiative.id}, status=409)

    refused = api.give({"code": code, "initiativeId": initiative.id}, status=429)

    assert 3_590 < int(refused.headers["Retry-After"]) <= 3_601
    assert "Probeer het opnieuw na" in refused.json["detail"]
    ApiClient(app, address="192.0.2.2").give({"code": code, "initiativeId": initiative.id})


def test_odd_characters_harm_nothing(session: Session, factory: Factory, api: ApiClient) -> None:
    (code,), initiative = arrange(factory)
    body = json.dumps({"code": code, "initiativeId": initiative.id, "giverName": "R\x00iet\ud800", "message": " \x07"})

    api.send("POST", "/api/v1/voucher-donations", status=201, data=body, content_type="application/json; charset=utf-8")

    (gift,) = gifts(session)
    assert (gift.giver_name, gift.message) == ("Riet", None)


def test_an_address_with_a_nul_is_kept_without_it(session: Session, factory: Factory, api: ApiClient) -> None:
    (code,), initiative = arrange(factory)

    api.give({"code": code, "initiativeId": initiative.id, "giverEmail": " ri\x00et@voorbeeld.example"})

    assert gifts(session)[0].giver_email == "riet@voorbeeld.example"
