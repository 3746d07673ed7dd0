# SPDX-License-Identifier: EUPL-1.2
"""The page of choices, by a signed link without an account or for who is signed in, and the mail as it would be now."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from abs_platform import clock
from abs_platform.database import db, transaction
from abs_platform.errors import InvalidInput, NotFound
from abs_platform.following import digests, links, queries, service
from abs_platform.following.queries import FollowerView
from abs_platform.following.routes import Answer, as_sent, bp, choices, chosen_topics, secret_key
from abs_platform.following.schemas import ChoiceForm
from abs_platform.form_input import errors_of, load
from abs_platform.languages import language_links
from abs_platform.security import public, resident_required, signed_in_user

__all__ = ["bp"]


@bp.get("/volgen/beheer/<token>")
@public
def manage(token: str) -> str:
    """What I follow. No account is needed: the link came by mail."""
    return _manage_page(_managed_by(token), url_for(".change", token=token), {}, {})


@bp.post("/volgen/beheer/<token>")
@public
def change(token: str) -> Answer:
    """Follow exactly what is ticked."""
    return _change(_managed_by(token), url_for(".change", token=token), url_for(".manage", token=token))


@bp.get("/volgen/beheer/<token>/mail")
@public
def preview(token: str) -> str:
    """The mail as it would be about the last week."""
    follower = _managed_by(token)
    mail = digests.preview(db.session(), follower.id, secret_key=secret_key(), now=clock.now())
    return render_template("following/preview.html", mail=mail, token=token, language=follower.language)


@bp.get("/account/volgen")
@resident_required
def mine() -> str:
    """What I follow, for who is signed in with that address."""
    follower = queries.follower_of(db.session(), signed_in_user().email)
    if follower is None:
        return render_template("following/nothing.html")
    return _manage_page(follower, url_for(".change_mine"), {}, {})


@bp.post("/account/volgen")
@resident_required
def change_mine() -> Answer:
    """Follow exactly what is ticked."""
    follower = queries.follower_of(db.session(), signed_in_user().email)
    if follower is None:
        raise NotFound(_("Je volgt nog niets. Kies eerst wat je wilt volgen."))
    return _change(follower, url_for(".change_mine"), url_for(".mine"))


def _change(follower: FollowerView, action: str, back: str) -> Answer:
    try:
        typed = load(ChoiceForm(), as_sent())
        topics = chosen_topics(db.session(), typed, least=0)
        language = typed["taal"] if typed["taal"] in _languages() else follower.language
        with transaction() as session:
            goes_on = service.choose(session, follower.id, topics, language=language, now=clock.now())
    except InvalidInput as error:
        return _manage_page(follower, action, request.form, errors_of(error)), int(error.status)
    if not goes_on:
        return redirect(url_for(".stop", token=links.stop_token(secret_key(), follower.id)), HTTPStatus.SEE_OTHER)
    flash(_("Je keuzes zijn bewaard."))
    return redirect(back, HTTPStatus.SEE_OTHER)


def _manage_page(follower: FollowerView, action: str, values: Any, errors: dict[str, str]) -> str:
    session = db.session()
    named = queries.topics_of(session, follower.id)
    return render_template(
        "following/manage.html",
        **choices(session, named, values),
        follower=follower,
        action=action,
        values=values,
        errors=errors,
        languages=_languages(),
        manage_token=links.manage_token(secret_key(), follower.id),
        stop_token=links.stop_token(secret_key(), follower.id),
    )


def _managed_by(token: str) -> FollowerView:
    follower = queries.follower(db.session(), links.read_manage(secret_key(), token))
    if follower is None:
        raise NotFound(_("Deze link werkt niet meer. Je krijgt geen mails van ons."))
    return follower


def _languages() -> dict[str, str]:
    """The languages in which a mail can come, each by its own name."""
    return {link.code: link.name for link in language_links()}
