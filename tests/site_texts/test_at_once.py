# SPDX-License-Identifier: EUPL-1.2
"""Two coordinators who save one text at one moment: one is told, and nobody's words are lost."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform.errors import AbsError
from abs_platform.site_texts.models import SiteTextVersion
from abs_platform.site_texts.service import NewerVersion
from abs_platform.site_texts.states import SitePage
from tests.concurrency.racing import at_once, committed
from tests.site_texts.writing import write


def test_of_two_who_save_one_text_at_once_one_is_told(own_app: Flask, own_session: Session) -> None:
    def save(body: str) -> Callable[[], int | AbsError]:
        return committed(own_app, partial(write, page=SitePage.ABOUT, language="nl", body=body))

    saved = at_once([save("Van Coen."), save("Van Carla.")])

    assert sorted(type(one).__name__ for one in saved) == ["NewerVersion", "int"]
    assert any(isinstance(one, NewerVersion) for one in saved)
    assert [row.version for row in own_session.scalars(select(SiteTextVersion))] == [1]
