# SPDX-License-Identifier: EUPL-1.2
"""Accountabilities to test with: begun, filled in, and sent."""

from __future__ import annotations

import contextvars
import io
from typing import Any

from werkzeug.test import TestResponse

from abs_platform.accountability import service
from abs_platform.accountability.service import CostInput
from abs_platform.accounts.models import Account
from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.states import InitiativeState
from tests.factories import TEST_ACTOR, Factory
from tests.media.pictures import photo
from tests.page import Browser

PDF = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n%%EOF\n"


def begun(factory: Factory) -> Initiative:
    """An initiative with EUR 52.50 that the residents are carrying out: trees for 42.50 and coffee for 10."""
    made = factory.initiative(InitiativeState.IN_PROGRESS, target_cents=5_250)
    factory.session.commit()
    return made


def who(account: Account, factory: Factory) -> dict[str, Any]:
    """Who does it, for the verbs."""
    return {"by_id": account.id, "actor": TEST_ACTOR, "now": factory.now}


def filled_in(factory: Factory, initiative: Initiative, account: Account) -> None:
    """Story and costs are there, and why there are no receipts."""
    session = factory.session
    service.save_story(session, initiative.id, "Er staan **tien** bomen.", version=0, **who(account, factory))
    for position, cents in ((1, 4_000), (2, 1_000)):
        cost = CostInput(actual_cents=cents, no_receipt_reason="Kwijt.")
        service.save_cost(session, initiative.id, position, cost, **who(account, factory))
    session.commit()


def sent(factory: Factory, initiative: Initiative, account: Account) -> str:
    """All of it is at the desk; returns which sending it is."""
    filled_in(factory, initiative, account)
    assert service.submit(factory.session, initiative.id, **who(account, factory))
    factory.session.commit()
    return factory.now.isoformat()


def path_of(initiative: Initiative, *parts: object) -> str:
    """A page of the organisers."""
    return "/".join(map(str, (f"/account/initiatieven/{initiative.id}/verantwoording", *parts)))


def send_cost(browser: Browser, initiative: Initiative, position: int, file: bytes = b"", **changes: Any) -> Any:
    """Fill in one line on its page."""
    path = path_of(initiative, "kosten", position)
    if file:
        changes["receipt"] = (io.BytesIO(file), "bonnen/kassabon.jpg")
    status = changes.pop("status", 200)
    return browser.submit(browser.get(path), path, status=status, **changes)


def fetch(browser: Browser, path: str) -> TestResponse:
    """A file or a refusal, in a context of its own: that of the test remembers who was signed in before."""
    return contextvars.Context().run(browser.client.get, path)


def picture() -> tuple[io.BytesIO, str]:
    """A photo to send."""
    return io.BytesIO(photo()), "foto.jpg"
