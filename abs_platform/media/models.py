# SPDX-License-Identifier: EUPL-1.2
"""Pictures and receipts: what is known of a file; the file itself is in the file store."""

import datetime as dt

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, column, func
from sqlalchemy.dialects.postgresql import ARRAY, ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from abs_platform.database import Base, in_list
from abs_platform.media.states import MAX_ALT_TEXT, Purpose


class Picture(Base):
    """A picture of residents, or a receipt. ``key`` is random: who does not know it cannot find the file.

    ``widths`` are the renditions that there are, ``sha256`` is of the file as it was sent. A receipt may be a PDF,
    which has no size. What was removed is shown to nobody and forgotten later.
    """

    __tablename__ = "pictures"
    __table_args__ = (
        CheckConstraint(f"purpose IN {in_list(Purpose)}", name="purpose_known"),
        CheckConstraint("(purpose = 'update') = (update_id IS NOT NULL)", name="update_named"),
        CheckConstraint("position > 0", name="position_positive"),
        CheckConstraint("key ~ '^[0-9a-f]{32}$'", name="key_form"),
        CheckConstraint(f"length(alt_text) <= {MAX_ALT_TEXT}", name="alt_text_length"),
        CheckConstraint("NOT is_decorative OR alt_text = ''", name="no_text_when_decorative"),
        CheckConstraint(
            "(content_type = 'image/jpeg' AND width IS NOT NULL AND width > 0 AND height IS NOT NULL AND height > 0 "
            "AND cardinality(widths) > 0) "
            "OR (content_type = 'application/pdf' AND purpose = 'receipt' AND width IS NULL AND height IS NULL)",
            name="picture_or_receipt",
        ),
        # Two who add at once take the same position, and one of them is told so: no more than the maximum get in.
        ExcludeConstraint(
            (column("initiative_id"), "="),
            (column("purpose"), "="),
            (func.coalesce(column("update_id"), 0), "="),
            (column("position"), "="),
            name="ex_pictures_one_a_position",
            using="btree",
            where="removed_at IS NULL",
            deferrable=True,
            initially="IMMEDIATE",
        ),
        Index(
            "uq_pictures_same_twice",
            "initiative_id",
            "purpose",
            "update_id",
            "sha256",
            unique=True,
            postgresql_where="removed_at IS NULL",
            postgresql_nulls_not_distinct=True,
        ),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    purpose: Mapped[str]
    initiative_id: Mapped[int] = mapped_column(ForeignKey("initiatives.id"))
    update_id: Mapped[int | None]
    position: Mapped[int]
    key: Mapped[str] = mapped_column(unique=True)
    content_type: Mapped[str]
    width: Mapped[int | None]
    height: Mapped[int | None]
    widths: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    sha256: Mapped[bytes]
    alt_text: Mapped[str] = mapped_column(server_default="")
    is_decorative: Mapped[bool] = mapped_column(server_default="false")
    uploaded_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    created_at: Mapped[dt.datetime]
    removed_at: Mapped[dt.datetime | None]


class SitePicture(Base):
    """A picture of the municipality itself: with its news, or of a wijkregisseur. ``key`` is as that of a Picture."""

    __tablename__ = "site_pictures"
    __table_args__ = (
        CheckConstraint("key ~ '^[0-9a-f]{32}$'", name="key_form"),
        CheckConstraint(f"length(alt_text) <= {MAX_ALT_TEXT}", name="alt_text_length"),
        CheckConstraint("width > 0 AND height > 0 AND cardinality(widths) > 0", name="size_known"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    width: Mapped[int]
    height: Mapped[int]
    widths: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    sha256: Mapped[bytes]
    alt_text: Mapped[str] = mapped_column(server_default="")
    uploaded_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    created_at: Mapped[dt.datetime]
    removed_at: Mapped[dt.datetime | None]
