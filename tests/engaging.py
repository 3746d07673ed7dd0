# SPDX-License-Identifier: EUPL-1.2
"""What people said and did around an initiative, for tests that look at something else: by the real verbs."""

from __future__ import annotations

import datetime as dt

from abs_platform.help_offers import service as help_offers
from abs_platform.help_offers.models import HelpOffer
from abs_platform.initiatives.models import Initiative, InitiativeNeed
from abs_platform.questions import service as questions
from abs_platform.questions.models import Post
from abs_platform.questions.states import Voice
from abs_platform.updates import service as updates
from abs_platform.updates.models import Update
from tests.factories import SECRET_KEY, TEST_ACTOR
from tests.people import People

KEY = b"k" * 16


def posted(people: People, initiative: Initiative, *, at: dt.datetime | None = None) -> Update:
    """An update on the page."""
    factory, author = people.factory, people.organiser_account(initiative)
    now = at or factory.now
    update = updates.start_update(
        factory.session, initiative.id, "De eerste boom", "Hij staat.", author_id=author.id, actor=TEST_ACTOR, now=now
    )
    updates.post_update(factory.session, update.id, secret_key=SECRET_KEY, actor=TEST_ACTOR, now=now)
    factory.session.commit()
    return update


def asked(people: People, initiative: Initiative, body: str = "Wanneer beginnen jullie?", name: str = "Fatima") -> Post:
    """A question on the page."""
    author = people.factory.account(name=name)
    post = questions.ask(
        people.factory.session,
        initiative.id,
        body,
        author_id=author.id,
        name=name,
        key=str(author.id).encode(),
        actor=TEST_ACTOR,
        now=people.factory.now,
    )
    people.factory.session.commit()
    return post


def answered(people: People, question: Post, body: str = "In maart.", voice: Voice = Voice.ORGANISER) -> Post:
    """An answer on the page."""
    initiative = people.factory.session.get_one(Initiative, question.initiative_id)
    author = people.organiser_account(initiative)
    post = questions.answer(
        people.factory.session,
        question.id,
        body,
        voice=voice,
        author_id=author.id,
        key=b"answers",
        actor=TEST_ACTOR,
        now=people.factory.now,
    )
    people.factory.session.commit()
    return post


def offered(people: People, need: InitiativeNeed, name: str = "Fatima", note: str = "Zaterdag kan ik.") -> HelpOffer:
    """An offer that waits for an answer."""
    account = people.factory.account(name=name)
    made = help_offers.offer_help(
        people.factory.session,
        need.initiative_id,
        need.id,
        account_id=account.id,
        name=name,
        note=note,
        key=KEY + str(account.id).encode(),
        actor=TEST_ACTOR,
        now=people.factory.now,
    )
    people.factory.session.commit()
    return made
