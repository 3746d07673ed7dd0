# SPDX-License-Identifier: EUPL-1.2
"""Imports every model once, for Alembic and the factory."""

from abs_platform import events, job_runs
from abs_platform.areas import models as areas
from abs_platform.donations import models as donations
from abs_platform.households import models as households
from abs_platform.initiatives import models as initiatives
from abs_platform.ledger import models as ledger
from abs_platform.rounds import models as rounds
from abs_platform.vouchers import models as vouchers

__all__ = ["areas", "donations", "events", "households", "initiatives", "job_runs", "ledger", "rounds", "vouchers"]
