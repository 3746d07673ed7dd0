# SPDX-License-Identifier: EUPL-1.2
"""The Dutch API Design Rules, as checks over the live description and the answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from flask import Flask
from sqlalchemy.orm import Session

from abs_platform.api import routes
from tests.api.client import ApiClient
from tests.factories import Factory

OPENAPI = "/api/v1/openapi.json"
CAMEL_CASE = re.compile(r"[a-z][a-zA-Z0-9]*")


@pytest.fixture
def description(api: ApiClient) -> dict[str, Any]:
    found: dict[str, Any] = api.get(OPENAPI).json
    return found


def property_names(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from node.get("properties", {})
        for child in node.values():
            yield from property_names(child)
    elif isinstance(node, list):
        for child in node:
            yield from property_names(child)


def operations(description: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in description["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def test_the_description_is_valid_openapi(app: Flask, description: dict[str, Any]) -> None:
    assert description["openapi"].startswith("3.1")
    schemathesis.openapi.from_dict(description).validate()


def test_the_description_says_who_to_ask_and_which_version(description: dict[str, Any]) -> None:
    info = description["info"]

    assert re.fullmatch(r"\d+\.\d+\.\d+", info["version"])
    assert set(info["contact"]) == {"name", "url", "email"}
    assert all(info["contact"].values())
    assert info["license"]["identifier"] == "EUPL-1.2"


def test_the_description_is_for_every_site_and_the_rest_is_not(api: ApiClient) -> None:
    origin = {"Origin": "https://elders.example"}

    assert api.get(OPENAPI, headers=origin).headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Origin" not in api.get("/api/v1/initiatives", headers=origin).headers


def test_the_description_holds_what_there_is_and_nothing_more(description: dict[str, Any]) -> None:
    assert [(method, path) for path, method, _operation in operations(description)] == [
        ("get", "/api/v1/initiatives"),
        ("get", "/api/v1/rounds"),
        ("post", "/api/v1/voucher-donations"),
    ]


def test_paths_are_kebab_case_plural_and_versioned(description: dict[str, Any]) -> None:
    for path in description["paths"]:
        *_, version, resource = path.split("/")
        assert version == "v1"
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*s", resource)


def test_names_are_camel_case(description: dict[str, Any]) -> None:
    ours = {name: schema for name, schema in description["components"]["schemas"].items() if "Pagination" not in name}
    names = {*property_names(description["paths"]), *property_names(ours)}
    names |= {
        one["name"] for _path, _method, operation in operations(description) for one in operation.get("parameters", [])
    }

    assert {"donationId", "initiativeId", "amountCents", "pageSize"} <= names
    assert [name for name in names if not CAMEL_CASE.fullmatch(name)] == []


def test_every_refusal_is_described_as_a_problem_and_bad_input_as_400(description: dict[str, Any]) -> None:
    described = description["components"]["responses"]

    for _path, _method, operation in operations(description):
        refusals = {status: answer for status, answer in operation["responses"].items() if not status.startswith("2")}
        assert {"400", "default"} <= set(refusals)
        assert "422" not in refusals
        for answer in refusals.values():
            refusal = described[answer["$ref"].rpartition("/")[2]] if "$ref" in answer else answer
            assert list(refusal["content"]) == ["application/problem+json"]


@pytest.mark.parametrize("path", ["/api/v1/initiatives/", "/api/v1/openapi.json/", "/api/v1/", "/api/v1", "/api/v2/x"])
def test_a_trailing_slash_or_an_unknown_path_is_404_and_no_redirect(api: ApiClient, path: str) -> None:
    api.get(path, status=404)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "HEAD", "GET"])
def test_another_method_is_405_and_says_which_it_can_be(api: ApiClient, method: str) -> None:
    answer = api.send(method, "/api/v1/voucher-donations", status=405)

    assert {"POST", "OPTIONS"} == set(answer.headers["Allow"].split(", "))


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        pytest.param(b"code=ABC&initiativeId=1", "application/x-www-form-urlencoded", id="a form"),
        pytest.param(
            b'{"code": "ABC", "initiativeId": 1}', "text/plain", id="text, as a form of another site can send"
        ),
        pytest.param(b"<code/>", "application/xml", id="XML"),
        pytest.param(b"", None, id="nothing"),
    ],
)
def test_what_is_not_called_json_is_415(api: ApiClient, body: bytes, content_type: str | None) -> None:
    api.send("POST", "/api/v1/voucher-donations", status=415, data=body, content_type=content_type)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="cut off"),
        pytest.param(b"{'code': 'ABC'}", id="Python"),
        pytest.param(b"\xff\xfe", id="no UTF-8"),
        pytest.param(b"[" * 100_000, id="very deep"),
        pytest.param(b'{"code": "A", "initiativeId": ' + b"9" * 5_000 + b"}", id="a very long number"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"null", id="null"),
        pytest.param(b'"text"', id="text"),
        pytest.param(b"NaN", id="not a number"),
    ],
)
def test_what_is_no_json_object_is_400(api: ApiClient, body: bytes) -> None:
    api.send("POST", "/api/v1/voucher-donations", status=400, data=body, content_type="application/json")


def test_a_body_that_is_too_large_is_413(api: ApiClient) -> None:
    body = b'{"code": "' + b"A" * 1_000_000 + b'"}'

    api.send("POST", "/api/v1/voucher-donations", status=413, data=body, content_type="application/json")


def test_a_bug_is_a_problem_without_details(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr(routes, "list_initiatives", fail)

    answer = api.get("/api/v1/initiatives", status=500)

    assert "secret" not in str(answer.json)


def test_over_https_browsers_are_told_to_stay_there(api: ApiClient) -> None:
    answer = api.get("/api/v1/initiatives", base_url="https://localhost")

    assert "Strict-Transport-Security" in answer.headers


def test_no_session_is_needed_and_none_is_made(session: Session, factory: Factory, api: ApiClient) -> None:
    (code,) = factory.codes()
    initiative = factory.initiative()
    session.commit()

    api.give({"code": code, "initiativeId": initiative.id})  # the client refuses a cookie in any answer

    assert factory.voucher(code).state == "given"
