# SPDX-License-Identifier: EUPL-1.2
"""Prove every round against its seals and the books each night, and count the closed ones for their pages."""

import datetime as dt

import structlog

from abs_platform.database import one_snapshot, transaction
from abs_platform.reports.proving import prove
from abs_platform.reports.queries import rounds
from abs_platform.reports.service import keep_figures, keep_proof
from jobs.runner import JobReport

log = structlog.get_logger()


def run(now: dt.datetime) -> JobReport:
    """A snapshot a round for its proof, and a transaction for what is kept of it. What is wrong is an alarm."""

    def prove_round(round_id: int) -> int:
        with transaction() as session:
            one_snapshot(session)
            proof = prove(session, round_id)
        with transaction() as session:
            keep_figures(session, round_id, is_final=False, now=now)
            keep_proof(session, round_id, fault_count=len(proof.faults), now=now)
        if not proof.is_right:
            log.error("alarm: a round is not what was sealed", round=round_id, faults=len(proof.faults))
            report.errors.extend(f"round {round_id}: {fault}" for fault in proof.faults)
        return 0

    with transaction() as session:
        round_ids = [one.id for one in rounds(session)]
    report = JobReport()
    report.each(round_ids, prove_round)
    return report
