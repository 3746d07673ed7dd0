# SPDX-License-Identifier: EUPL-1.2
"""Pictures as pages show them, in the order that their organisers chose."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, ScalarSelect, Select, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session

from abs_platform.media.images import WIDTHS, Format
from abs_platform.media.models import Picture, SitePicture
from abs_platform.media.states import PUBLIC_PURPOSES, Purpose


@dataclass(frozen=True, slots=True)
class PictureView:
    """A picture for a page: its addresses, its real size, and what it says to who cannot see it."""

    id: int
    key: str
    alt: str
    is_decorative: bool
    width: int
    height: int
    widths: tuple[int, ...]
    update_id: int | None

    @property
    def needs_alt(self) -> bool:
        """Whether nobody has yet said what is to be seen."""
        return not (self.alt or self.is_decorative)

    @property
    def src(self) -> str:
        """The address of the middle size, for browsers that choose none themselves."""
        return self.address(max(width for width in self.widths if width <= WIDTHS[1] or width == self.widths[0]), "jpg")

    @property
    def largest(self) -> str:
        """The address of the largest size: for who shares the page, or wants a better look."""
        return self.address(self.widths[-1], "jpg")

    @property
    def srcset_webp(self) -> str:
        """All sizes in WebP, for a browser to choose from."""
        return self._srcset("webp")

    @property
    def srcset_jpeg(self) -> str:
        """All sizes in JPEG, for a browser that does not know WebP."""
        return self._srcset("jpg")

    def address(self, width: int, extension: Format) -> str:
        """The path of one size on this site."""
        return f"/media/{self.key}/{width}.{extension}"

    def _srcset(self, extension: Format) -> str:
        return ", ".join(f"{self.address(width, extension)} {width}w" for width in self.widths)


@dataclass(frozen=True, slots=True)
class PublicFile:
    """What the route of the pictures must know of one."""

    key: str
    widths: list[int]


def in_place(initiative_id: int, purpose: Purpose, update_id: int | None = None) -> list[ColumnElement[bool]]:
    """What holds for the pictures of one place that are there."""
    return [
        Picture.initiative_id == initiative_id,
        Picture.purpose == purpose.value,
        Picture.update_id.is_(None) if update_id is None else Picture.update_id == update_id,
        Picture.removed_at.is_(None),
    ]


def pictures_of(
    session: Session, initiative_id: int, *, purpose: Purpose = Purpose.INITIATIVE, update_id: int | None = None
) -> list[PictureView]:
    """The pictures of an initiative, of one of its updates, or of its accountability, in their order."""
    return _views(session, _pictures().where(*in_place(initiative_id, purpose, update_id)))


def pictures_of_updates(session: Session, update_ids: Iterable[int]) -> dict[int, list[PictureView]]:
    """The pictures of these updates, by update; one without pictures is not in it."""
    found: dict[int, list[PictureView]] = {}
    shown = _pictures().where(Picture.update_id.in_(list(update_ids)), Picture.removed_at.is_(None))
    for view in _views(session, shown):
        if view.update_id is not None:
            found.setdefault(view.update_id, []).append(view)
    return found


def first_picture_id(initiative_id: ColumnElement[int] | InstrumentedAttribute[int]) -> ScalarSelect[int]:
    """Which picture stands on the card of an initiative, for queries that list them."""
    first = select(Picture.id).where(
        Picture.initiative_id == initiative_id,
        Picture.purpose == Purpose.INITIATIVE.value,
        Picture.removed_at.is_(None),
    )
    return first.order_by(Picture.position, Picture.id).limit(1).scalar_subquery()


def pictures_without_alt(session: Session, initiative_id: int) -> list[PictureView]:
    """The pictures of an initiative itself that cannot be published yet: nobody said what is to be seen."""
    return [view for view in pictures_of(session, initiative_id) if view.needs_alt]


def public_file(session: Session, key: str) -> PublicFile | None:
    """A picture that anyone may fetch who knows its key; None for a receipt and for what was removed."""
    of_residents = select(Picture.key, Picture.widths).where(
        Picture.key == key,
        Picture.purpose.in_([purpose.value for purpose in PUBLIC_PURPOSES]),
        Picture.removed_at.is_(None),
    )
    of_the_site = select(SitePicture.key, SitePicture.widths).where(
        SitePicture.key == key, SitePicture.removed_at.is_(None)
    )
    row = session.execute(union_all(of_residents, of_the_site)).first()
    return None if row is None else PublicFile(*row)


def keys_in_use(session: Session) -> set[str]:
    """The keys of all pictures and receipts that there are, and of those that were removed and not yet forgotten."""
    return set(session.scalars(union_all(select(Picture.key), select(SitePicture.key))))


def _pictures() -> Select[Picture]:
    return select(Picture).order_by(Picture.position, Picture.id)


def _views(session: Session, query: Select[Picture]) -> list[PictureView]:
    return [view_of(picture) for picture in session.scalars(query)]


def view_of(picture: Picture) -> PictureView:
    """A picture for a page."""
    return PictureView(
        id=picture.id,
        key=picture.key,
        alt=picture.alt_text,
        is_decorative=picture.is_decorative,
        width=picture.width or 0,
        height=picture.height or 0,
        widths=tuple(picture.widths),
        update_id=picture.update_id,
    )
