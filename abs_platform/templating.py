# SPDX-License-Identifier: EUPL-1.2
"""What every template can use: the municipality, amounts and dates as residents read them."""

import datetime as dt
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Literal
from urllib.parse import urlsplit

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal
from flask import Flask
from flask_babel import get_locale
from flask_babel import gettext as _
from markupsafe import Markup, escape

from abs_platform.clock import AMSTERDAM
from abs_platform.config import Settings
from abs_platform.languages import DEFAULT, current_language
from abs_platform.money import format_euros, format_euros_exact
from abs_platform.rich_text import rich_text


@lru_cache(maxsize=2_000)
def _day(value: dt.date, pattern: str, language: str) -> str:
    return format_date(value, pattern, locale=language)


@lru_cache(maxsize=2_000)
def _decimal(value: int, language: str) -> str:
    return format_decimal(value, locale=language)


def long_date(value: dt.date | dt.datetime) -> str:
    """Write a day as "22 november 2026"; a moment is taken as its day in Amsterdam."""
    day = value.astimezone(AMSTERDAM).date() if isinstance(value, dt.datetime) else value
    return _day(day, "d MMMM y", current_language())


def long_datetime(value: dt.datetime) -> str:
    """Write a moment as "22 november 2026 om 14.35 uur", in Amsterdam."""
    return format_datetime(value.astimezone(AMSTERDAM), _("d MMMM y 'om' HH.mm 'uur'"), locale=get_locale() or "nl")


def month_name(value: dt.date) -> str:
    """Write the name of a month, as in "november"."""
    return _day(value, "MMMM", current_language())


def weekday_date(value: dt.date | dt.datetime, with_year: bool = False) -> str:
    """Write a day as "zaterdag 3 mei", or "zaterdag 3 mei 2027"; a moment is taken as its day in Amsterdam."""
    day = value.astimezone(AMSTERDAM).date() if isinstance(value, dt.datetime) else value
    return _day(day, "EEEE d MMMM y" if with_year else "EEEE d MMMM", current_language())


def short_month(value: dt.date) -> str:
    """Write the name of a month short, as in "nov"."""
    return _day(value, "LLL", current_language()).rstrip(".")


def clock_time(value: dt.datetime) -> str:
    """Write the time of a moment in Amsterdam, as in "14.35"."""
    return format_datetime(value.astimezone(AMSTERDAM), _("HH.mm"), locale=get_locale() or "nl")


def number(value: int) -> str:
    """Write a number as "1.234"."""
    return _decimal(value, current_language())


def paragraphs(text: str) -> Markup:
    """Plain text as escaped paragraphs: a blank line ends one."""
    blocks = (block.strip() for block in text.replace("\r\n", "\n").split("\n\n"))
    return Markup("\n").join(Markup("<p>{}</p>").format(escape(" ".join(block.split()))) for block in blocks if block)


def in_dutch(value: object, element: str = "span") -> Markup:
    """What residents and staff wrote, which is not translated: a page in another language says so of it.

    ``element`` is "div" around paragraphs. Not for attributes, nor inside an ``<option>``.
    """
    if value is None or value == "" or current_language() == DEFAULT:
        return escape("" if value is None else value)
    return Markup('<{0} lang="nl">{1}</{0}>').format(Markup(element), value)  # noqa: S704 - a word of a template


def as_is(value: object) -> Markup:
    """A name of a person, a code or an address: the same in every language. Not for attributes."""
    return Markup('<bdi translate="no">{}</bdi>').format(value) if value else Markup("")


def _kept_rich_text(site_host: str) -> Callable[..., Markup]:
    """rich_text for templates: what was written last is kept, for pages show the same texts again and again."""

    @lru_cache(maxsize=500)
    def kept(_language: str, text: str, level: Literal[2, 3, 4]) -> Markup:
        return rich_text(text, level, site_host=site_host)

    return lambda text, level=3: kept(current_language(), text, level)


def init_app(app: Flask, settings: Settings) -> None:
    """Register filters and globals."""
    app.jinja_env.filters.update(
        euros=format_euros, long_date=long_date, long_datetime=long_datetime, number=number, paragraphs=paragraphs
    )
    app.jinja_env.filters.update(euros_exact=format_euros_exact, month_name=month_name)
    app.jinja_env.filters.update(in_dutch=in_dutch, as_is=as_is)
    app.jinja_env.filters.update(weekday_date=weekday_date, short_month=short_month, clock_time=clock_time)
    app.jinja_env.filters["rich_text"] = _kept_rich_text(urlsplit(settings.base_url).netloc)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True

    @app.context_processor
    def _globals() -> dict[str, Any]:
        payments = app.extensions["settings"].payments
        return {
            "municipality": settings.municipality,
            "tagline": settings.municipality.tagline_in(current_language()),
            "base_url": settings.base_url,
            "takes_money": bool(app.extensions.get("payments")),
            "is_play_money": payments is not None and payments.is_stand_in,
        }
