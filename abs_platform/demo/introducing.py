# SPDX-License-Identifier: EUPL-1.2
"""Who stands on the pages of the districts of the demo: drawn people, for nobody is real, and words of welcome."""

from __future__ import annotations

import datetime as dt
import io
import tomllib
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw
from sqlalchemy.orm import Session

from abs_platform.accounts.queries import id_of_email
from abs_platform.actors import Actor
from abs_platform.areas.queries import id_of_code
from abs_platform.database import transaction
from abs_platform.districts import service
from abs_platform.districts.service import ProfileInput
from abs_platform.media.keeping import kept_picture
from abs_platform.storage import FileStore

SIDE = 600
TWICE = SIDE * 2


def introduce(folder: Path, store: FileStore, *, now: dt.datetime) -> None:
    """Let each wijkregisseur fill in her profile with a picture, and say a word of welcome for each district."""
    told = tomllib.loads((folder / "districts.toml").read_text(encoding="utf-8"))
    for profile in told["profile"]:
        with kept_picture(store, portrait(profile["looks"])) as kept, transaction() as session:
            account_id = _account(session, profile["email"])
            actor = Actor("staff", str(account_id))
            words = (profile["name"], profile["reach"], profile["phone"], profile["about"].strip())
            new = ProfileInput(*words, is_public=True)
            service.save_profile(session, account_id, new, actor=actor, now=now)
            service.set_picture(
                session,
                account_id,
                kept,
                alt_text=profile["picture"],
                uploaded_by_id=account_id,
                actor=actor,
                now=now,
            )
    with transaction() as session:
        for intro in told["intro"]:
            _welcome(session, intro, _account(session, intro["by"]), now)


def _welcome(session: Session, intro: dict[str, Any], account_id: int, now: dt.datetime) -> None:
    district_id = id_of_code(session, intro["district"])
    if district_id is None:
        raise LookupError(f"no district {intro['district']}")
    actor = Actor("staff", str(account_id))
    service.save_intro(session, district_id, intro["body"].strip(), account_id=account_id, actor=actor, now=now)


def _account(session: Session, email: str) -> int:
    account_id = id_of_email(session, email)
    if account_id is None:
        raise LookupError(f"no account {email}")
    return account_id


def portrait(looks: dict[str, Any]) -> bytes:
    """A drawn person before a soft ground: head, hair and shoulders in flat colours. The same bytes each time."""
    picture = Image.new("RGB", (TWICE, TWICE), looks["ground"])
    pen = ImageDraw.Draw(picture)
    hair, skin, coat = looks["hair"], looks["skin"], looks["coat"]
    pen.ellipse((100, 760, 1500, 1700), fill=looks["hill"])
    if looks["long"]:
        pen.rounded_rectangle((350, 290, 850, 860), 230, fill=hair)
    pen.rounded_rectangle((210, 850, 990, 1500), 230, fill=coat)
    pen.rounded_rectangle((520, 690, 680, 930), 80, fill=skin)
    pen.polygon([(470, 856), (730, 856), (600, 1000)], fill=skin)
    pen.ellipse((390, 290, 810, 790), fill=skin)
    pen.pieslice((372, 250, 828, 700), 180, 360, fill=hair)
    pen.chord((372, 330, 828, 570), 180 if looks["part"] == "middle" else 190, 360, fill=hair)
    for x in (500, 700):
        pen.ellipse((x - 18, 532, x + 18, 568), fill="#2b2320")
        if looks["glasses"]:
            pen.ellipse((x - 66, 484, x + 66, 616), outline="#2b2320", width=12)
    if looks["glasses"]:
        pen.line((566, 545, 634, 545), fill="#2b2320", width=12)
    pen.arc((520, 590, 680, 700), 20, 160, fill="#8d3b3b", width=14)
    if looks["beard"]:
        pen.chord((400, 470, 800, 800), 25, 155, fill=hair)
        pen.arc((535, 620, 665, 690), 20, 160, fill="#f5ded2", width=14)
    out = io.BytesIO()
    picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS).save(out, "PNG")
    return out.getvalue()
