# SPDX-License-Identifier: EUPL-1.2
"""The life of a run of letters, and the kinds of its files."""

from flask_babel import lazy_gettext as _l

from abs_platform.lives import LabelledEnum


class RunState(LabelledEnum):
    """Where a run of letters stands."""

    MAKING = "making", _l("wordt gemaakt")
    MADE = "made", _l("klaar om over te dragen")
    HANDED_OVER = "handed_over", _l("overgedragen aan de drukker")
    WITHDRAWN = "withdrawn", _l("ingetrokken")


TRANSITIONS: dict[RunState, frozenset[RunState]] = {
    RunState.MAKING: frozenset({RunState.MADE, RunState.WITHDRAWN}),
    RunState.MADE: frozenset({RunState.HANDED_OVER, RunState.WITHDRAWN}),
    RunState.HANDED_OVER: frozenset(),
    RunState.WITHDRAWN: frozenset(),
}


class FileKind(LabelledEnum):
    """What a file of a run holds."""

    LETTERS = "letters", _l("brieven")
    ADDRESSES = "addresses", _l("adressen en codes voor de drukker")
