# SPDX-License-Identifier: EUPL-1.2
"""Rounds in the API: what became of the vouchers, and the seals by which anyone can hold us to them."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform.vouchers.models import VoucherBatch
from tests.api.client import ApiClient
from tests.factories import Factory
from tests.reports.town import round_of


def test_a_round_is_told_with_its_sums_and_seals(session: Session, factory: Factory, api: ApiClient) -> None:
    round_ = round_of(factory, {"BU01411900": (12, 5)}, paper=(2, 1))
    batch = session.scalars(select(VoucherBatch).where(VoucherBatch.round_id == round_.id)).one()
    assert batch.merkle_root is not None

    (told,) = api.get("/api/v1/rounds").json["rounds"]

    assert (told["id"], told["name"], told["status"], told["amountCents"]) == (round_.id, round_.name, "issued", 750)
    assert (told["givenOnline"], told["givenByOrganiser"], told["givenAtDesk"], told["toGive"]) == (2, 2, 1, 7)
    assert told["issued"] == 12
    (sealed,) = told["batches"]
    assert (sealed["merkleRoot"], sealed["voucherCount"], sealed["kind"]) == (batch.merkle_root.hex(), 12, "issue")


def test_rounds_are_filtered_by_their_state(factory: Factory, api: ApiClient) -> None:
    round_of(factory, {"BU01411900": (3, 1)})

    assert len(api.get("/api/v1/rounds?status=issued").json["rounds"]) == 1
    assert api.get("/api/v1/rounds?status=closed").json["rounds"] == []
    api.get("/api/v1/rounds?status=planned", status=400)


def test_without_rounds_the_list_is_empty(api: ApiClient) -> None:
    assert api.get("/api/v1/rounds").json == {"rounds": []}
