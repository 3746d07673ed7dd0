# SPDX-License-Identifier: EUPL-1.2
"""A receipt of the demo: one small page of PDF that says where something was bought and what it cost."""

from __future__ import annotations

import datetime as dt

from abs_platform.clock import local_date
from abs_platform.money import format_euros

_HEAD = "BT /F1 14 Tf 24 {height} Td ({text}) Tj ET"
_LINE = "BT /F1 10 Tf 24 {height} Td ({text}) Tj ET"


def receipt_of(town: str, shop: str, cents: int, now: dt.datetime) -> bytes:
    """The receipt of a shop, in the bytes of a PDF."""
    amount = format_euros(cents).replace("€", "EUR").replace("\u00a0", " ")
    lines = [town, f"Datum {local_date(now):%d-%m-%Y}", f"Totaal {amount}", "Betaald met pin. Bedankt!"]
    drawn = [_HEAD.format(height=270, text=_plain(shop))]
    drawn += [_LINE.format(height=240 - 22 * place, text=_plain(text)) for place, text in enumerate(lines)]
    stream = "\n".join(drawn).encode("latin-1")
    objects = [
        b"<</Type/Catalog/Pages 2 0 R/Lang(nl)>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 230 310]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream),
        b"<</Type/Font/Subtype/Type1/BaseFont/Courier/Encoding/WinAnsiEncoding>>",
    ]
    return _file(objects)


def _plain(text: str) -> str:
    """What the one font has, with the signs that mean something to a PDF out of the way."""
    shown = text.encode("latin-1", "replace").decode("latin-1")
    return shown.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def _file(objects: list[bytes]) -> bytes:
    body, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj%s endobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    tail = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(body))
    return body + head + table + tail
