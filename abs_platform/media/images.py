# SPDX-License-Identifier: EUPL-1.2
"""Pictures made anew: whatever a phone sends becomes a few sizes of WebP and JPEG, without a trace of who or where."""

from __future__ import annotations

import hashlib
import io
import struct
import threading
import zlib
from dataclasses import dataclass
from typing import Literal

import pillow_heif
from flask_babel import gettext as _
from PIL import Image, ImageCms

from abs_platform.errors import InvalidInput

Format = Literal["webp", "jpg"]

MAX_FILE_BYTES = 15_000_000
MAX_PIXELS = 51_000_000  # what phones call 50 megapixels
MIN_SIDE = 200
WIDTHS = (480, 960, 1600)
MAX_HEIGHT = 2400
FORMATS: tuple[Format, ...] = ("webp", "jpg")

_READ = ("JPEG", "PNG", "WEBP", "HEIF", "AVIF")
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ON_ITS_SIDE = {5, 6, 7, 8}
_SRGB = ImageCms.createProfile("sRGB")
# What the decoders raise for files that are broken, by accident or on purpose.
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, LookupError, TypeError, RuntimeError)
_TOO_LARGE = (Image.DecompressionBombError, Image.DecompressionBombWarning)
_OTHER_KINDS = {
    b"GIF8": "GIF",
    b"%PDF": "PDF",
    b"II*\x00": "TIFF",
    b"MM\x00*": "TIFF",
    b"BM": "BMP",
    b"PK\x03\x04": "ZIP",
}
# A large picture takes some hundreds of megabytes while it is opened: one at a time in each process.
_one_at_a_time = threading.Lock()

pillow_heif.register_heif_opener(thumbnails=False)
pillow_heif.options.DEPTH_IMAGES = pillow_heif.options.AUX_IMAGES = False


@dataclass(frozen=True, slots=True)
class EncodedPicture:
    """A picture as we keep it. ``renditions`` holds a file for each width and format, the widest of ``width``.

    ``sha256`` is of the file as it was sent: the same file twice is the same picture.
    """

    width: int
    height: int
    renditions: dict[tuple[int, Format], bytes]
    sha256: bytes

    @property
    def widths(self) -> list[int]:
        """The widths that there are, the smallest first."""
        return sorted({width for width, _format in self.renditions})


def encode(data: bytes) -> EncodedPicture:
    """Make a picture anew from a JPEG, PNG, WebP, HEIC or AVIF file, told by its content.

    It is turned upright, in sRGB, on white where it was transparent, and has no EXIF, place, comment or colour profile.
    Of moving pictures the first is taken; nothing is enlarged. Raises: InvalidInput saying what is wrong, what is fine.
    """
    if not data:
        raise _refusal(_("Kies eerst een foto."))
    if len(data) > MAX_FILE_BYTES:
        raise _refusal(_("Deze foto is te groot. Kies een foto van hoogstens 15 MB."))
    with _one_at_a_time:
        picture = _read(data)
    widest, height = picture.size
    renditions: dict[tuple[int, Format], bytes] = {}
    for width in sorted({*(width for width in WIDTHS if width < widest), widest}):
        size = (width, max(1, round(height * width / widest)))
        sized = picture if width == widest else picture.resize(size, Image.Resampling.LANCZOS)
        renditions[width, "webp"] = _written(sized, "WEBP", quality=80, method=4)
        renditions[width, "jpg"] = _written(sized, "JPEG", quality=80, progressive=True, optimize=True)
    return EncodedPicture(widest, height, renditions, hashlib.sha256(data).digest())


def _refusal(sentence: str) -> InvalidInput:
    return InvalidInput(sentence, fields={"picture": sentence})


def _read(data: bytes) -> Image.Image:
    """The picture upright, in sRGB and no larger than our largest, with nothing of the file in it but its pixels."""
    try:
        source = Image.open(io.BytesIO(data), formats=_READ)
    except _TOO_LARGE as error:
        raise _too_many_pixels() from error
    except _BROKEN as error:
        raise _not_a_picture(data) from error
    if source.width * source.height > MAX_PIXELS:
        raise _too_many_pixels()
    if min(source.size) < MIN_SIDE:
        raise _refusal(_("Deze foto is te klein. Kies een foto van minstens 200 bij 200 pixels."))
    try:
        return _made_anew(source)
    except _TOO_LARGE as error:
        raise _too_many_pixels() from error
    except _BROKEN as error:
        sentence = _("Deze foto is beschadigd. Open hem op je eigen apparaat, bewaar hem opnieuw, of kies een andere.")
        raise _refusal(sentence) from error


def _too_many_pixels() -> InvalidInput:
    return _refusal(_("Deze foto heeft te veel beeldpunten. Kies een foto van hoogstens 50 megapixel."))


def _not_a_picture(data: bytes) -> InvalidInput:
    kind = next((name for start, name in _OTHER_KINDS.items() if data.startswith(start)), "")
    if b"<svg" in data[:1024].lower():
        kind = "SVG"
    if kind:
        return _refusal(_("Een %(kind)s-bestand kan niet. Kies een foto: JPEG, PNG, WebP, HEIC of AVIF.", kind=kind))
    return _refusal(_("Dit is geen foto die we kunnen lezen. Kies een JPEG, PNG, WebP, HEIC of AVIF."))


def _made_anew(source: Image.Image) -> Image.Image:
    orientation = _orientation(source)
    width, height = reversed(source.size) if orientation in _ON_ITS_SIDE else source.size
    scale = min(1.0, WIDTHS[-1] / width, MAX_HEIGHT / height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    lying = (size[1], size[0]) if orientation in _ON_ITS_SIDE else size
    source.draft("RGB", lying)  # a JPEG is then decoded at a half, a quarter or an eighth
    profile = source.info.get("icc_profile")
    picture = _in_simple_colours(source).resize(lying, Image.Resampling.LANCZOS, reducing_gap=3.0)
    picture = _in_srgb(_on_white(picture), profile)
    if orientation in _TURNS:
        picture = picture.transpose(_TURNS[orientation])
    clean = Image.new("RGB", picture.size)  # the pixels and nothing else
    clean.paste(picture)
    return clean


def _orientation(source: Image.Image) -> int:
    try:
        found = source.getexif().get(_ORIENTATION, 1)
    except _BROKEN:  # what a camera wrote about itself may be broken while the picture is fine
        return 1
    return found if isinstance(found, int) else 1


def _in_simple_colours(picture: Image.Image) -> Image.Image:
    """The picture in a mode that can be resized: one that counts in 8 bits and has no palette."""
    if picture.mode.startswith("I"):  # 16 bits of grey
        return picture.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if picture.mode in {"P", "PA", "LA", "La", "RGBa"} or "transparency" in picture.info:
        return picture.convert("RGBA")
    return picture if picture.mode in {"RGB", "RGBA", "L", "CMYK"} else picture.convert("RGB")


def _on_white(picture: Image.Image) -> Image.Image:
    if picture.mode != "RGBA":
        return picture
    ground = Image.new("RGB", picture.size, "white")
    ground.paste(picture, mask=picture.getchannel("A"))
    return ground


def _in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    if profile:
        try:
            described = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(picture, described, _SRGB, outputMode="RGB")
        except (ImageCms.PyCMSError, *_BROKEN):  # a profile that is broken, or of another kind of picture
            converted = None
        if converted is not None:
            return converted
    return picture.convert("RGB")


def _written(picture: Image.Image, kind: str, **options: int) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()
