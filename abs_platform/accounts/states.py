# SPDX-License-Identifier: EUPL-1.2
"""How long things of signing in last, and how often they may be tried."""

import datetime as dt

REQUEST_VALID = dt.timedelta(minutes=10)
CODE_TRIES = 5
MAILS_PER_ADDRESS = 5
MAILS_PER_CLIENT = 30
WINDOW = dt.timedelta(hours=1)
RESIDENT_SESSION = dt.timedelta(days=30)
STAFF_SESSION = dt.timedelta(hours=12)
