# SPDX-License-Identifier: EUPL-1.2
"""What makes pages quick to write: texts are looked up once, parts that come back are kept, indentation is not sent."""

from __future__ import annotations

import re
from collections.abc import Hashable, MutableMapping
from typing import Any

from babel.support import NullTranslations
from flask import Flask, has_request_context, request
from flask.templating import Environment
from flask_babel import get_translations
from jinja2 import pass_eval_context
from jinja2.ext import Extension
from jinja2.nodes import EvalContext
from jinja2.runtime import Macro
from markupsafe import Markup, escape

from abs_platform.languages import current_language

MOST_PARTS = 3_000
_INDENTATION = re.compile(r"\n[ \t]+")


class QuickEnvironment(Environment):
    """Flask's, with one set of globals for all templates: Jinja compares those of every template that is imported."""

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """The globals of a template."""
        return super().make_globals(d) if d else self.globals


class WithoutIndentation(Extension):
    """Leaves the indentation of pages in their templates, but for one space.

    The line break after a tag of a template goes (trim_blocks), and then that space is all that parts two words.
    """

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:  # noqa: ARG002
        """Take the indentation off the lines of a page; mails and other files stay as they are."""
        return _INDENTATION.sub("\n ", source) if name is not None and name.endswith(".html") else source


class Texts:
    """The texts of the catalogues as templates ask them, with what stands in them escaped as the template asks."""

    def __init__(self) -> None:
        self._catalogues: dict[str, NullTranslations] = {}
        self._finished: dict[tuple[str, str], Markup] = {}

    def _catalogue(self, language: str) -> NullTranslations:
        known = self._catalogues.get(language)
        if known is None:
            known = self._catalogues[language] = get_translations()
        return known

    @pass_eval_context
    def gettext(self, context: EvalContext, text: str, /, **variables: Any) -> str:
        """A text in the language of the page."""
        language = current_language()
        if variables or not context.autoescape:
            return _filled(context, self._catalogue(language).ugettext(text), variables)
        key = (language, text)
        finished = self._finished.get(key)
        if finished is None:
            written = self._catalogue(language).ugettext(text) % {}
            finished = self._finished[key] = Markup(written)  # noqa: S704 - our own words, as Jinja takes them
        return finished

    @pass_eval_context
    def ngettext(self, context: EvalContext, one: str, more: str, number: int, /, **variables: Any) -> str:
        """A text with a number, in the language of the page."""
        variables.setdefault("num", number)
        return _filled(context, self._catalogue(current_language()).ungettext(one, more, number), variables)


def _filled(context: EvalContext, text: str, variables: dict[str, Any]) -> str:
    """A text with its variables. A percent sign in a text is always written twice, as in Jinja's own."""
    if not context.autoescape:
        return text % variables
    escaped = {name: one if type(one) is int else escape(one) for name, one in variables.items()}
    return Markup(text % escaped)  # noqa: S704 - our own words, and what stands in them is escaped


class Parts:
    """Parts of pages that come back as they were: a card, the footer. They are written once in each process."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, Markup] = {}

    def once(self, name: str, macro: Macro, key: Hashable, /, *args: Any) -> Markup:
        """What a macro writes with these arguments. Besides on ``key`` it may hang on language and site only."""
        root = request.script_root if has_request_context() else None
        whole = (name, current_language(), root, key)
        kept = self._kept.get(whole)
        if kept is None:
            if len(self._kept) >= MOST_PARTS:
                self._kept.clear()
            kept = self._kept[whole] = Markup(macro(*args))  # noqa: S704 - a macro escapes what it writes
        return kept


def init_app(app: Flask) -> None:
    """Take the place of what flask-babel installed; comes after it."""
    texts = Texts()
    app.jinja_env.add_extension(WithoutIndentation)
    app.jinja_env.globals.update(_=texts.gettext, gettext=texts.gettext, ngettext=texts.ngettext, once=Parts().once)
