# SPDX-License-Identifier: EUPL-1.2
"""What templates keep to be quick is never another page's: not its language, its variables or its blueprint."""

from __future__ import annotations

from flask import Flask, render_template_string, url_for

from abs_platform.quick_templates import MOST_PARTS
from tests.languages.pseudo import pseudo


def written(app: Flask, path: str, template: str, **values: object) -> str:
    with app.test_request_context(path, environ_overrides=prefix(path)):
        return render_template_string(template, **values)


def prefix(path: str) -> dict[str, str]:
    """What the language before a path becomes before a route sees it."""
    language = path.split("/")[1]
    if language not in {"en", "ar"}:
        return {}
    return {"abs.language": language, "SCRIPT_NAME": f"/{language}", "PATH_INFO": path.removeprefix(f"/{language}")}


def test_a_text_is_kept_for_its_own_language_only(app: Flask) -> None:
    for _time in range(2):
        assert written(app, "/", "{{ _('Initiatieven') }}") == "Initiatieven"
        assert written(app, "/ar/", "{{ _('Initiatieven') }}") == pseudo("Initiatieven")


def test_what_stands_in_a_text_is_escaped_in_a_page_and_not_in_plain_text(app: Flask) -> None:
    template = "{{ _('Zoek in %(name)s', name=name) }} {{ ngettext('%(num)s <', '%(num)s >', 2) }} {{ _('100%%') }}"
    name = "<b> & 50%"

    page = written(app, "/", template, name=name)
    plain = written(app, "/", "{% autoescape false %}" + template + "{% endautoescape %}", name=name)

    assert page == "Zoek in &lt;b&gt; &amp; 50% 2 > 100%"
    assert plain == "Zoek in <b> & 50% 2 > 100%"


def test_a_part_is_written_anew_for_another_key_or_language(app: Flask) -> None:
    part = "{% macro part(word) %}<i>{{ word }} {{ _('Initiatieven') }}</i>{% endmacro %}"
    part += "{{ once('test', part, key, word) }}"

    first = written(app, "/", part, key=1, word="een & een")
    assert first == "<i>een &amp; een Initiatieven</i>"
    assert written(app, "/", part, key=1, word="twee") == first
    assert written(app, "/", part, key=2, word="twee") == "<i>twee Initiatieven</i>"
    assert written(app, "/ar/", part, key=1, word="twee") == f"<i>twee {pseudo('Initiatieven')}</i>"


def test_the_parts_that_are_kept_do_not_grow_for_ever(app: Flask) -> None:
    parts = app.jinja_env.globals["once"].__self__  # type: ignore[attr-defined]
    template = (
        "{% macro part(n) %}{{ n }}{% endmacro %}{% for n in range(most) %}{{ once('grow', part, n, n) }}{% endfor %}"
    )

    written(app, "/", template, most=MOST_PARTS + 10)

    assert 0 < len(parts._kept) <= MOST_PARTS


def test_an_address_is_that_of_the_language_and_the_room_where_it_is_asked(app: Flask) -> None:
    def addresses(path: str) -> list[str]:
        with app.test_request_context(path, environ_overrides=prefix(path)):
            return [url_for("initiatives.show", initiative_id=3, slug="bank"), url_for(".index", pagina=2)]

    for _time in range(2):
        assert addresses("/initiatieven") == ["/initiatieven/3-bank", "/initiatieven?pagina=2"]
        assert addresses("/en/wijken") == ["/en/initiatieven/3-bank", "/en/wijken?pagina=2"]


def test_a_link_that_leaves_us_says_so_in_the_language_of_the_page(app: Flask) -> None:
    template, text = "{{ text|rich_text }}", "Kijk op [de site](https://voorbeeld.example/)."
    dutch, other = written(app, "/", template, text=text), written(app, "/ar/", template, text=text)

    assert "(andere website)" in dutch
    assert pseudo("(andere website)") in other
    assert written(app, "/", template, text=text) == dutch


def test_indentation_stays_in_the_templates_of_pages_but_words_stay_apart(app: Flask) -> None:
    template = "<p>\n    {% if true %}\n        een\n    {% endif %}\n    twee\n</p>"

    page = app.jinja_env.preprocess(template, "a.html")

    assert app.jinja_env.from_string(page).render().split() == ["<p>", "een", "twee", "</p>"]
    assert "  " not in page
    assert app.jinja_env.preprocess(template, "a.txt") == template
