# SPDX-License-Identifier: EUPL-1.2
"""The public pictures, for whoever has their address. What is kept apart is served by nobody here."""

from flask import Blueprint, Response, current_app
from flask_babel import gettext as _

from abs_platform.database import db
from abs_platform.errors import NotFound
from abs_platform.media.images import Format
from abs_platform.media.keeping import read_public
from abs_platform.media.queries import public_file
from abs_platform.security import public

bp = Blueprint("media", __name__)

HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    # Whatever a browser may make of it: it runs nothing and stands in no frame.
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
}


@bp.get("/media/<string(length=32):key>/<int:width>.<any(webp, jpg):extension>")
@public
def picture(key: str, width: int, extension: Format) -> Response:
    """One size of a picture. It never changes: another picture has another address."""
    found = public_file(db.session(), key)
    if found is None or width not in found.widths:
        raise NotFound(_("Deze foto is er niet (meer)."))
    data, content_type = read_public(current_app.extensions["file_store"], found.key, width, extension)
    return Response(data, content_type=content_type, headers=HEADERS)
