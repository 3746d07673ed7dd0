# SPDX-License-Identifier: EUPL-1.2
"""Who may enter which route with which object: the one table. A route that is not in it fails the tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.media.pictures import photo
from tests.permissions.town import (
    ANONYMOUS,
    CO,
    COORDINATOR,
    ELSEWHERE_MANAGER,
    FINANCE,
    HELPER,
    INITIATOR,
    INVITATION,
    OWN,
    PAYOUT_IBAN,
    PEOPLE,
    RESIDENT,
    STAND_IN,
    TORN,
)

EVERYBODY = frozenset(PEOPLE)
SIGNED_IN = EVERYBODY - {ANONYMOUS}
ORGANISERS = frozenset({INITIATOR, CO, TORN})
NOT_THE_INITIATOR = ORGANISERS - {INITIATOR}
DESK = frozenset({OWN, STAND_IN})
POSTERS = DESK | {TORN, COORDINATOR}
LOOKERS = DESK | {ELSEWHERE_MANAGER, COORDINATOR}
COORDINATORS = frozenset({COORDINATOR})
WELCOMERS = DESK | {TORN, COORDINATOR}

PHOTO = (photo(300, 220, seed=1), "foto.jpg")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A route with its objects, who may, and what they send.

    ``told`` are those who may open it and are told that this cannot be done (409); nothing changes. ``answers`` are the
    statuses with which it is answered to who may. Values like "{draft}" are numbers of objects of the town.
    """

    may: frozenset[str]
    args: Mapping[str, Any] = field(default_factory=dict)
    form: Mapping[str, Any] = field(default_factory=dict)
    told: frozenset[str] = frozenset()
    answers: frozenset[int] = frozenset({200, 302, 303})


def of(name: str, /, **more: Any) -> dict[str, Any]:
    """The arguments of a route about one of the initiatives."""
    return {"initiative_id": f"{{{name}}}", **more}


def organisers_of(name: str, form: Mapping[str, Any] | None = None, /, **more: Any) -> Entry:
    """A route for all organisers of one of the initiatives."""
    return Entry(may=ORGANISERS, args=of(name, **more), form=form or {})


def coordinator(form: Mapping[str, Any] | None = None, /, **args: Any) -> Entry:
    """A route of /beheer."""
    return Entry(may=COORDINATORS, args=args, form=form or {})


def finance(form: Mapping[str, Any] | None = None, /, **args: Any) -> Entry:
    """A route of /financien."""
    return Entry(may=frozenset({FINANCE}), args=args, form=form or {})


_BANK = {"iban": "", "holder_name": "Vereniging Noord", "holder_kind": "organisation", "amount": "10", "version": "1"}
_ACTIVITY = {"title": "Plantdag", "place": "Noorderplein", "starts_on": "{later}", "description": ""} | {
    "starts_time": "14:00",
    "ends_time": "16:00",
    "ends_on": "",
}
_QUESTION = {"text": "Is er muziek?", "help": "", "version": "1"}
_ADVICE = dict.fromkeys(("contact", "legal_basis", "cost_hint", "checklist_text"), "") | {
    "answer": "yes",
    "kind": "permit",
    "title": "Vergunning",
    "explanation": "Vraag die aan.",
    "lead_days": "5",
    "version": "1",
}
_RUN = {"round_id": "{letter_round}", "run_id": "{letter_run}"}
_HELP_POINT = {
    "name": "Wijkcentrum West",
    "address": "Plein 2",
    "opening_hours": "elke dag",
    "phone": "0546 654321",
    "seen": "{help_seen}",
}
_UPDATE = {"update_id": "{draft_update}"}
_LINE = {"actual": "12,50", "no_receipt_reason": "Zoek.", "description": "Touw"}

_POST = {"area_id": "{here}", "title": "Anders", "summary": "Kort.", "body": "Lang.", "seen": "{posted_seal}"}
_ITEM = {
    "area_id": "{here}",
    "title": "Anders",
    "starts_on": "2027-11-20",
    "starts_time": "10:00",
    "ends_time": "11:00",
    "place": "Hier",
    "seen": "{posted_seal}",
}


def posters(form: Mapping[str, Any] | None = None, /, **args: Any) -> Entry:
    """A route of what the desk here writes: for its wijkregisseurs and the coordinator."""
    return Entry(may=POSTERS, args=args, form=form or {})


_PLAN = {
    "name": "Najaar",
    "issue_on": "2098-01-01",
    "opens_on": "2098-01-10",
    "closes_on": "2098-02-10",
    "amount": "7,50",
    "districts": "WK014119",
}

Entries = Entry | tuple[Entry, ...]

TABLE: dict[str, Entries] = {
    # -- the own account
    "accounts.end_device": Entry(may=frozenset({RESIDENT}), args={"session_id": "{session}"}),
    # -- letters that were lost or came back
    "addresses_desk.show": coordinator(household_id="{marked_household}"),
    "addresses_desk.ask_end": coordinator(household_id="{marked_household}"),
    "addresses_desk.end": coordinator({"reason": "Gesloopt."}, household_id="{marked_household}"),
    "addresses_desk.ask_bring_back": coordinator(household_id="{ended_household}"),
    "addresses_desk.bring_back": coordinator({"reason": "Toch niet."}, household_id="{ended_household}"),
    "addresses_desk.ask_split": coordinator(household_id="{marked_household}"),
    "addresses_desk.split": coordinator(
        {"reason": "Verbouwd.", "numbers": "{marked_number}A, {marked_number}B"}, household_id="{marked_household}"
    ),
    "addresses_desk.report": coordinator(order_id="{address_check}"),
    "addresses_desk.ask_apply": coordinator(order_id="{address_check}"),
    "addresses_desk.apply": Entry(
        may=COORDINATORS, args={"order_id": "{address_check}"}, form={}, answers=frozenset({422})
    ),
    "post_desk.ask_print": coordinator(round_id="{round}"),
    "post_desk.print_now": coordinator({"count": "1"}, round_id="{round}"),
    "post_desk.ask_clear": coordinator(household_id="{marked_household}"),
    "post_desk.clear": coordinator({"reason": "Er is een brievenbus."}, household_id="{marked_household}"),
    "kept_vouchers.choose": Entry(may=frozenset({RESIDENT}), args={"voucher_id": "{kept_voucher}"}),
    "kept_vouchers.give": Entry(
        may=frozenset({RESIDENT}), args={"voucher_id": "{kept_voucher}"}, form={"initiative_id": "{published}"}
    ),
    # -- rounds
    "reports_desk.of_round": coordinator(round_id="{round}"),
    "reports_desk.closing": coordinator(round_id="{round}"),
    "reports_desk.closing_file": coordinator(round_id="{round}"),
    "rounds_desk.show": coordinator(round_id="{round}"),
    "rounds_desk.edit": coordinator(round_id="{coming_round}"),
    "rounds_desk.change": coordinator(_PLAN, round_id="{coming_round}"),
    "rounds_desk.try_out": coordinator(round_id="{coming_round}"),
    "rounds_desk.ask_release": coordinator(round_id="{coming_round}"),
    "rounds_desk.release": Entry(
        may=COORDINATORS,
        args={"round_id": "{coming_round}"},
        form={"typed": "Een andere naam"},
        answers=frozenset({422}),
    ),
    "rounds_desk.ask_issue": coordinator(round_id="{round}"),
    "rounds_desk.issue": coordinator({"typed": "{round_name}"}, round_id="{round}"),
    "rounds_desk.ask_cancel": coordinator(round_id="{coming_round}"),
    "rounds_desk.cancel": coordinator({"typed": "Volgend jaar", "reason": "Uitgesteld."}, round_id="{coming_round}"),
    "rounds_desk.ask_close": coordinator(round_id="{round}"),
    "rounds_desk.close": coordinator({"typed": "{round_name}", "reason": "Het geld is op."}, round_id="{round}"),
    "rounds_desk.ask_extend": coordinator(round_id="{round}"),
    "rounds_desk.extend": coordinator(
        {"closes_on": "{later}", "reason": "De post was laat.", "sure": "1"}, round_id="{round}"
    ),
    "rounds_desk.ask_budget": coordinator(year=2027),
    "rounds_desk.budget": coordinator({"amount": "500000", "reason": "De raad.", "sure": "1"}, year=2027),
    "second_factor.remove_passkey": Entry(may=frozenset({OWN}), args={"passkey_id": "{passkey}"}),
    "staff.remove_absence": Entry(may=frozenset({OWN}), args={"absence_id": "{absence}"}),
    # -- who works here
    "staff.edit": coordinator(account_id="{account}"),
    "staff.change": coordinator({"roles": "finance"}, account_id="{account}"),
    "staff.end": coordinator(account_id="{account}"),
    "staff.reset_second_factor": coordinator(account_id="{account}"),
    "staff.absence_of": coordinator(account_id="{account}"),
    "staff.add_absence_of": coordinator(
        {"starts_on": "2999-01-01", "ends_on": "2999-01-02", "stand_in_id": "{manager_elsewhere}"},
        account_id="{account}",
    ),
    "staff.remove_absence_of": coordinator(account_id="{account}", absence_id="{absence}"),
    # -- who stands on the page of a district, and what it says first
    "profiles.edit": Entry(may=frozenset({OWN, COORDINATOR}), args={"account_id": "{account}"}),
    "profiles.save": Entry(
        may=frozenset({OWN, COORDINATOR}),
        args={"account_id": "{account}"},
        form={"shown_name": "Sanne", "phone": "0546 123456", "is_public": "1"},
    ),
    "profiles.add_picture": Entry(
        may=frozenset({OWN, COORDINATOR}),
        args={"account_id": "{account}"},
        form={"picture": PHOTO, "alt_text": "Sanne lacht"},
    ),
    "profiles.remove_picture": Entry(may=frozenset({OWN, COORDINATOR}), args={"account_id": "{account}"}),
    "profiles.welcome": Entry(may=WELCOMERS, args={"district_id": "{own_district}"}),
    "profiles.save_welcome": Entry(may=WELCOMERS, args={"district_id": "{own_district}"}, form={"body": "Welkom."}),
    # -- the letter
    "help_points.edit": coordinator(district_id="{district}"),
    "help_points.save": coordinator(_HELP_POINT, district_id="{district}"),
    "help_points.remove": coordinator({"seen": "{help_seen}", "sure": "1"}, district_id="{district}"),
    "site_texts_desk.edit": coordinator(page="over", language="nl"),
    "site_texts_desk.save": coordinator({"body": "Nieuw.", "seen_version": "1"}, page="over", language="nl"),
    "site_texts_desk.history": coordinator(page="over", language="nl"),
    "site_texts_desk.version": coordinator(page="over", language="nl", version=0),
    "site_texts_desk.put_back": coordinator(page="over", language="nl", version=0),
    "letter_texts.show": coordinator(text_id="{letter_text}"),
    "letter_texts.preview": coordinator(text_id="{letter_text}", kind="png"),
    "letter_texts.ask_approve": coordinator(text_id="{letter_text}"),
    "letter_texts.approve": coordinator({"sure": "1"}, text_id="{letter_text}"),
    "letters_desk.index": coordinator(round_id="{letter_round}"),
    "letters_desk.make": coordinator(round_id="{letter_round}", batch_id="{bare_batch}"),
    "letters_desk.download": coordinator(**_RUN, kind="letters", number="1"),
    "letters_desk.download_all": coordinator(**_RUN),
    "letters_desk.manifest": coordinator(**_RUN),
    "letters_desk.ask_hand_over": coordinator(**_RUN),
    "letters_desk.hand_over": coordinator({"sure": "1", "letters": "{letter_count}", "files": "2"}, **_RUN),
    "letters_desk.ask_withdraw": coordinator(**_RUN),
    "letters_desk.withdraw": coordinator({"reason": "De tekst klopt niet."}, **_RUN),
    # -- the rules check
    "work_desk.order": coordinator(order_id="{work_order}"),
    "work_desk.part": coordinator(order_id="{work_order}"),
    "work_desk.cancel": coordinator(order_id="{work_order}"),
    "jobs_desk.job": coordinator(name="check_ledger"),
    "jobs_desk.run_now": coordinator(name="check_ledger"),
    "rule_settings.edit": coordinator(name="objection_days"),
    "rule_settings.change": coordinator(
        {"value": "9", "reason": "Zoals afgesproken", "was": "7", "bevestigd": "1"}, name="objection_days"
    ),
    "rulebook.edit_question": coordinator(question_id="{rule_question}"),
    "rulebook.change_question": coordinator(_QUESTION, question_id="{rule_question}"),
    "rulebook.switch_question": coordinator({"aan": "0", "version": "1"}, question_id="{rule_question}"),
    "rulebook.move_question": coordinator({"richting": "omlaag", "position": "1"}, question_id="{rule_question}"),
    "rulebook.new_advice": coordinator(question_id="{rule_question}"),
    "rulebook.add_advice": coordinator(_ADVICE, question_id="{rule_question}"),
    "rulebook.edit_advice": coordinator(advice_id="{rule_advice}"),
    "rulebook.change_advice": coordinator(_ADVICE, advice_id="{rule_advice}"),
    "rulebook.switch_advice": coordinator({"aan": "0", "version": "1"}, advice_id="{rule_advice}"),
    "rulebook.move_advice": coordinator({"richting": "omlaag", "position": "1"}, advice_id="{rule_advice}"),
    # -- writing
    "submitting.overview": organisers_of("draft"),
    "submitting.show_step": organisers_of("draft", name="verhaal"),
    "submitting.save_step": organisers_of("draft", {"story": "Heel iets anders.", "version": "1"}, name="verhaal"),
    "submitting.save_people": (
        organisers_of("draft", {"audience": "Voor wie wil.", "version": "1"}),
        Entry(
            may=frozenset({INITIATOR}),
            args=of("draft"),
            form={
                "audience": "",
                "version": "1",
                "naar": "vraag",
                "name": "Anna",
                "postcode": "7617 ZX",
                "house_number": "1",
                "invited_name": "Jan",
                "invited_email": "jan@voorbeeld.example",
            },
        ),
    ),
    "submitting.add": organisers_of("draft", {"picture": PHOTO, "alt_text": "Een plein"}),
    "submitting.change": (
        organisers_of("draft", {"alt-{picture}": "Een plein"}, picture_id="{picture}"),
        organisers_of("draft", {"doe": "weg"}, picture_id="{picture}"),
    ),
    "submitting.show_preview": organisers_of("draft"),
    "submitting.send": (
        Entry(may=frozenset({INITIATOR}), args=of("draft"), form={"is_true": "1", "version": "1"}),
        organisers_of("published", {"is_true": "1", "version": "1", "contacts_seen": "1"}),
    ),
    "submitting.withdraw_change": organisers_of("published"),
    "submitting.ask_to_withdraw": Entry(may=frozenset({INITIATOR}), args=of("published")),
    "submitting.withdraw": Entry(may=frozenset({INITIATOR}), args=of("published"), form={"reason": "Het lukt niet."}),
    # -- carrying it
    "organisers.home": organisers_of("draft"),
    "organisers.income": organisers_of("published"),
    "organisers.ask_begin": organisers_of("funded"),
    "organisers.begin": organisers_of("funded"),
    "conversation.show": organisers_of("submitted"),
    "conversation.say": organisers_of("submitted", {"message": "Horen we al iets?"}),
    "flyers.poster": organisers_of("published"),
    "flyers.flyer": organisers_of("published"),
    "paper.index": organisers_of("published"),
    "paper.enter": organisers_of("published", {"codes": "0000-0000-0000"}),
    "boxes.index": organisers_of("published"),
    "boxes.register": organisers_of("published", {"place": "Slagerij Kamp", "address": "Markt 2"}),
    "boxes.label": organisers_of("published", number="{box}"),
    "boxes.remove": organisers_of("published", number="{box}"),
    "updates.index": organisers_of("published"),
    "updates.create": organisers_of("published"),
    "updates.begin": organisers_of("published", {"title": "Nieuws", "body": "Het gaat door."}),
    "updates.edit": organisers_of("published", **_UPDATE),
    "updates.save": organisers_of("published", {"title": "Nieuws", "body": "Anders."}, **_UPDATE),
    "updates.post": organisers_of("published", **_UPDATE),
    "updates.ask_remove": organisers_of("published", **_UPDATE),
    "updates.remove": (
        organisers_of("published", **_UPDATE),
        organisers_of("published", {"reason": "Niet waar."}, update_id="{update}"),
    ),
    "updates.add_photo": organisers_of("published", {"picture": PHOTO, "alt_text": "Een plein"}, **_UPDATE),
    "updates.change_photo": (
        organisers_of("published", {"remove": "1"}, picture_id="{update_picture}", **_UPDATE),
        organisers_of("published", {"alt-{update_picture}": "Een plein"}, picture_id="{update_picture}", **_UPDATE),
    ),
    "activities.index": organisers_of("published"),
    "activities.ask_add": organisers_of("published"),
    "activities.add": organisers_of("published", _ACTIVITY),
    "activities.ask_change": organisers_of("published", item_id="{activity}"),
    "activities.change": organisers_of("published", _ACTIVITY | {"seen": "{activity_seal}"}, item_id="{activity}"),
    "activities.ask_cancel": organisers_of("published", item_id="{activity}"),
    "activities.cancel": organisers_of("published", {"reason": "Het regent."}, item_id="{activity}"),
    "updates.ask_thank": organisers_of("funded"),
    "updates.thank": organisers_of("funded", {"body": "Dank!", "send": "1"}),
    "questions.manage": organisers_of("published"),
    "questions.switch": organisers_of("published", {"on": "0"}),
    "questions.answer": Entry(may=ORGANISERS, args={"post_id": "{question}"}),
    "questions.reply": Entry(may=ORGANISERS, args={"post_id": "{question}"}, form={"body": "In juni."}),
    "help_offers.index": organisers_of("published"),
    "help_offers.answer": (
        organisers_of("published", {"answer": "accept"}, offer_id="{offer}"),
        organisers_of("published", {"answer": "thank"}, offer_id="{offer}"),
    ),
    "accountability.overview": organisers_of("running"),
    "accountability.send": Entry(may=ORGANISERS, args=of("running"), answers=frozenset({422})),
    "accountability.story": organisers_of("running"),
    "accountability.save_story": organisers_of("running", {"story": "Heel iets anders.", "version": "0"}),
    "accountability.photos": organisers_of("running"),
    "accountability.add_photo": organisers_of("running", {"picture": PHOTO, "alt_text": "Een plein"}),
    "accountability.change_photo": (
        organisers_of("running", {"alt-{photo}": "Een plein"}, picture_id="{photo}"),
        organisers_of("running", {"remove": "1"}, picture_id="{photo}"),
    ),
    "accountability.costs": organisers_of("running"),
    "accountability.new_cost": organisers_of("running"),
    "accountability.add_cost": organisers_of("running", {**_LINE, "receipt": (PHOTO[0], "bon.jpg")}),
    "accountability.cost": organisers_of("running", position=1),
    "accountability.save_cost": organisers_of("running", {**_LINE, "seen": "1500"}, position=1),
    "accountability.remove_cost": organisers_of("running", position=3),
    "accountability.remove_receipt": organisers_of("running", picture_id="{receipt}"),
    "accountability.receipt": organisers_of("running", picture_id="{receipt}"),
    # -- its money
    "payouts.show": organisers_of("funded"),
    "payouts.ask": Entry(may=frozenset({INITIATOR}), args=of("realised")),
    "payouts.send": Entry(may=frozenset({INITIATOR}), args=of("realised"), form=_BANK | {"iban": PAYOUT_IBAN}),
    "payouts.edit": Entry(may=frozenset({INITIATOR}), args=of("funded")),
    "payouts.correct": (
        Entry(may=frozenset({INITIATOR}), args=of("funded"), form=_BANK),
        Entry(may=frozenset({INITIATOR}), args=of("running"), form=_BANK | {"iban": PAYOUT_IBAN}),
    ),
    "payouts.take_back": Entry(may=frozenset({INITIATOR}), args=of("funded")),
    "payouts_regie.show": Entry(may=DESK, args=of("funded")),
    "payouts_regie.show_iban": Entry(may=DESK, args=of("funded")),
    "payouts_regie.decide": tuple(
        Entry(may=DESK, args=of("funded"), form=form | {"version": "1"})
        for form in (
            {"decision": "confirm"},
            {"decision": "return", "remark": "De naam mist."},
            {"decision": "refuse", "reason": "Mag niet."},
        )
    ),
    "payouts_finance.show": finance(payout_id="{confirmed_payout}"),
    "payouts_finance.show_iban": finance(payout_id="{confirmed_payout}"),
    "payouts_finance.decide": tuple(
        finance(form | {"version": "1"}, payout_id="{confirmed_payout}")
        for form in (
            {"decision": "approve"},
            {"decision": "return", "remark": "De naam mist."},
            {"decision": "refuse", "reason": "Mag niet."},
        )
    ),
    "payouts_finance.pay_by_hand": finance(
        {"paid_on": "{today}", "paid_note": "Gezien."}, payout_id="{exported_payout}"
    ),
    "payouts_finance.bounce_by_hand": (
        finance({"bounce_reason": "Opgeheven."}, payout_id="{exported_payout}"),
        finance({"bounce_reason": "Kwam terug."}, payout_id="{paid_payout}"),
    ),
    "batches.show": finance(batch_id="{made_batch}"),
    "batches.release": finance(batch_id="{made_batch}"),
    "batches.download": finance(batch_id="{released_batch}"),
    "batches.cancel": (
        finance({"reason": "Dubbel."}, batch_id="{made_batch}"),
        finance({"reason": "Dubbel.", "is_surely_not_executed": "1"}, batch_id="{released_batch}"),
    ),
    "statements.show": finance(statement_id="{statement}"),
    "finance.task": finance(task_id="{task}"),
    "finance.settle": finance({"settlement": "note", "note": "Gezien."}, task_id="{task}"),
    "books.transaction": finance(transaction_id="{transaction}"),
    "books.report": finance(period="{this_month}"),
    "books.csv": finance(period="{this_month}"),
    "books.xlsx": finance(period="{this_month}"),
    "unspent.show": finance(**of("realised")),
    "unspent.book": finance(
        {"amount": "12,50", "received_on": "{today}", "form_key": "0b2c8a5e-54d6-4b3e-8e56-2f5bb2f0a001"},
        **of("realised"),
    ),
    # -- around it
    "questions.ask": Entry(may=SIGNED_IN, args=of("published")),
    "questions.send": Entry(
        may=SIGNED_IN - ORGANISERS, told=ORGANISERS, args=of("published"), form={"body": "Mag mijn hond mee?"}
    ),
    "questions.report": Entry(may=SIGNED_IN, args={"post_id": "{answer}"}),
    "questions.send_report": Entry(
        may=SIGNED_IN - {INITIATOR}, told=frozenset({INITIATOR}), args={"post_id": "{answer}"}, form={"reason": "Raar."}
    ),
    "help_offers.offer": Entry(may=SIGNED_IN, args=of("published", need_id="{need}")),
    "help_offers.make": Entry(
        may=SIGNED_IN - ORGANISERS - {HELPER},
        told=ORGANISERS | {HELPER},
        args=of("published", need_id="{need}"),
        form={"note": "Zaterdag kan ik."},
    ),
    "help_offers.withdraw": Entry(may=frozenset({HELPER}), args={"offer_id": "{offer}"}),
    # -- the desk
    "desk.show": Entry(may=LOOKERS, args=of("submitted")),
    "desk.note": Entry(may=LOOKERS, args=of("submitted"), form={"note": "Bellen met groen."}),
    "desk.message": Entry(may=DESK, args=of("submitted"), form={"message": "We kijken ernaar."}),
    "desk.handled": Entry(may=DESK, args=of("submitted")),
    "desk.checklist": Entry(may=DESK, args=of("submitted"), form={"shown": "fixed.clear", "ticked": "fixed.clear"}),
    "desk.take_up": Entry(may=DESK, args=of("submitted"), form={"handler": "0"}),
    "desk.release": Entry(may=DESK, args=of("published")),
    "deciding.write": (
        *(
            Entry(may=DESK, args=of("submitted"), form={"kind": kind, "reason": "Daarom.", "step": "keep"})
            for kind in ("publish", "request_changes", "reject")
        ),
        *(
            Entry(may=DESK, args=of("published"), form={"kind": kind, "reason": "Daarom.", "step": "keep"})
            for kind in ("stop", "approve_change", "refuse_change")
        ),
        Entry(
            may=DESK | COORDINATORS,
            args=of("submitted"),
            form={"kind": "hand_over", "reason": "Daarom.", "to_area_id": "{elsewhere}", "step": "keep"},
        ),
    ),
    # Of whoever may look each sees and throws away only what she wrote herself; the mail is tried further on.
    "deciding.preview": Entry(may=LOOKERS, args=of("submitted")),
    "deciding.discard": Entry(may=LOOKERS, args=of("submitted")),
    "deciding.give": Entry(
        may=frozenset({OWN}),
        told=LOOKERS - {OWN},
        args=of("submitted"),
        form={"shown": "{shown}", "is_sure": "1"},
    ),
    "deciding.decided": Entry(may=LOOKERS, args=of("published", decision_id="{decision}")),
    "exceptions.show": coordinator(**of("draft")),
    "exceptions.make": coordinator({"rule": "maximum", "reason": "Daarom."}, **of("draft")),
    # -- news and agenda of the desk
    "news_regie.edit": posters(post_id="{draft_post}"),
    "news_regie.save": posters(_POST, post_id="{draft_post}"),
    "news_regie.publish": posters({"when": "now"}, post_id="{draft_post}"),
    "news_regie.take_back": posters(post_id="{coming_post}"),
    "news_regie.set_picture": posters({"picture": PHOTO, "alt_text": "Een plein"}, post_id="{draft_post}"),
    "news_regie.ask_withdraw": posters(post_id="{public_post}"),
    "news_regie.withdraw": posters({"reason": "Fout."}, post_id="{public_post}"),
    "agenda_regie.edit": posters(item_id="{draft_item}"),
    "agenda_regie.save": posters(_ITEM, item_id="{draft_item}"),
    "agenda_regie.publish": posters({"when": "now"}, item_id="{draft_item}"),
    "agenda_regie.take_back": posters(item_id="{coming_item}"),
    "agenda_regie.ask_cancel": posters(item_id="{public_item}"),
    "agenda_regie.cancel": posters({"reason": "Storm."}, item_id="{public_item}"),
    "agenda_regie.ask_withdraw": Entry(may=DESK | {COORDINATOR}, args={"item_id": "{activity}"}),
    "agenda_regie.withdraw": (
        posters({"reason": "Fout."}, item_id="{public_item}"),
        Entry(may=DESK | {COORDINATOR}, args={"item_id": "{activity}"}, form={"reason": "Reclame."}),
    ),
    "updates_regie.ask_hide": Entry(may=DESK, args={"update_id": "{update}"}),
    "updates_regie.hide": Entry(may=DESK, args={"update_id": "{update}"}, form={"reason": "Reclame."}),
    "questions_regie.review": Entry(may=DESK, args={"post_id": "{question}"}),
    "questions_regie.decide": tuple(
        Entry(may=DESK, args={"post_id": "{question}"}, form=form)
        for form in (
            {"decision": "hide", "reason": "Reclame."},
            {"decision": "keep"},
            {"decision": "answer", "body": "Dat mag."},
        )
    ),
    "questions_regie.switch": Entry(may=DESK, args=of("published"), form={"on": "0"}),
    "paper_regie.show": Entry(may=LOOKERS, args={"batch_id": "{entry_batch}"}),
    "paper_regie.decide": (
        Entry(
            may=DESK,
            args={"batch_id": "{entry_batch}"},
            form={"decision": "release", "is_sure": "1"},
        ),
        Entry(may=DESK, args={"batch_id": "{entry_batch}"}, form={"decision": "refuse", "reason": "Te veel."}),
    ),
    "objections_regie.show": Entry(may=LOOKERS, args={"objection_id": "{objection}"}),
    "objections_regie.decide": tuple(
        Entry(may=DESK, args={"objection_id": "{objection}"}, form={"decision": decision, "reason": "Daarom."})
        for decision in ("upheld", "rejected")
    ),
    "accountability_regie.review": Entry(may=DESK, args=of("accounted")),
    "accountability_regie.decide": (
        Entry(
            may=DESK, args=of("accounted"), form={"decision": "return", "remark": "Er mist een bon.", "seen": "{seen}"}
        ),
        Entry(may=DESK, args=of("accounted"), form={"decision": "approve", "seen": "{seen}"}),
    ),
    "accountability_regie.receipt": Entry(
        may=DESK | {FINANCE, TORN}, args=of("accounted", picture_id="{sent_receipt}")
    ),
}

# For whoever has the address, which is the key: a number that only its owner got, or a name that nobody can guess.
BY_TOKEN: dict[str, dict[str, str]] = {
    "accounts.link": {"token": "x" * 43},
    "accounts.use_link": {"token": "x" * 43},
    "invitations.show": {"token": INVITATION + "x"},
    "invitations.answer": {"token": INVITATION + "x"},
    "donations.receipt": {"reference": "GIFT-0000-0000"},
    "payments.go_on": {"reference": "GIFT-0000-0000"},
    "following.confirm": {"token": "x" * 43},
    "following.confirm_now": {"token": "x" * 43},
    "following.manage": {"token": "x" * 43},
    "following.change": {"token": "x" * 43},
    "following.preview": {"token": "x" * 43},
    "following.stop": {"token": "x" * 43},
    "following.stop_now": {"token": "x" * 43},
    "updates.stop_news": {"token": "x" * 43},
    "updates.stop_news_now": {"token": "x" * 43},
    "media.picture": {"key": "0" * 32, "width": "300", "extension": "jpg"},
}
# For all to read once it is published: to nobody before that.
WHEN_PUBLISHED = {
    "initiatives.show": of("draft", slug="x"),
    "news.show": {"post_id": "{coming_post}", "slug": "bericht-coming"},
    "agenda.show": {"item_id": "{coming_item}", "slug": "bericht-coming"},
    "agenda.item_calendar": {"item_id": "{coming_item}"},
    "map.popup": of("draft"),
    "questions.index": of("submitted"),
    "updates.public_index": of("draft"),
    "sharing.picture": of("draft"),
    "sharing.qr": of("submitted"),
    "payments.ask": of("draft"),
    "payments.give": of("draft"),
    "cashbook.of_initiative": of("draft", slug="x"),
    "cashbook.file_of_initiative": of("draft", slug="x"),
}
# The demo shows its mails and people to all; in production these routes do not exist.
OF_THE_DEMO = {"mail.show"}
FOR_ALL = {"boxes.show", "districts.poster", "districts.show", "reports.show", "reports_years.show", "static"}
FOR_ALL |= {"illustrations.show", "machines.sitemap_file", "site_texts.show"}
