# SPDX-License-Identifier: EUPL-1.2
"""Forget what is no longer needed: tries, old mails and sessions, who held a voucher of a settled round (rule 11)."""

import datetime as dt
from functools import partial

from flask import current_app

from abs_platform import attempts
from abs_platform.accounts.service import purge as purge_sign_ins
from abs_platform.actors import Actor
from abs_platform.database import db, transaction
from abs_platform.donations.service import forget_addresses as forget_givers
from abs_platform.following.service import purge as purge_followers
from abs_platform.households import sent_files
from abs_platform.initiatives.organisers import forget_addresses
from abs_platform.letters import handing_over
from abs_platform.mail.service import forget as forget_mails
from abs_platform.media.keeping import sweep
from abs_platform.media.queries import keys_in_use
from abs_platform.media.service import forget_removed
from abs_platform.payments.service import forget_addresses as forget_receipts
from abs_platform.replacements.service import forget_households as forget_requests
from abs_platform.reports.service import keep_figures
from abs_platform.rule_settings.service import current_rules
from abs_platform.vouchers.keeping import forget_kept
from abs_platform.vouchers.queries import settled_rounds
from abs_platform.vouchers.redeeming import purge_attempts
from abs_platform.vouchers.service import forget_households
from abs_platform.work.service import forget_part
from abs_platform.work.states import WorkKind
from jobs.runner import JobReport

ACTOR = Actor("job", "purge_personal_data")
LEFT_AFTER = dt.timedelta(days=1)


def run(now: dt.datetime) -> JobReport:
    """One transaction for what grows old by itself, and one a round; then the files that no row speaks of any more."""
    days = current_rules().settled_after_days
    closed_before = now - dt.timedelta(days=days)

    def forget(round_id: int) -> int:
        with transaction() as session:
            keep_figures(session, round_id, is_final=True, now=now)
            return forget_households(session, round_id, actor=ACTOR, now=now) + forget_requests(session, round_id)

    def sweep_files(_store: str) -> int:
        with transaction() as session:
            keys = keys_in_use(session)
        return sweep(current_app.extensions["file_store"], keys, now)

    letters = handing_over.files_to_forget(db.session(), now)

    def forget_letters(run_id: int) -> int:
        for key in letters[run_id]:
            current_app.extensions["file_store"].delete(key)
        with transaction() as session:
            return handing_over.forget_files(session, run_id, letters[run_id], actor=ACTOR, now=now)

    with transaction() as session:
        forgotten = purge_attempts(session, now) + forget_mails(session, now=now)
        forgotten += attempts.purge(session, now) + purge_sign_ins(session, now) + forget_addresses(session)
        forgotten += forget_removed(session, now) + forget_givers(session, now) + forget_receipts(session, now)
        forgotten += forget_kept(session, now) + purge_followers(session, now)
        forgotten += forget_part(session, WorkKind.CHECK_ADDRESSES, "rejections", before=now - sent_files.KEPT_FOR)
        report = JobReport(changed=forgotten)
    report.each(settled_rounds(db.session(), closed_before), forget)
    report.each(letters, forget_letters)
    report.each(["file store"], sweep_files)
    report.each(["address files"], partial(_forget_address_files, now=now))
    report.each(["letters"], partial(_sweep_letters, now=now))
    return report


def _forget_address_files(_folder: str, *, now: dt.datetime) -> int:
    store = current_app.extensions["file_store"]
    with transaction() as session:
        keys = sent_files.forgettable(session, store.keys(f"{sent_files.FOLDER}/"), now)
    for key in keys:
        store.delete(key)
    return len(keys)


def _sweep_letters(_folder: str, *, now: dt.datetime) -> int:
    """Sealed letters of which no row speaks: their press was killed, or its run withdrawn, before the row was there."""
    store = current_app.extensions["file_store"]
    old = [key for key, written_at in store.keys("letters/") if written_at < now - LEFT_AFTER]
    with transaction() as session:
        left = set(old) - handing_over.kept_copies(session)
    for key in sorted(left):
        store.delete(key)
    return len(left)
