# SPDX-License-Identifier: EUPL-1.2
"""What can be answered to a question of the rules check, and what kinds of advice there are."""

from flask_babel import lazy_gettext as _l

from abs_platform.lives import LabelledEnum


class Answer(LabelledEnum):
    """What a resident may answer. Not knowing yet is an answer too."""

    YES = "yes", _l("ja")
    NO = "no", _l("nee")
    UNKNOWN = "unknown", _l("weet ik nog niet")


class AdviceKind(LabelledEnum):
    """How heavy an advice is, the heaviest first."""

    PERMIT = "permit", _l("vergunning")
    NOTIFICATION = "notification", _l("melding")
    AGREEMENT = "agreement", _l("afspraak")
    TIP = "tip", _l("tip")
