# SPDX-License-Identifier: EUPL-1.2
"""Who follows what in the demo, with the weekly mail of last Thursday, and one who did not confirm yet."""

from __future__ import annotations

import datetime as dt
import tomllib
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from abs_platform.areas.queries import id_of_code
from abs_platform.database import transaction
from abs_platform.demo.timeline import Timeline
from abs_platform.following import digests, queries, service
from abs_platform.following.queries import NamedTopic
from abs_platform.following.states import SETTLING, WEEK, last_moment

FILE = "followers.toml"
ASKED_BEFORE = dt.timedelta(days=3)


def subscribe(folder: Path, line: Timeline, *, now: dt.datetime) -> None:
    """Let them follow, and send what was due last Thursday."""
    told = tomllib.loads((folder / FILE).read_text(encoding="utf-8"))
    secret_key, until = line.settings.secret_key, last_moment(now) - SETTLING
    with transaction() as session:
        for one in told["follower"]:
            _follow(session, one, line, since=until - WEEK)
        for one in told["asked"]:
            service.ask(
                session,
                one["email"],
                _topics(session, one, line),
                language=one.get("language", "nl"),
                client=b"demo",
                secret_key=secret_key,
                now=now - ASKED_BEFORE,
            )
        due = queries.due(session, until)
    for follower_id in due:
        with transaction() as session:
            digests.send(session, follower_id, until, secret_key=secret_key, now=last_moment(now))


def _follow(session: Session, one: dict[str, Any], line: Timeline, *, since: dt.datetime) -> None:
    email = line.initiator(one["initiator_of"]).email if "initiator_of" in one else one["email"]
    language = one.get("language", "nl")
    service.follow(session, email, _topics(session, one, line), language=language, now=since)


def _topics(session: Session, one: dict[str, Any], line: Timeline) -> list[NamedTopic]:
    keys = [f"gebied:{id_of_code(session, code)}" for code in one.get("areas", [])]
    keys += [f"thema:{theme}" for theme in one.get("themes", [])]
    keys += [f"initiatief:{line.ids[key]}" for key in one.get("initiatives", [])]
    topics = queries.find_topics(session, keys)
    if len(topics) != len(keys):
        raise LookupError(f"not all of these can be followed: {keys}")
    return topics
