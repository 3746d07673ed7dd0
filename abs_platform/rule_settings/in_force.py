# SPDX-License-Identifier: EUPL-1.2
"""The numbers of the rules that are in force: the municipality's file, overridden by the newest change of each name.

The changes are kept for a few seconds in each process: a page asks the database at most once for them. The process
that changes a number forgets them at once (``forget_rules``); the others follow within ``SECONDS_KEPT``.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

from flask import current_app

from abs_platform.config import Settings
from abs_platform.database import db
from abs_platform.municipality import Rules
from abs_platform.rule_settings.queries import values_set

SECONDS_KEPT = 5.0
CACHE = "rules_in_force"


@dataclass(slots=True)
class RulesCache:
    """What was set, as this process read it last; ``read_at`` is on the monotonic clock."""

    values: dict[str, int] = field(default_factory=dict)
    read_at: float | None = None


def current_rules() -> Rules:
    """The numbers that are in force now. At most one query, in a session of its own: no transaction stays open."""
    settings: Settings = current_app.extensions["settings"]
    cache: RulesCache = current_app.extensions.setdefault(CACHE, RulesCache())
    now = time.monotonic()
    if cache.read_at is None or now - cache.read_at >= SECONDS_KEPT:
        with current_app.app_context():
            cache.values = values_set(db.session())
        cache.read_at = now
    return replace(settings.rules, **cache.values) if cache.values else settings.rules


def forget_rules() -> None:
    """Read the numbers anew the next time: called after a change was committed."""
    current_app.extensions[CACHE] = RulesCache()
