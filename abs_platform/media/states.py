# SPDX-License-Identifier: EUPL-1.2
"""What a picture is for, how many there may be, and who may see it."""

from flask_babel import lazy_gettext as _l

from abs_platform.lives import LabelledEnum


class Purpose(LabelledEnum):
    """Where a picture stands."""

    INITIATIVE = "initiative", _l("foto bij het initiatief")
    UPDATE = "update", _l("foto bij een bericht")
    ACCOUNTABILITY = "accountability", _l("foto bij de verantwoording")
    RECEIPT = "receipt", _l("bon")


# How many there may be in one place: of an initiative, or of one update.
MAX_PICTURES = {Purpose.INITIATIVE: 8, Purpose.UPDATE: 6, Purpose.ACCOUNTABILITY: 10, Purpose.RECEIPT: 60}
# A receipt has names, account numbers and signatures on it: never under a public address.
PUBLIC_PURPOSES = (Purpose.INITIATIVE, Purpose.UPDATE, Purpose.ACCOUNTABILITY)
MAX_ALT_TEXT = 300
JPEG, PDF = "image/jpeg", "application/pdf"

PUBLIC_FOLDER, PRIVATE_FOLDER = "pictures", "private"


def public_key(key: str, width: int, extension: str) -> str:
    """The key in the file store of one rendition of a public picture."""
    return f"{PUBLIC_FOLDER}/{key}/{width}.{extension}"


def private_key(key: str, content_type: str) -> str:
    """The key in the file store of a private file."""
    return f"{PRIVATE_FOLDER}/{key}/file.{'pdf' if content_type == PDF else 'jpg'}"
