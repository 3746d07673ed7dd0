# SPDX-License-Identifier: EUPL-1.2
"""The life of an initiative, its themes and who organises it."""

from flask_babel import lazy_gettext as _l

from abs_platform.lives import LabelledEnum


class InitiativeState(LabelledEnum):
    """Where an initiative is in its life."""

    DRAFT = "draft", _l("concept")
    SUBMITTED = "submitted", _l("ingediend")
    CHANGES_REQUESTED = "changes_requested", _l("aanpassing gevraagd")
    PUBLISHED = "published", _l("haalt nu geld op")
    REJECTED = "rejected", _l("afgewezen")
    FUNDED = "funded", _l("bedrag is binnen")
    EXPIRED = "expired", _l("niet gehaald")
    STOPPED = "stopped", _l("gestopt")
    IN_PROGRESS = "in_progress", _l("in uitvoering")
    REALISED = "realised", _l("gelukt")
    WITHDRAWN = "withdrawn", _l("ingetrokken")


_S = InitiativeState
TRANSITIONS: dict[InitiativeState, frozenset[InitiativeState]] = {
    _S.DRAFT: frozenset({_S.SUBMITTED, _S.WITHDRAWN}),
    _S.SUBMITTED: frozenset({_S.CHANGES_REQUESTED, _S.PUBLISHED, _S.REJECTED, _S.WITHDRAWN}),
    _S.CHANGES_REQUESTED: frozenset({_S.SUBMITTED, _S.WITHDRAWN}),
    _S.PUBLISHED: frozenset({_S.FUNDED, _S.EXPIRED, _S.STOPPED, _S.WITHDRAWN}),
    _S.FUNDED: frozenset({_S.IN_PROGRESS, _S.STOPPED}),
    _S.IN_PROGRESS: frozenset({_S.REALISED, _S.STOPPED}),
    _S.REJECTED: frozenset(),
    _S.EXPIRED: frozenset(),
    _S.STOPPED: frozenset(),
    _S.REALISED: frozenset(),
    _S.WITHDRAWN: frozenset(),
}
# What anyone may see once it was published, also after the end: people gave to these.
PUBLIC_STATES = (_S.PUBLISHED, _S.FUNDED, _S.IN_PROGRESS, _S.REALISED, _S.EXPIRED, _S.STOPPED, _S.WITHDRAWN)
# The ends after which gifts go back to their givers (rule 7).
FAILED_STATES = (_S.EXPIRED, _S.STOPPED, _S.WITHDRAWN)


class Theme(LabelledEnum):
    """What an initiative is about."""

    GREEN = "green", _l("Groen")
    PLAY = "play", _l("Spelen")
    MEETING = "meeting", _l("Ontmoeten")
    SPORT = "sport", _l("Sport en bewegen")
    CULTURE = "culture", _l("Kunst en cultuur")
    SAFETY = "safety", _l("Veiligheid")
    CARE = "care", _l("Zorg voor elkaar")
    LEARNING = "learning", _l("Leren")
    SUSTAINABILITY = "sustainability", _l("Duurzaam")
    MOBILITY = "mobility", _l("Onderweg")


class OrganiserRole(LabelledEnum):
    """Every initiative has one initiator and at least two co-organisers (rule 4)."""

    INITIATOR = "initiator", _l("initiatiefnemer")
    CO_ORGANISER = "co_organiser", _l("medeorganisator")


class NeedKind(LabelledEnum):
    """What an initiative asks for besides money."""

    HANDS = "hands", _l("hulp")
    MATERIALS = "materials", _l("materiaal")
    KNOWLEDGE = "knowledge", _l("kennis")


class RevisionKind(LabelledEnum):
    """Why the text of an initiative was kept once more."""

    SUBMITTED = "submitted", _l("ingediend")
    EDITED = "edited", _l("aangepast")
    APPROVED = "approved", _l("wijziging goedgekeurd")


class OverridableRule(LabelledEnum):
    """What the coordinator may set aside for one initiative, with a reason (rule 4)."""

    ORGANISERS = "organisers", _l("drie organisatoren op drie adressen")
    MAXIMUM = "maximum", _l("het hoogste streefbedrag")
