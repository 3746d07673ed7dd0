# SPDX-License-Identifier: EUPL-1.2
"""Every page of residents is in the language that its address says, but for what residents wrote."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from justhtml import JustHTML

from abs_platform.languages import is_for_staff, prefix_of
from abs_platform.security import access_of
from tests.languages.places import is_for_staff as is_for_staff_place
from tests.languages.places import texts
from tests.languages.pseudo import BEGIN, END, PSEUDO, outside_the_marks
from tests.languages.reading import texts_of
from tests.page import Page, check
from tests.permissions.table import EVERYBODY, Entry
from tests.permissions.test_hostile_texts import PARTS_OF_PAGES, is_html, pages
from tests.permissions.test_object_routes import routes
from tests.permissions.town import ANONYMOUS, INITIATOR, Town, filled

# In Dutch in every language: the demo's own pages, and what is asked only of staff.
DUTCH = {"demo.people", "mail.index", "mail.show"}
WHOLE = re.compile(f"{BEGIN}([^{BEGIN}{END}]*){END}")


def seen_by_residents(app: Flask) -> Iterator[tuple[str, Entry]]:
    """The pages that need no staff to see them: of the table, and all that have no object."""
    of_table = [(endpoint, entry) for endpoint, entry in pages() if routes(app)[endpoint] == {"GET"}]
    named = {endpoint for endpoint, _entry in of_table}
    rules = [rule for rule in app.url_map.iter_rules() if not rule.arguments and "GET" in (rule.methods or ())]
    for endpoint in sorted({rule.endpoint for rule in rules} - named):
        who = ANONYMOUS if access_of(app, endpoint) == "public" else INITIATOR
        of_table.append((endpoint, Entry(may=frozenset({who}))))
    for endpoint, entry in of_table:
        if not is_for_staff(app, endpoint) and endpoint not in DUTCH and not app.debug:
            yield endpoint, entry


@pytest.mark.usefixtures("town")
def test_every_text_of_a_page_comes_from_a_catalogue(arranged: Town) -> None:
    app, outside, looked, seen = arranged.app, dict[str, str](), 0, set[str]()
    for endpoint, entry in seen_by_residents(app):
        who = next(iter(sorted({ANONYMOUS, INITIATOR} & entry.may) or sorted(entry.may & EVERYBODY)))
        path = prefix_of(PSEUDO) + arranged.path(endpoint, **filled(entry.args, arranged.ids))
        answer = arranged.send(who, "GET", path)
        if answer.status_code in {301, 302, 303}:
            path = answer.location
            answer = arranged.send(who, "GET", path)
        if not is_html(answer) or endpoint in PARTS_OF_PAGES:
            continue
        html = answer.get_data(as_text=True)
        page = Page(answer.status_code, html, path, answer, JustHTML(html, collect_errors=True, sanitize=False))
        if answer.status_code == 200:
            check(page)
        if page.one("html").attrs["lang"] != PSEUDO:
            continue
        looked += 1
        for place, shown in texts_of(page, PSEUDO):
            seen.update(WHOLE.findall(shown))
            if words := outside_the_marks(shown):
                outside.setdefault(f"{place}: {words[:80]}", endpoint)

    assert looked > 60
    for_staff = {text for text, places in texts().items() if all(is_for_staff_place(place) for place in places)}
    assert not seen & for_staff, "translators leave these out: tests/languages/places.py says that only staff see them"
    assert not outside, "\n".join(f"{endpoint}: {words}" for words, endpoint in outside.items())
