# SPDX-License-Identifier: EUPL-1.2
"""What came in for an initiative, and all that people said and did around it, for its public page in one query."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Date, cast, func, select, text
from sqlalchemy.orm import Session

from abs_platform.clock import AMSTERDAM
from abs_platform.donations.models import Donation
from abs_platform.donations.states import Channel, DonationKind, DonationState
from abs_platform.initiatives.states import NeedKind
from abs_platform.media.queries import PictureView
from abs_platform.questions.states import SHOWN_ON_PAGE, Voice

UPDATES_SHOWN = 3
MESSAGES_SHOWN = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What came in along one channel, or in one week. Amounts in cents."""

    label: str
    cents: int
    gifts: int
    percent: int
    starts_on: dt.date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenMessage:
    """What a giver wrote, with the name only when the giver gave it for all to see."""

    name: str
    message: str
    given_at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Income:
    """What an initiative has received: how much, along which channel and in which week; never by whom."""

    cents: int
    gifts: int
    sources: list[Share]
    channels: list[Share]
    weeks: list[Share]
    messages: list[GivenMessage]


def income(session: Session, initiative_id: int) -> Income:
    """What came in. Weeks are written as the day of their Monday. Four queries."""
    confirmed = (Donation.initiative_id == initiative_id, Donation.state == DonationState.CONFIRMED.value)
    local_day = func.timezone(AMSTERDAM.key, Donation.given_at)
    monday = cast(func.date_trunc("week", local_day), Date)
    cents, count = func.sum(Donation.amount_cents), func.count()
    weeks = session.execute(select(monday, cents, count).where(*confirmed).group_by(monday).order_by(monday)).all()
    channels = session.execute(
        select(Donation.channel, cents, count).where(*confirmed).group_by(Donation.channel).order_by(cents.desc())
    ).all()
    source = (Donation.kind, Donation.is_organisation)
    sources = session.execute(select(*source, cents, count).where(*confirmed).group_by(*source).order_by(cents.desc()))
    messages = session.execute(
        select(Donation.giver_name, Donation.message, Donation.given_at)
        .where(*confirmed, Donation.message.is_not(None), Donation.message != "")
        .order_by(Donation.given_at.desc(), Donation.id.desc())
        .limit(MESSAGES_SHOWN)
    )
    return Income(
        cents=sum(int(row[1]) for row in channels),
        gifts=sum(row[2] for row in channels),
        sources=_shares((_source(DonationKind(row[0]), row[1]), int(row[2]), row[3], None) for row in sources),
        channels=_shares((Channel(row[0]).label, int(row[1]), row[2], None) for row in channels),
        weeks=_shares(("", int(row[1]), row[2], row[0]) for row in weeks),
        messages=[GivenMessage(name=name or "", message=said or "", given_at=at) for name, said, at in messages],
    )


def _source(kind: DonationKind, is_organisation: bool) -> str:
    """Vouchers, the money of residents and that of organisations are told apart."""
    if kind == DonationKind.VOUCHER:
        return str(_("vouchers"))
    return str(_("geld van organisaties") if is_organisation else _("geld van bewoners"))


def _shares(rows: Iterable[tuple[str, int, int, dt.date | None]]) -> list[Share]:
    """Each with its length of the longest."""
    found = list(rows)
    most = max((row[1] for row in found), default=0) or 1
    return [
        Share(label=label, cents=cents, gifts=gifts, percent=cents * 100 // most, starts_on=starts_on)
        for label, cents, gifts, starts_on in found
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicUpdate:
    """An update on the page."""

    id: int
    title: str
    body: str
    posted_at: dt.datetime
    edited_at: dt.datetime | None
    pictures: list[PictureView]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicAnswer:
    """Something said on the page; ``name`` is empty for who left, or wants no name there."""

    id: int
    voice: Voice
    name: str
    body: str
    posted_at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicQuestion(PublicAnswer):
    """A question on the page."""

    answers: list[PublicAnswer] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicNeed:
    """What is asked besides money, and how many offered it."""

    id: int
    kind: NeedKind
    description: str
    offers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicCost:
    """A line of the accountability. Amounts in cents; None was not planned."""

    description: str
    planned_cents: int | None
    actual_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicAccount:
    """How it went, once the desk has agreed."""

    story: str
    approved_at: dt.datetime
    costs: list[PublicCost]
    pictures: list[PictureView]

    @property
    def planned_cents(self) -> int:
        """What the plan would cost."""
        return sum(cost.planned_cents or 0 for cost in self.costs)

    @property
    def spent_cents(self) -> int:
        """What it cost."""
        return sum(cost.actual_cents for cost in self.costs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Engagement:
    """All that happened around an initiative after it was published, and the pictures of the initiative itself."""

    needs: list[PublicNeed]
    updates: list[PublicUpdate]
    update_count: int
    thanks: str
    thanked_at: dt.datetime | None
    questions: list[PublicQuestion]
    question_count: int
    has_questions: bool
    account: PublicAccount | None
    pictures: list[PictureView]


_PICTURES = """
    (SELECT jsonb_agg(jsonb_build_object('id', p.id, 'key', p.key, 'alt', p.alt_text, 'is_decorative', p.is_decorative,
                                         'width', p.width, 'height', p.height, 'widths', p.widths,
                                         'update_id', p.update_id) ORDER BY p.position, p.id)
     FROM pictures p WHERE p.initiative_id = :id AND p.removed_at IS NULL AND {where})
"""
# A resident's name is that of the account; of the organisers only those who want it there are named.
_NAMED = """
    CASE {post}.voice WHEN 'organiser' THEN
        (SELECT o.name FROM organisers o WHERE o.initiative_id = :id AND o.account_id = {post}.author_id
             AND o.is_name_public AND o.forgotten_at IS NULL LIMIT 1)
    ELSE (SELECT a.name FROM accounts a WHERE a.id = {post}.author_id) END
"""
_POST = """
    'id', {post}.id, 'voice', {post}.voice, 'body', {post}.body, 'posted_at', {post}.posted_at, 'name', {name}
"""
_ENGAGEMENT = text(f"""
    SELECT
        (SELECT jsonb_agg(jsonb_build_object(
                    'id', n.id, 'kind', n.kind, 'description', n.description, 'offers',
                    (SELECT count(*) FROM help_offers h WHERE h.initiative_id = :id AND h.kind = n.kind
                         AND h.need = n.description AND h.state IN ('offered', 'accepted'))
                ) ORDER BY n.position)
         FROM initiative_needs n WHERE n.initiative_id = :id) AS needs,
        (SELECT jsonb_agg(jsonb_build_object(
                    'id', u.id, 'title', u.title, 'body', u.body, 'posted_at', u.posted_at, 'edited_at', u.edited_at,
                    'pictures', {_PICTURES.format(where="p.update_id = u.id AND p.purpose = 'update'")}
                ) ORDER BY u.posted_at DESC, u.id DESC)
         FROM (SELECT * FROM initiative_updates WHERE initiative_id = :id AND state = 'posted'
               ORDER BY posted_at DESC, id DESC LIMIT {UPDATES_SHOWN}) u) AS updates,
        (SELECT count(*) FROM initiative_updates WHERE initiative_id = :id AND state = 'posted') AS update_count,
        (SELECT jsonb_build_object('body', t.body, 'thanked_at', t.thanked_at)
         FROM initiative_thanks t WHERE t.initiative_id = :id) AS thanks,
        (SELECT jsonb_agg(jsonb_build_object(
                    {_POST.format(post="q", name=_NAMED.format(post="q"))}, 'answers',
                    (SELECT jsonb_agg(jsonb_build_object({_POST.format(post="r", name=_NAMED.format(post="r"))})
                                      ORDER BY r.id)
                     FROM question_posts r WHERE r.question_id = q.id AND r.hidden_at IS NULL)
                ) ORDER BY q.id DESC)
         FROM (SELECT * FROM question_posts WHERE initiative_id = :id AND question_id IS NULL AND hidden_at IS NULL
               ORDER BY id DESC LIMIT {SHOWN_ON_PAGE}) q) AS questions,
        (SELECT count(*) FROM question_posts
         WHERE initiative_id = :id AND question_id IS NULL AND hidden_at IS NULL) AS question_count,
        (SELECT has_questions FROM initiatives WHERE id = :id) AS has_questions,
        (SELECT jsonb_build_object(
                    'story', a.story, 'approved_at', a.decided_at, 'costs',
                    (SELECT jsonb_agg(jsonb_build_object('description', c.description, 'planned_cents', c.planned_cents,
                                                         'actual_cents', c.actual_cents) ORDER BY c.position)
                     FROM accountability_costs c WHERE c.initiative_id = :id),
                    'pictures', {_PICTURES.format(where="p.purpose = 'accountability'")})
         FROM accountabilities a WHERE a.initiative_id = :id AND a.state = 'approved') AS account,
        {_PICTURES.format(where="p.purpose = 'initiative'")} AS pictures
""")  # noqa: S608 - nothing in it is a stranger's


def engagement(session: Session, initiative_id: int) -> Engagement:
    """All that the public page shows of it, in one query."""
    row = session.execute(_ENGAGEMENT, {"id": initiative_id}).mappings().one()
    thanks = row["thanks"] or {}
    return Engagement(
        needs=[PublicNeed(**one | {"kind": NeedKind(one["kind"])}) for one in row["needs"] or ()],
        updates=[_update(one) for one in row["updates"] or ()],
        update_count=row["update_count"],
        thanks=thanks.get("body", ""),
        thanked_at=_moment(thanks.get("thanked_at")),
        questions=[
            PublicQuestion(**_post(one), answers=[PublicAnswer(**_post(answer)) for answer in one["answers"] or ()])
            for one in row["questions"] or ()
        ],
        question_count=row["question_count"],
        has_questions=bool(row["has_questions"]),
        account=_account(row["account"]) if row["account"] else None,
        pictures=_pictures(row["pictures"]),
    )


def _update(one: Mapping[str, Any]) -> PublicUpdate:
    moments = {"posted_at": _moment(one["posted_at"]), "edited_at": _moment(one["edited_at"])}
    return PublicUpdate(**{**one, **moments, "pictures": _pictures(one["pictures"])})


def _post(one: Mapping[str, Any]) -> dict[str, Any]:
    fields = {name: one[name] for name in ("id", "body")}
    return fields | {"voice": Voice(one["voice"]), "name": one["name"] or "", "posted_at": _moment(one["posted_at"])}


def _account(one: Mapping[str, Any]) -> PublicAccount:
    return PublicAccount(
        story=one["story"],
        approved_at=dt.datetime.fromisoformat(one["approved_at"]),
        costs=[PublicCost(**cost) for cost in one["costs"] or ()],
        pictures=_pictures(one["pictures"]),
    )


def _pictures(found: list[dict[str, Any]] | None) -> list[PictureView]:
    return [PictureView(**{**one, "widths": tuple(one["widths"])}) for one in found or ()]


def _moment(written: str | None) -> dt.datetime | None:
    return dt.datetime.fromisoformat(written) if written else None
