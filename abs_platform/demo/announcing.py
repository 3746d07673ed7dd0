# SPDX-License-Identifier: EUPL-1.2
"""What the desk of the demo announces: news with drawn pictures, one post that waits for its moment, and an agenda."""

from __future__ import annotations

import datetime as dt
import io
import math
import random
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw
from sqlalchemy.orm import Session

from abs_platform import clock
from abs_platform.accounts.queries import id_of_email
from abs_platform.actors import Actor
from abs_platform.agenda import service as agenda
from abs_platform.agenda.service import ItemInput
from abs_platform.areas.queries import id_of_code
from abs_platform.database import transaction
from abs_platform.media.keeping import kept_picture
from abs_platform.news import service as news
from abs_platform.news.service import PostInput
from abs_platform.storage import FileStore

WIDTH, HEIGHT = 960, 540
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


def announce(folder: Path, store: FileStore, initiatives: Mapping[str, int], *, now: dt.datetime) -> None:
    """Write the news and the agenda. ``initiatives``: their numbers by the key of the demo."""
    told = tomllib.loads((folder / "announcements.toml").read_text(encoding="utf-8"))
    for post in sorted(told["post"], key=lambda one: -one["days_ago"]):
        _post(store, post, now)
    with transaction() as session:
        for item in told["item"]:
            _item(session, item, initiatives, now)


def _post(store: FileStore, post: dict[str, Any], now: dt.datetime) -> None:
    moment = _hour(clock.local_date(now) - post["days_ago"] * DAY, 10)
    written = min(moment, now) - HOUR
    with transaction() as session:
        account_id = _account(session, post["by"])
        actor = Actor("staff", str(account_id))
        what = PostInput(
            area_id=_area(session, post["area"]),
            title=post["title"],
            summary=post["summary"],
            body=post["body"].strip(),
        )
        post_id = news.write(session, what, author_id=account_id, actor=actor, now=written)
    if "picture" in post:
        with kept_picture(store, landscape(post["scene"])) as kept, transaction() as session:
            news.set_picture(
                session,
                post_id,
                kept,
                alt_text=post["picture"],
                uploaded_by_id=account_id,
                actor=actor,
                now=written,
            )
    with transaction() as session:
        news.publish(session, post_id, at=moment, actor=actor, now=min(moment, now))


def _item(session: Session, item: dict[str, Any], initiatives: Mapping[str, int], now: dt.datetime) -> None:
    starts_at = _hour(clock.local_date(now) + item["in_days"] * DAY, item["hour"])
    what = ItemInput(
        title=item["title"],
        place=item["place"],
        description=item["description"].strip(),
        starts_at=starts_at,
        ends_at=starts_at + item["hours"] * HOUR,
    )
    account_id = _account(session, item["by"]) if "by" in item else None
    actor = Actor("organiser") if account_id is None else Actor("staff", str(account_id))
    item_id = agenda.add(
        session,
        what,
        area_id=_area(session, item["area"]) if "area" in item else None,
        initiative_id=initiatives[item["initiative"]] if "initiative" in item else None,
        author_id=account_id,
        actor=actor,
        now=now,
    )
    agenda.publish(session, item_id, actor=actor, now=now)
    if "cancelled" in item:
        agenda.cancel(session, item_id, reason=item["cancelled"], actor=actor, now=now)


def _hour(day: dt.date, hour: float) -> dt.datetime:
    return clock.start_of_day(day) + hour * HOUR


def _account(session: Session, email: str) -> int:
    account_id = id_of_email(session, email)
    if account_id is None:
        raise LookupError(f"no account {email}")
    return account_id


def _area(session: Session, code: str) -> int:
    area_id = id_of_code(session, code)
    if area_id is None:
        raise LookupError(f"no area {code}")
    return area_id


def landscape(seed: int) -> bytes:
    """A drawn landscape: sky, sun, hills, trees and water in flat colours. The same bytes for the same number."""
    chance = random.Random(seed)
    size = (WIDTH * 2, HEIGHT * 2)
    picture = Image.new("RGB", size, chance.choice(("#e4f2ee", "#fdf1dc", "#dcecf1")))
    pen = ImageDraw.Draw(picture)
    sun = chance.randrange(300, size[0] - 300)
    pen.ellipse((sun - 110, 150, sun + 110, 370), fill="#ffcf56")
    for level, colour in enumerate(("#b9dcc4", "#8fcaa2", "#4f9f73")):
        shift, top = chance.random() * 6, 430 + level * 110
        points = [(x, top + 46 * math.sin(x / (310 - level * 40) + shift)) for x in range(0, size[0] + 20, 20)]
        pen.polygon([*points, (size[0], size[1]), (0, size[1])], fill=colour)
    for _tree in range(9):
        _draw_tree(pen, chance.randrange(60, size[0] - 60), chance.randrange(650, 730), chance)
    pen.rectangle((0, 800, *size), fill="#5aa6b5")
    for _wave in range(26):
        x, y = chance.randrange(size[0]), chance.randrange(830, size[1] - 20)
        pen.rounded_rectangle((x, y, x + chance.randrange(60, 190), y + 8), 4, fill="#8cc6d1")
    out = io.BytesIO()
    picture.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS).save(out, "PNG")
    return out.getvalue()


def _draw_tree(pen: ImageDraw.ImageDraw, x: int, foot: int, chance: random.Random) -> None:
    width, height = chance.randrange(60, 110), chance.randrange(130, 230)
    pen.rectangle((x - 8, foot - height // 2, x + 8, foot + 60), fill="#6b4a32")
    pen.ellipse((x - width, foot - height, x + width, foot + 10), fill=chance.choice(("#176340", "#23804f", "#3a8f5f")))
