# SPDX-License-Identifier: EUPL-1.2
"""A sample of every mail: what its templates need, as it might be. A new mail brings its own."""

from __future__ import annotations

import datetime as dt
from typing import Any

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
        "starts_on": dt.date(2026, 12, 1),
        "ends_on": dt.date(2026, 12, 24),
        "is_over": False,
    },
    "second_factor_changed": {
        "what": "Er is een passkey toegevoegd.",
        "happened_at": dt.datetime(2026, 11, 22, 9, 30, tzinfo=dt.UTC),
    },
    "sign_in": {"code": "012345", "token": "abcDEF-123_x", "minutes": 10},
}
