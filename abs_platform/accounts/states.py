# SPDX-License-Identifier: EUPL-1.2
"""How long things of signing in last, how often they may be tried, and why a sign-in was refused."""

import datetime as dt

from flask_babel import lazy_gettext as _l

from abs_platform.lives import LabelledEnum

REQUEST_VALID = dt.timedelta(minutes=10)
CODE_TRIES = 5
MAILS_PER_ADDRESS = 5
MAILS_PER_ADDRESS_A_DAY = 30
MAILS_PER_CLIENT = 30
WINDOW = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
RESIDENT_SESSION = dt.timedelta(days=30)
STAFF_SESSION = dt.timedelta(hours=12)
REQUEST_KEPT = dt.timedelta(days=1)
SESSION_KEPT = dt.timedelta(days=30)
ACCOUNTS_PER_ADDRESS = 5


class Refusal(LabelledEnum):
    """Why a link or a code of a mail signs nobody in, and what to do then."""

    WRONG_CODE = "wrong_code", _l("Deze code klopt niet. Kijk in de nieuwste mail en typ de 6 cijfers over.")
    TOO_MANY = "too_many", _l("Er is te vaak een verkeerde code ingevuld. Deze mail werkt niet meer.")
    EXPIRED = "expired", _l("Deze mail is te oud. Link en code werken maar 10 minuten.")
    USED = "used", _l("Deze mail is al gebruikt. Link en code werken maar één keer.")
    OTHER_BROWSER = "other_browser", _l("Deze link werkt alleen in de browser waarin je om de mail vroeg.")
    UNKNOWN = "unknown", _l("Deze link werkt niet meer.")
