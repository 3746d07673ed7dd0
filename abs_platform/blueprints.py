# SPDX-License-Identifier: EUPL-1.2
"""All rooms with addresses of their own: which blueprints there are, and which of them the demo alone has."""

from __future__ import annotations

from abs_platform.accountability.routes_costs import bp as accountability_bp
from abs_platform.accountability.routes_regie import bp as accountability_regie_bp
from abs_platform.accounts.routes_account import bp as accounts_bp
from abs_platform.accounts.routes_set_up import bp as second_factor_bp
from abs_platform.accounts.routes_staff import bp as staff_bp
from abs_platform.agenda.routes import bp as agenda_bp
from abs_platform.agenda.routes_organisers import bp as activities_bp
from abs_platform.agenda.routes_regie import bp as agenda_regie_bp
from abs_platform.areas.routes_beheer import bp as help_points_bp
from abs_platform.cashbook.routes import bp as cashbook_bp
from abs_platform.demo.routes import bp as demo_bp
from abs_platform.districts.routes import bp as districts_bp
from abs_platform.districts.routes_regie import bp as profiles_bp
from abs_platform.donations.routes import bp as donations_bp
from abs_platform.event_log.routes import bp as event_log_bp
from abs_platform.finance.routes import bp as finance_bp
from abs_platform.finance.routes_books import bp as books_bp
from abs_platform.flyers.routes import bp as flyers_bp
from abs_platform.following.routes_managing import bp as following_bp
from abs_platform.help_offers.routes import bp as help_offers_bp
from abs_platform.households.routes_files import bp as addresses_desk_bp
from abs_platform.initiatives.routes import bp as initiatives_bp
from abs_platform.initiatives.routes_illustrations import bp as illustrations_bp
from abs_platform.initiatives.routes_map import bp as map_bp
from abs_platform.initiatives.routes_organisers import bp as invitations_bp
from abs_platform.initiatives.routes_sending import bp as submitting_bp
from abs_platform.initiatives.routes_sharing import bp as sharing_bp
from abs_platform.letters.routes_beheer_runs import bp as letters_desk_bp
from abs_platform.letters.routes_beheer_texts import bp as letter_texts_bp
from abs_platform.mail.routes import bp as demo_mail_bp
from abs_platform.media.routes import bp as media_bp
from abs_platform.moderation.routes import bp as desk_bp
from abs_platform.moderation.routes_account import bp as conversation_bp
from abs_platform.moderation.routes_deciding import bp as deciding_bp
from abs_platform.moderation.routes_exceptions import bp as exceptions_bp
from abs_platform.news.routes import bp as news_bp
from abs_platform.news.routes_regie import bp as news_regie_bp
from abs_platform.objections.routes import bp as objections_bp
from abs_platform.objections.routes_regie import bp as objections_regie_bp
from abs_platform.organisers.routes import bp as organisers_bp
from abs_platform.pages.routes import bp as pages_bp
from abs_platform.pages.routes_app import bp as app_bp
from abs_platform.pages.routes_machines import bp as machines_bp
from abs_platform.paper.routes import bp as paper_bp
from abs_platform.paper.routes_balie import bp as counter_bp
from abs_platform.paper.routes_boxes import bp as boxes_bp
from abs_platform.paper.routes_regie import bp as paper_regie_bp
from abs_platform.payments.routes import bp as payments_bp
from abs_platform.payments.routes_webhook import bp as webhook_bp
from abs_platform.payouts.routes import bp as payouts_bp
from abs_platform.payouts.routes_batches import bp as batches_bp
from abs_platform.payouts.routes_financien import bp as payouts_finance_bp
from abs_platform.payouts.routes_regie import bp as payouts_regie_bp
from abs_platform.payouts.routes_statements import bp as statements_bp
from abs_platform.payouts.routes_unspent import bp as unspent_bp
from abs_platform.questions.routes import bp as questions_bp
from abs_platform.questions.routes_regie import bp as questions_regie_bp
from abs_platform.replacements.routes import bp as lost_letters_bp
from abs_platform.replacements.routes_beheer import bp as post_desk_bp
from abs_platform.reports.routes import bp as reports_bp
from abs_platform.reports.routes_beheer import bp as reports_desk_bp
from abs_platform.reports.routes_years import bp as reports_years_bp
from abs_platform.rounds.routes_ending import bp as rounds_desk_bp
from abs_platform.rule_settings.routes import bp as rule_settings_bp
from abs_platform.rulebook.routes_beheer import bp as rulebook_bp
from abs_platform.site_texts.routes import bp as site_texts_bp
from abs_platform.site_texts.routes_beheer import bp as site_texts_desk_bp
from abs_platform.updates.routes_givers import bp as updates_bp
from abs_platform.updates.routes_regie import bp as updates_regie_bp
from abs_platform.vouchers.routes import bp as vouchers_bp
from abs_platform.vouchers.routes_account import bp as kept_vouchers_bp
from abs_platform.work.routes import bp as work_desk_bp
from abs_platform.work.routes_jobs import bp as jobs_desk_bp

BLUEPRINTS = (
    pages_bp,
    app_bp,
    site_texts_bp,
    site_texts_desk_bp,
    machines_bp,
    accounts_bp,
    media_bp,
    initiatives_bp,
    news_bp,
    agenda_bp,
    news_regie_bp,
    agenda_regie_bp,
    map_bp,
    sharing_bp,
    activities_bp,
    illustrations_bp,
    vouchers_bp,
    kept_vouchers_bp,
    lost_letters_bp,
    objections_bp,
    post_desk_bp,
    donations_bp,
    cashbook_bp,
    reports_bp,
    reports_desk_bp,
    reports_years_bp,
    districts_bp,
    profiles_bp,
    rulebook_bp,
    flyers_bp,
    following_bp,
    payments_bp,
    webhook_bp,
    submitting_bp,
    invitations_bp,
    second_factor_bp,
    staff_bp,
    desk_bp,
    deciding_bp,
    exceptions_bp,
    conversation_bp,
    organisers_bp,
    updates_bp,
    questions_bp,
    help_offers_bp,
    accountability_bp,
    updates_regie_bp,
    questions_regie_bp,
    accountability_regie_bp,
    paper_bp,
    boxes_bp,
    paper_regie_bp,
    objections_regie_bp,
    counter_bp,
    finance_bp,
    books_bp,
    payouts_bp,
    payouts_regie_bp,
    payouts_finance_bp,
    unspent_bp,
    batches_bp,
    statements_bp,
    work_desk_bp,
    jobs_desk_bp,
    rule_settings_bp,
    event_log_bp,
    help_points_bp,
    rounds_desk_bp,
    addresses_desk_bp,
    letter_texts_bp,
    letters_desk_bp,
)
DEMO_BLUEPRINTS = (demo_mail_bp, demo_bp)
