# SPDX-License-Identifier: EUPL-1.2
"""Imports every model once, for Alembic and the factory."""

from abs_platform import attempts, events, job_runs, outbox
from abs_platform.accountability import models as accountability
from abs_platform.accounts import models as accounts
from abs_platform.agenda import models as agenda
from abs_platform.areas import models as areas
from abs_platform.districts import models as districts
from abs_platform.donations import models as donations
from abs_platform.finance import models as finance
from abs_platform.following import models as following
from abs_platform.help_offers import models as help_offers
from abs_platform.households import models as households
from abs_platform.initiatives import models as initiatives
from abs_platform.ledger import models as ledger
from abs_platform.letters import models as letters
from abs_platform.media import models as media
from abs_platform.moderation import models as moderation
from abs_platform.news import models as news
from abs_platform.objections import models as objections
from abs_platform.paper import models as paper
from abs_platform.payments import models as payments
from abs_platform.payouts import models as payouts
from abs_platform.questions import models as questions
from abs_platform.replacements import models as replacements
from abs_platform.reports import models as reports
from abs_platform.rounds import models as rounds
from abs_platform.rule_settings import models as rule_settings
from abs_platform.rulebook import models as rulebook
from abs_platform.site_texts import models as site_texts
from abs_platform.updates import models as updates
from abs_platform.vouchers import models as vouchers
from abs_platform.work import models as work

__all__ = [
    "accountability",
    "accounts",
    "agenda",
    "areas",
    "attempts",
    "districts",
    "donations",
    "events",
    "finance",
    "following",
    "help_offers",
    "households",
    "initiatives",
    "job_runs",
    "ledger",
    "letters",
    "media",
    "moderation",
    "news",
    "objections",
    "outbox",
    "paper",
    "payments",
    "payouts",
    "questions",
    "replacements",
    "reports",
    "rounds",
    "rule_settings",
    "rulebook",
    "site_texts",
    "updates",
    "vouchers",
    "work",
]
