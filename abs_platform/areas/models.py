# SPDX-License-Identifier: EUPL-1.2
"""Areas as the CBS draws them: the municipality, its districts and their neighbourhoods."""

from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Identity, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from abs_platform.areas.states import AreaLevel, DistrictKind
from abs_platform.database import Base, in_list


class Area(Base):
    """One area. Neighbourhoods change between years, so the edition (year) in which it was last seen stands beside it.

    An area that a newer edition no longer has keeps its row, because initiatives and addresses point at it.
    """

    __tablename__ = "areas"
    __table_args__ = (
        CheckConstraint(f"level IN {in_list(AreaLevel)}", name="level_known"),
        CheckConstraint(f"kind IN {in_list(DistrictKind)}", name="kind_known"),
        CheckConstraint("(level = 'district') = (kind IS NOT NULL)", name="kind_of_district"),
        CheckConstraint("(level = 'municipality') = (parent_id IS NULL)", name="parent_above_all_but_top"),
        UniqueConstraint("level", "slug"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    slug: Mapped[str]
    level: Mapped[str]
    kind: Mapped[str | None]
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("areas.id"), index=True)
    edition: Mapped[int]
    is_current: Mapped[bool] = mapped_column(server_default="true")
    shape: Mapped[dict[str, Any] | None]


class HelpPoint(Base):
    """Where residents of a district get help: the desk of their wijkcentrum. Letters and the contact page name it."""

    __tablename__ = "help_points"

    district_id: Mapped[int] = mapped_column(ForeignKey("areas.id"), primary_key=True, autoincrement=False)
    name: Mapped[str]
    address: Mapped[str]
    opening_hours: Mapped[str]
    phone: Mapped[str]
