# SPDX-License-Identifier: EUPL-1.2
"""One page with all pictures, small, in rows: a page beside itself at every width."""

from __future__ import annotations

from html import escape
from itertools import groupby

from tests.screenshots.pages import Sight
from tests.screenshots.taking import Look

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Screenshots</title>
<style>
  body {{ margin: 1rem; font: 1rem/1.4 system-ui, sans-serif; color: #222; background: #eee; }}
  section {{ display: inline-block; vertical-align: top; margin: 0 1.5rem 1.5rem 0; }}
  h3 {{ margin: 0 0 .25rem; font-size: .9rem; }}
  a {{ display: inline-block; height: 22rem; overflow: hidden; vertical-align: top; background: #fff;
       box-shadow: 0 0 3px #888; }}
  img {{ display: block; inline-size: 100%; }}
</style>
<h1>{title}</h1>
{rows}
"""


def write_index(look: Look, sights: list[Sight]) -> None:
    """Write index.html beside the pictures."""
    rows = []
    for who, pages in groupby(sights, key=lambda sight: sight.who):
        rows.append(f"<h2>{escape(who)}</h2>")
        rows += [_row(look, sight) for sight in pages]
    title = f"{len(sights)} pages, {look.language}, {'dark' if look.is_dark else 'light'}"
    (look.folder / "index.html").write_text(_PAGE.format(title=title, rows="\n".join(rows)), encoding="utf-8")


def _row(look: Look, sight: Sight) -> str:
    links = "\n".join(
        f'<a href="{file}" style="width: {width // 5 + 30}px"><img src="{file}" alt="{width}" loading="lazy"></a>'
        for width, file in ((width, look.file(sight, width)) for width in look.widths_of(sight))
    )
    return f"<section><h3>{escape(sight.name)} <small>{escape(sight.path)}</small></h3>\n{links}</section>"
