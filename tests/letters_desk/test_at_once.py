# SPDX-License-Identifier: EUPL-1.2
"""Two coordinators at one moment: every version has a number of its own, and a run ends in one way."""

from __future__ import annotations

from dataclasses import replace

from flask import Flask
from sqlalchemy.orm import Session

from abs_platform.errors import AbsError
from abs_platform.letters import desk_queries, handing_over, writing
from abs_platform.letters.content import LetterContent
from abs_platform.letters.models import LetterRun, LetterText
from abs_platform.letters.states import RunState
from tests.concurrency.racing import at_once, committed
from tests.factories import TEST_ACTOR, Factory
from tests.letters_desk.runs import approved_text, issued_batch, made_run


def test_of_two_who_save_at_once_one_is_told_and_of_two_ends_one_counts(
    own_app: Flask, own_session: Session, own_factory: Factory
) -> None:
    text = approved_text(own_factory)
    run_id = made_run(own_factory, issued_batch(own_factory), text=text).id
    content, now = LetterContent(**text.content), own_factory.now
    own_session.commit()

    def save(title: str) -> object:
        def verb(session: Session) -> LetterText:
            written = replace(content, title=title)
            return writing.save_text(
                session, written, seen_version=1, note="", account_id=None, actor=TEST_ACTOR, now=now
            )

        return committed(own_app, verb)

    def hand_over(session: Session) -> None:
        handing_over.hand_over(session, run_id, seen_letters=3, seen_files=3, actor=TEST_ACTOR, now=now)

    def withdraw(session: Session) -> None:
        handing_over.withdraw(session, run_id, reason="Verkeerde tekst.", actor=TEST_ACTOR, now=now)

    saved = at_once([save("Kop van Coen"), save("Kop van Carla")])  # type: ignore[list-item]
    ended = at_once([committed(own_app, hand_over), committed(own_app, withdraw)])

    own_session.rollback()
    assert sorted(isinstance(one, writing.NewerVersion) for one in saved) == [False, True]
    assert [row.version for row in desk_queries.versions(own_session)] == [2, 1]
    assert sum(isinstance(one, AbsError) for one in ended) == 1
    run = own_session.get_one(LetterRun, run_id, populate_existing=True)
    assert run.state in {RunState.HANDED_OVER, RunState.WITHDRAWN}
    assert (run.handed_over_at is None) == (run.state == RunState.WITHDRAWN)
