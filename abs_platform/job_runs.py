# SPDX-License-Identifier: EUPL-1.2
"""The log of job runs: start, end, what changed, what went wrong."""

import datetime as dt

from sqlalchemy import Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from abs_platform.database import Base


class JobRun(Base):
    """One run of one job. A run without an end is going on, or was killed: the next run of that job says so.

    ``seen_at`` is the last sign of life of the process that does it.
    """

    __tablename__ = "job_runs"
    __table_args__ = (Index(None, "job", "started_at"),)

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    job: Mapped[str]
    started_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]
    changed: Mapped[int] = mapped_column(server_default="0")
    error: Mapped[str | None]
    seen_at: Mapped[dt.datetime | None]


# A process that gave no sign of life for so long is taken for dead.
ALIVE_WITHIN = dt.timedelta(minutes=5)


class ScheduledJob(Base):
    """A job as the scheduler process has it on its timetable; ``seen_at`` is that process's last sign of life."""

    __tablename__ = "scheduled_jobs"

    job: Mapped[str] = mapped_column(primary_key=True)
    schedule: Mapped[str]
    next_run_at: Mapped[dt.datetime | None]
    seen_at: Mapped[dt.datetime]
