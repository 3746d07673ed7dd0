# SPDX-License-Identifier: EUPL-1.2
"""What a desk may decide and from which state, what can wait there, and the checks that are always on the list."""

from flask_babel import lazy_gettext as _l

from abs_platform.initiatives.states import InitiativeState
from abs_platform.lives import LabelledEnum

_S = InitiativeState


class DecisionKind(LabelledEnum):
    """What a desk decides. The label is what is written on the choice."""

    PUBLISH = "publish", _l("Publiceren")
    REQUEST_CHANGES = "request_changes", _l("Vragen om een aanpassing")
    REJECT = "reject", _l("Afwijzen")
    STOP = "stop", _l("Stoppen")
    HAND_OVER = "hand_over", _l("Overdragen aan een andere balie")
    APPROVE_CHANGE = "approve_change", _l("De wijziging goedkeuren")
    REFUSE_CHANGE = "refuse_change", _l("De wijziging weigeren")

    @property
    def done(self) -> str:
        """What was done, as in "Sanne besloot: gepubliceerd"."""
        return str(_DONE[self])


_K = DecisionKind
_DONE = {
    _K.PUBLISH: _l("gepubliceerd"),
    _K.REQUEST_CHANGES: _l("om een aanpassing gevraagd"),
    _K.REJECT: _l("afgewezen"),
    _K.STOP: _l("gestopt"),
    _K.HAND_OVER: _l("overgedragen aan een andere balie"),
    _K.APPROVE_CHANGE: _l("de wijziging goedgekeurd"),
    _K.REFUSE_CHANGE: _l("de wijziging geweigerd"),
}
# Where an initiative still asks something of a desk.
LIVING_STATES = frozenset({_S.SUBMITTED, _S.CHANGES_REQUESTED, _S.PUBLISHED, _S.FUNDED, _S.IN_PROGRESS})
_AFTER_PUBLISHING = frozenset({_S.PUBLISHED, _S.FUNDED, _S.IN_PROGRESS})
DECIDABLE: dict[DecisionKind, frozenset[InitiativeState]] = {
    _K.PUBLISH: frozenset({_S.SUBMITTED}),
    _K.REQUEST_CHANGES: frozenset({_S.SUBMITTED}),
    _K.REJECT: frozenset({_S.SUBMITTED}),
    _K.STOP: _AFTER_PUBLISHING,
    _K.HAND_OVER: LIVING_STATES,
    _K.APPROVE_CHANGE: _AFTER_PUBLISHING,
    _K.REFUSE_CHANGE: _AFTER_PUBLISHING,
}
# These say yes: a note is welcome. All others need a reason.
WITHOUT_REASON = frozenset({_K.PUBLISH, _K.APPROVE_CHANGE})
# These need a change that was sent after publishing.
ABOUT_A_CHANGE = frozenset({_K.APPROVE_CHANGE, _K.REFUSE_CHANGE})
# The coordinator may set a rule aside until the initiative is published.
OVERRIDABLE_STATES = frozenset({_S.DRAFT, _S.CHANGES_REQUESTED, _S.SUBMITTED})


class Side(LabelledEnum):
    """Who speaks in the conversation."""

    DESK = "desk", _l("wijkregisseur")
    ORGANISER = "organiser", _l("organisator")


class WaitingKind(LabelledEnum):
    """What can wait at a desk."""

    SUBMITTED = "submitted", _l("nieuw initiatief")
    CHANGE = "change", _l("wijziging")
    MESSAGE = "message", _l("bericht")
    ACCOUNTABILITY = "accountability", _l("verantwoording")
    PAYOUT = "payout", _l("uitbetaling")
    REPORT = "report", _l("melding bij een vraag")
    LARGE_BATCH = "large_batch", _l("veel codes van papier")
    OBJECTION = "objection", _l("bezwaar")


class FixedCheck(LabelledEnum):
    """What is looked at for every initiative, whatever the answers to the rules check."""

    CLEAR = "fixed.clear", _l("Het plan is duidelijk: wat, waar, wanneer en voor wie")
    FOR_ALL = "fixed.for_all", _l("Buurtbewoners hebben er iets aan en niemand wordt buitengesloten")
    BUDGET = "fixed.budget", _l("De begroting past bij het plan en niemand verdient eraan")
    PLACE = "fixed.place", _l("De plek kan: de eigenaar weet ervan en het staat niet in de weg")
    PEOPLE = "fixed.people", _l("De organisatoren zijn echte bewoners op verschillende adressen")
    PRIVACY = "fixed.privacy", _l("Tekst en foto's noemen of tonen niemand die dat niet weet")
    DOUBLE = "fixed.double", _l("Er is niet al zo'n initiatief in de buurt")
