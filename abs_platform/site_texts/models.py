# SPDX-License-Identifier: EUPL-1.2
"""The versions of each text."""

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey, Identity, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from abs_platform.database import Base, in_list
from abs_platform.site_texts.states import SitePage


class SiteTextVersion(Base):
    """One version of the text of a page in one language. It never changes; the highest version is what is shown.

    A page without a version shows the text that comes with the platform.
    """

    __tablename__ = "site_text_versions"
    __table_args__ = (
        CheckConstraint(f"page IN {in_list(SitePage)}", name="page_known"),
        CheckConstraint("language ~ '^[a-z]{2}$'", name="language_form"),
        CheckConstraint("version > 0", name="version_positive"),
        CheckConstraint("length(body) BETWEEN 1 AND 50000", name="body_length"),
        UniqueConstraint("page", "language", "version"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    page: Mapped[str]
    language: Mapped[str]
    version: Mapped[int]
    body: Mapped[str]
    note: Mapped[str] = mapped_column(server_default="")
    made_at: Mapped[dt.datetime]
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
