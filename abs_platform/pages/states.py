# SPDX-License-Identifier: EUPL-1.2
"""What may wait at the coordinator."""

from flask_babel import lazy_gettext as _l

from abs_platform.lives import LabelledEnum


class WaitingKind(LabelledEnum):
    """One kind of thing that waits at the coordinator, in the order in which they are read."""

    TO_RELEASE = "to_release", _l("Rondes om voor te bereiden")
    TO_ISSUE = "to_issue", _l("Vrijgegeven rondes die nog niet zijn uitgegeven")
    LETTERS = "letters", _l("Brieven die nog niet zijn overgedragen")
    REPLACEMENTS = "replacements", _l("Aanvragen voor een nieuwe brief")
    WORK = "work", _l("Werk dat mislukte")
    JOBS = "jobs", _l("Taken die mislukten")
    JOB_PROCESS = "job_process", _l("Taken op de achtergrond draaien niet")
    CITY_WIDE = "city_wide", _l("Initiatieven voor de hele gemeente")
