# SPDX-License-Identifier: EUPL-1.2
"""What a district says of itself: a word of welcome, and how its wijkregisseurs introduce themselves."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.actors import Actor
from abs_platform.districts.models import DistrictIntro, StaffProfile
from abs_platform.errors import InvalidInput, NotFound
from abs_platform.media import site_pictures
from abs_platform.media.keeping import KeptFile

MAX_NAME = 80
MAX_REACH = 120
MAX_ABOUT = 1000
MAX_INTRO = 2000
FIELDS = ("shown_name", "email", "phone", "about")


@dataclass(frozen=True, slots=True)
class ProfileInput:
    """A profile as its form has it. Who has nothing to be reached by cannot be shown."""

    shown_name: str
    email: str
    phone: str
    about: str
    is_public: bool


def save_profile(session: Session, account_id: int, new: ProfileInput, *, actor: Actor, now: dt.datetime) -> None:
    """Say how a wijkregisseur is introduced. Saving what is there already changes nothing. Raises: InvalidInput."""
    if new.is_public and not (new.email or new.phone):
        sentence = _("Vul een e-mailadres of telefoonnummer in. Zo kunnen bewoners je bereiken.")
        raise InvalidInput(sentence, fields={"email": sentence})
    values = asdict(new)
    profile = _locked(session, account_id)
    if profile is None:
        added = insert(StaffProfile).values(account_id=account_id, **values, changed_at=now)
        session.execute(added.on_conflict_do_update(index_elements=["account_id"], set_=values | {"changed_at": now}))
    elif all(getattr(profile, name) == value for name, value in values.items()):
        return
    else:
        for name, value in values.items():
            setattr(profile, name, value)
        profile.changed_at = now
        session.flush()
    events.record(session, "staff_profile.changed", account_id, actor=actor, now=now, is_public=new.is_public)


def set_picture(
    session: Session,
    account_id: int,
    kept: KeptFile,
    *,
    alt_text: str,
    uploaded_by_id: int,
    actor: Actor,
    now: dt.datetime,
) -> None:
    """Put a picture with a profile that was saved; the one before it goes. Locks: the profile. Raises: NotFound."""
    profile = _locked(session, account_id)
    if profile is None:
        raise NotFound(_("Bewaar eerst je profiel. Kies daarna een foto."))
    before = profile.picture_id
    picture = site_pictures.add(session, kept, alt_text=alt_text, uploaded_by_id=uploaded_by_id, actor=actor, now=now)
    profile.picture_id, profile.changed_at = picture.id, now
    session.flush()
    if before is not None:
        site_pictures.remove(session, before, actor=actor, now=now)


def remove_picture(session: Session, account_id: int, *, actor: Actor, now: dt.datetime) -> None:
    """Take the picture of a profile away, if there is one. Locks: the profile."""
    profile = _locked(session, account_id)
    if profile is None or profile.picture_id is None:
        return
    before, profile.picture_id, profile.changed_at = profile.picture_id, None, now
    session.flush()
    site_pictures.remove(session, before, actor=actor, now=now)


def save_intro(
    session: Session, district_id: int, body: str, *, account_id: int | None, actor: Actor, now: dt.datetime
) -> None:
    """Say the word of welcome of a district; an empty one takes it away. Locks: the word."""
    intro = session.scalar(
        select(DistrictIntro)
        .where(DistrictIntro.area_id == district_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    before = "" if intro is None else intro.body
    if before == body:
        return
    if intro is not None and not body:
        session.delete(intro)
    else:
        values = {"body": body, "changed_at": now, "changed_by_id": account_id}
        added = insert(DistrictIntro).values(area_id=district_id, **values)
        session.execute(added.on_conflict_do_update(index_elements=["area_id"], set_=values))
        session.expire_all()
    session.flush()
    events.record(session, "district_intro.changed", district_id, actor=actor, now=now, before=before, after=body)


def forget(session: Session, account_id: int, *, actor: Actor, now: dt.datetime) -> None:
    """Somebody left: how she introduced herself goes, and her picture with it."""
    remove_picture(session, account_id, actor=actor, now=now)
    profile = _locked(session, account_id)
    if profile is not None:
        session.delete(profile)
        session.flush()


def _locked(session: Session, account_id: int) -> StaffProfile | None:
    return session.scalar(
        select(StaffProfile)
        .where(StaffProfile.account_id == account_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
