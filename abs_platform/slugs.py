# SPDX-License-Identifier: EUPL-1.2
"""Names as parts of addresses."""

import re
import unicodedata


def slugify(name: str, longest: int = 200) -> str:
    """A name as a part of an address: "Nieuwstraat -Witvoet" becomes "nieuwstraat-witvoet"."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower())[:longest].strip("-")
