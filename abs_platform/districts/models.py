# SPDX-License-Identifier: EUPL-1.2
"""What the page of a district says beside its figures: who works there, and a word of welcome."""

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from abs_platform.database import Base


class StaffProfile(Base):
    """How a wijkregisseur introduces herself on the pages of her districts. She chooses what stands there."""

    __tablename__ = "staff_profiles"
    __table_args__ = (
        CheckConstraint("length(shown_name) BETWEEN 1 AND 80", name="shown_name_length"),
        CheckConstraint("length(about) <= 1000", name="about_length"),
    )

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True, autoincrement=False)
    shown_name: Mapped[str]
    email: Mapped[str] = mapped_column(server_default="")
    phone: Mapped[str] = mapped_column(server_default="")
    about: Mapped[str] = mapped_column(server_default="")
    picture_id: Mapped[int | None] = mapped_column(ForeignKey("site_pictures.id"))
    is_public: Mapped[bool] = mapped_column(server_default="false")
    changed_at: Mapped[dt.datetime]


class DistrictIntro(Base):
    """The word of welcome on the page of a district, of its wijkregisseurs or the coordinator."""

    __tablename__ = "district_intros"
    __table_args__ = (CheckConstraint("length(body) BETWEEN 1 AND 2000", name="body_length"),)

    area_id: Mapped[int] = mapped_column(ForeignKey("areas.id"), primary_key=True, autoincrement=False)
    body: Mapped[str]
    changed_at: Mapped[dt.datetime]
    changed_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
