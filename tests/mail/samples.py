# SPDX-License-Identifier: EUPL-1.2
"""A sample of every mail: what its templates need, as it might be. A new mail brings its own."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from abs_platform.following.digest_queries import Item
from abs_platform.following.digests import Group, Line
from abs_platform.following.queries import NamedTopic
from abs_platform.following.states import FollowKind, ItemKind, Topic

_DECISION: dict[str, Any] = {
    "initiative_id": 12,
    "slug": "bomen-voor-het-plein",
    "title": "Bomen & bankjes voor het <grote> plein",
    "reason": "Vraag eerst de buren & de winkels.\n\nDaarna kijken we opnieuw.",
    "name": "Sanne",
    "is_coordinator": False,
    "desk": "Windmolenbroek",
    "to_desk": "De <Riet>",
    "answer_by": dt.date(2026, 12, 4),
    "days": 10,
}
_MESSAGE: dict[str, Any] = {
    "initiative_id": 12,
    "title": "Bomen & bankjes voor het <grote> plein",
    "text": "Mag de bank ook op de <hoek> staan?",
    "name": "Sanne",
}

_ORGANISER: dict[str, Any] = {"to_name": "Anna & <Zoon>", "title": "Bomen & bankjes voor het <grote> plein"}

_SITE = "https://buurtsamen.example"
_ENGAGED: dict[str, Any] = {
    "title": "Bomen & bankjes voor het <grote> plein",
    "name": "Fatima <el Amrani>",
    "need": "Een aanhanger & twee <sterke> mensen",
    "note": "Op zaterdag <niet>.",
    "body": "Het **begint** & het is <mooi>.\n\n- bomen\n- bankjes",
    "question": "Wanneer & waar <precies>?",
    "reason": "Hier staat een <naam> & een adres in.",
    "remark": "De bon van de <bomen> & die van de koffie.",
    "update_title": "De eerste <boom> & de tweede",
    "amount_cents": 750,
    "target_cents": 125_000,
    "raised_cents": 30_000,
    "days": 14,
    "since": dt.date(2026, 11, 1),
    "begun_on": dt.date(2026, 9, 1),
    "deadline_on": dt.date(2026, 12, 6),
    "invited_on": dt.date(2026, 11, 15),
    "initiator": "Jan & <Co>",
    "for_organiser": False,
    "is_official": True,
    "is_answer": False,
    "state": "expired",
    "went_on_to": None,
    "last_day": dt.date(2027, 1, 21),
    "page_url": f"{_SITE}/initiatieven/12",
    "home_url": f"{_SITE}/account/initiatieven/12",
    "edit_url": f"{_SITE}/initiatieven/12/bewerken",
    "offers_url": f"{_SITE}/account/initiatieven/12/hulp",
    "mine_url": f"{_SITE}/account/hulp",
    "answer_url": f"{_SITE}/vragen/3/antwoord",
    "manage_url": f"{_SITE}/account/initiatieven/12/vragen",
    "questions_url": f"{_SITE}/initiatieven/12/vragen#vraag-3",
    "receipt_url": f"{_SITE}/giften/ABCDEFGHJK",
    "initiatives_url": f"{_SITE}/initiatieven",
    "stop_url": f"{_SITE}/nieuws-stoppen/MQ.abc",
}
_MONEY = _ENGAGED | {
    "reference": "ABCDEFGHJK",
    "giver_name": "Bakker <Bos> & zoon",
    "organisation_name": "Bakker <Bos> & zoon",
    "paid_at": dt.datetime(2026, 11, 22, 14, 30, tzinfo=dt.UTC),
    "reason": "stopped",
    "with_voucher": True,
}
_PAYOUT = _ENGAGED | {"paid_on": dt.date(2026, 11, 24), "payout_url": f"{_SITE}/account/initiatieven/12/uitbetaling"}
_PAPER: dict[str, Any] = {
    "reference": "K7QJ4M",
    "waits_until": dt.datetime(2026, 11, 24, 14, 30, tzinfo=dt.UTC),
    "count": 40,
    "is_released": False,
    "batch_url": f"{_SITE}/regie/papier/3",
    "paper_url": f"{_SITE}/account/initiatieven/12/papier",
}
_URGENT = [
    {
        "title": "Bomen & <bankjes>",
        "kind_label": "nieuw initiatief",
        "answer_by": dt.date(2026, 11, 20),
        "days_left": -1,
    },
    {"title": "Een pluktuin", "kind_label": "verantwoording", "answer_by": dt.date(2026, 11, 24), "days_left": 1},
]

_FOLLOWED = [
    NamedTopic(Topic(FollowKind.AREA, area_id=3), "De <Riet> & omgeving"),
    NamedTopic(Topic(FollowKind.THEME, theme="green")),
]
_NEWS = {
    kind: Item(
        kind=kind,
        moment=dt.datetime(2026, 11, 22, 14, 30, tzinfo=dt.UTC),
        id=12,
        slug="bomen",
        title="Bomen & bankjes voor het <grote> plein",
        text="Meer groen & een <bank>.",
        area_id=3,
    )
    for kind in ItemKind
}
_NEWS[ItemKind.NEW] = replace(_NEWS[ItemKind.NEW], raised_cents=30_000, target_cents=125_000)
_NEWS[ItemKind.UPDATE] = replace(_NEWS[ItemKind.UPDATE], text="", about="Een <pluktuin> & meer")
_NEWS[ItemKind.AGENDA] = replace(
    _NEWS[ItemKind.AGENDA], starts_at=dt.datetime(2026, 11, 28, 13, 0, tzinfo=dt.UTC), place="Het <plein> & de hal"
)
_LINES = [Line(item, f"{_SITE}/initiatieven/12-{kind}") for kind, item in _NEWS.items()]

# Name of the mail -> its context. Words as residents write them: with an & and a < where they can.
SAMPLES: dict[str, dict[str, Any]] = {
    "decision_publish": _DECISION,
    "decision_request_changes": _DECISION,
    "decision_reject": _DECISION,
    "decision_stop": _DECISION,
    "decision_hand_over": _DECISION,
    "decision_approve_change": _DECISION,
    "decision_refuse_change": _DECISION,
    "handed_over": _DECISION,
    "desk_message": _MESSAGE,
    "organiser_message": _MESSAGE,
    "rule_set_aside": _MESSAGE | {"rule": "drie organisatoren op drie adressen", "reason": "Het is een kleine straat."},
    "staff_invitation": {"name": "Jan & Co", "roles": ["wijkregisseur"], "desks": ["Aadorp", "De <Riet>"]},
    "staff_changed": {"name": "", "roles": ["wijkregisseur", "beheerder"], "desks": ["Hele gemeente"]},
    "staff_stand_in": {
        "name": "Anna <de Vries> & Co",
        "stand_in": "Bert",
        "starts_on": dt.date(2026, 12, 1),
        "ends_on": dt.date(2026, 12, 24),
        "is_over": False,
    },
    "staff_absence": {
        "name": "Anna",
        "stand_in": "Bert & <Co>",
        "starts_on": dt.date(2026, 12, 1),
        "ends_on": dt.date(2026, 12, 24),
        "is_over": False,
    },
    "second_factor_changed": {
        "what": "Er is een passkey toegevoegd.",
        "happened_at": dt.datetime(2026, 11, 22, 9, 30, tzinfo=dt.UTC),
    },
    "co_organiser_invitation": _ORGANISER | {"initiator_name": "Jan & <Co>", "token": "abcDEF-123_x", "valid_days": 60},
    "co_organiser_confirmed": _ORGANISER | {"name": "Bram <de Wit>", "initiative_id": 12, "addresses": 2, "needed": 1},
    "co_organiser_declined": _ORGANISER
    | {"name": "Bram <de Wit>", "initiative_id": 12, "reason": "Ik <verhuis> & heb geen tijd.", "is_unknown": False},
    "initiative_submitted": _ORGANISER
    | {"initiative_id": 12, "answer_by": dt.date(2026, 12, 4), "managers": ["Sanne <V>", "Tom"]},
    "initiative_expired": {
        "to_name": "Anna",
        "title": "Bomen <b>",
        "initiative_id": 12,
        "raised_cents": 12_000,
        "target_cents": 50_000,
    },
    "initiative_withdrawn": {"to_name": "Anna", "title": "Bomen <b>", "reason": "Geen tijd.", "has_gifts": True},
    "follow_confirm": {"topics": _FOLLOWED, "token": "abcDEF-123_x", "days": 7},
    "follow_link": {"token": "abcDEF-123_x", "stop": "abcDEF-456_x"},
    "digest": {
        "groups": [
            Group("De <Riet>", is_for_all=False, lines=_LINES, more=3, more_url=f"{_SITE}/initiatieven?wijk=de-riet"),
            Group("Almelo & meer", is_for_all=True, lines=_LINES[:1], more=0, more_url=f"{_SITE}/initiatieven"),
        ],
        "first": "Bomen & bankjes voor het <grote> plein",
        "count": 11,
        "manage_url": f"{_SITE}/volgen/beheer/MQ.abc",
        "stop_url": f"{_SITE}/volgen/stoppen/MQ.abc",
    },
    "sign_in": {"code": "012345", "token": "abcDEF-123_x", "minutes": 10},
    "update_posted": _ENGAGED,
    "thank_you": _ENGAGED,
    "update_hidden": _ENGAGED,
    "activity_withdrawn": _ENGAGED
    | {"item_title": "Planten & <graven>", "starts_at": dt.datetime(2026, 12, 5, 9, 0, tzinfo=dt.UTC)},
    "gift_returned": _ENGAGED,
    "gift_received": _MONEY,
    "gift_late": _MONEY,
    "gift_refunded": _MONEY,
    "gift_stuck": _MONEY,
    "payout_incomplete": _PAYOUT,
    "payout_refused": _PAYOUT,
    "payout_paid": _PAYOUT,
    "payout_bounced": _PAYOUT,
    "initiative_funded": _ENGAGED,
    "initiative_realised": _ENGAGED,
    "help_offered": _ENGAGED,
    "help_accepted": _ENGAGED,
    "help_thanked": _ENGAGED,
    "help_withdrawn": _ENGAGED,
    "question_asked": _ENGAGED,
    "question_answered": _ENGAGED,
    "question_hidden": _ENGAGED,
    "large_batch_waits": _ENGAGED | _PAPER,
    "large_batch_decided": _ENGAGED | _PAPER,
    "accountability_returned": _ENGAGED,
    "accountability_due": _ENGAGED,
    "reminder_co_organiser": _ENGAGED,
    "reminder_draft": _ENGAGED,
    "reminder_changes": _ENGAGED,
    "reminder_begin": _ENGAGED,
    "reminder_deadline": _ENGAGED,
    "books_broken": {
        "name": "Frits & <Co>",
        "count": 2,
        "breaches": ["owed and disputes = the payments that wait for it: owed: ledger 1 & payments <0>", "elders: ook"],
        "tasks_url": f"{_SITE}/financien/taken",
    },
    "reminder_kept": {
        "count": 2,
        "amount_cents": 1_500,
        "last_day": dt.date(2027, 6, 1),
        "is_last_call": False,
        "vouchers_url": f"{_SITE}/account/vouchers",
    },
    "reminder_desk": {"name": "Sanne & <Co>", "items": _URGENT, "desk_url": f"{_SITE}/regie"},
}
