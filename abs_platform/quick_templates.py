# SPDX-License-Identifier: EUPL-1.2
"""What makes pages quick to write: a text is looked up in its catalogue once, and indentation is not sent."""

from __future__ import annotations

import re
from typing import Any

from flask import Flask
from flask_babel import get_translations
from jinja2 import pass_eval_context
from jinja2.ext import Extension
from jinja2.nodes import EvalContext
from markupsafe import Markup, escape

from abs_platform.languages import current_language

_INDENTATION = re.compile(r"\n[ \t]+")


class WithoutIndentation(Extension):
    """Leaves the indentation of pages in their templates: in HTML a line break says as much."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """Take the indentation off the lines of a page; mails and other files stay as they are."""
        return _INDENTATION.sub("\n", source) if name is not None and name.endswith(".html") else source


class Texts:
    """The texts of the catalogues as templates ask them, with what stands in them escaped as the template asks."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], str] = {}
        self._finished: dict[tuple[str, str], Markup] = {}

    @pass_eval_context
    def gettext(self, context: EvalContext, text: str, /, **variables: Any) -> str:
        """A text in the language of the page."""
        key = (current_language(), text)
        if not variables and context.autoescape:
            finished = self._finished.get(key)
            if finished is None:
                finished = self._finished[key] = Markup(self._look_up(key) % {})
            return finished
        return _filled(context, self._look_up(key), variables)

    def _look_up(self, key: tuple[str, str]) -> str:
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = get_translations().ugettext(key[1])
        return found

    @pass_eval_context
    def ngettext(self, context: EvalContext, one: str, more: str, number: int, /, **variables: Any) -> str:
        """A text with a number, in the language of the page."""
        variables.setdefault("num", number)
        return _filled(context, get_translations().ungettext(one, more, number), variables)


def _filled(context: EvalContext, text: str, variables: dict[str, Any]) -> str:
    """A text with its variables. A percent sign in a text is always written twice, as in Jinja's own."""
    if not context.autoescape:
        return text % variables
    return Markup(text % {name: one if type(one) is int else escape(one) for name, one in variables.items()})


def init_app(app: Flask) -> None:
    """Take the place of what flask-babel installed; comes after it."""
    texts = Texts()
    app.jinja_env.add_extension(WithoutIndentation)
    app.jinja_env.globals.update(_=texts.gettext, gettext=texts.gettext, ngettext=texts.ngettext)
