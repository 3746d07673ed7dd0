# SPDX-License-Identifier: EUPL-1.2
"""Writing texts in tests."""

from __future__ import annotations

from sqlalchemy.orm import Session

from abs_platform import clock
from abs_platform.rule_settings.service import change_rule
from abs_platform.site_texts.service import save_text
from abs_platform.site_texts.states import SitePage
from abs_platform.users import Role
from tests.factories import TEST_ACTOR, Factory


def write(session: Session, page: SitePage, language: str, body: str, *, seen: int = 0) -> int:
    """Save a text, as somebody who saw that version."""
    return save_text(
        session,
        page,
        language,
        body,
        seen_version=seen,
        note="",
        account_id=None,
        actor=TEST_ACTOR,
        now=clock.now(),
    )


def set_number(factory: Factory, name: str, value: int) -> None:
    """Set a number of the rules."""
    change_rule(
        factory.session,
        name,
        value,
        seen_value=getattr(factory.rules, name),
        reason="Zo besloten.",
        in_file=factory.rules,
        account_id=factory.account(roles=(Role.COORDINATOR,)).id,
        actor=TEST_ACTOR,
        now=factory.now,
    )
    factory.session.commit()
