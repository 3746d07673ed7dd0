# SPDX-License-Identifier: EUPL-1.2
"""Households: one row for each residential address. No names, ever."""

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from abs_platform.database import Base


class AddressImport(Base):
    """One address file that was applied: which editions, which bytes, and what it changed."""

    __tablename__ = "address_imports"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    imported_at: Mapped[dt.datetime]
    actor: Mapped[str]
    bag_file: Mapped[str]
    bag_edition: Mapped[str]
    bag_sha256: Mapped[str]
    key_edition: Mapped[int]
    key_sha256: Mapped[str]
    new_count: Mapped[int]
    changed_count: Mapped[int]
    gone_count: Mapped[int]
    unchanged_count: Mapped[int]
    rejected_count: Mapped[int]
    skipped_count: Mapped[int]


class Household(Base):
    """One residential address (BAG): a dwelling, a mooring or a pitch. Gone addresses are ended, never deleted.

    ``added_by_hand_at``: the coordinator added it, so no import ends it; ``ended_by_hand_at``: she ended it, so no
    import brings it back. ``mail_returned_at``: the post brought its letter back, so it gets no voucher until that is
    cleared.
    """

    __tablename__ = "households"
    __table_args__ = (
        CheckConstraint("bag_object_id ~ '^[0-9]{16}$'", name="bag_object_id_16_digits"),
        CheckConstraint("bag_address_id ~ '^[0-9]{16}$'", name="bag_address_id_16_digits"),
        CheckConstraint("postcode ~ '^[1-9][0-9]{3}[A-Z]{2}$'", name="postcode_form"),
        CheckConstraint("house_number BETWEEN 1 AND 99999", name="house_number_range"),
        CheckConstraint("object_type IN ('VBO', 'LIG', 'STA')", name="object_type_known"),
        Index(None, "postcode", "house_number"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    bag_object_id: Mapped[str] = mapped_column(unique=True)
    bag_address_id: Mapped[str | None]
    object_type: Mapped[str]
    street: Mapped[str]
    house_number: Mapped[int]
    house_letter: Mapped[str] = mapped_column(server_default="")
    house_addition: Mapped[str] = mapped_column(server_default="")
    postcode: Mapped[str]
    city: Mapped[str]
    neighbourhood_id: Mapped[int] = mapped_column(ForeignKey("areas.id"), index=True)
    ended_on: Mapped[dt.date | None]
    added_by_hand_at: Mapped[dt.datetime | None]
    ended_by_hand_at: Mapped[dt.datetime | None]
    mail_returned_at: Mapped[dt.datetime | None]

    @property
    def address_line(self) -> str:
        """Street and number as they stand on a letter: "Boddenstraat 12A-2, 7607 BL"."""
        addition = f"-{self.house_addition}" if self.house_addition else ""
        number = f"{self.house_number}{self.house_letter}{addition}"
        return f"{self.street} {number}, {self.postcode[:4]} {self.postcode[4:]}"
