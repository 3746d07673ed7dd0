# SPDX-License-Identifier: EUPL-1.2
"""Pictures to send: like photos, of any size and kind, each another one, with all that a phone writes into them."""

from __future__ import annotations

import io
import random
import struct
import zlib
from itertools import count
from typing import Any

import pillow_heif
from PIL import Image, ImageCms

ORIENTATION, DESCRIPTION, GPS = 0x0112, 0x010E, 0x8825
LATITUDE = (52.0, 21.0, 24.5)
_numbers = count(1)

pillow_heif.register_heif_opener()


def scene(width: int = 640, height: int = 480, seed: int | None = None) -> Image.Image:
    """A picture with soft colours: another one each time."""
    chance = random.Random(next(_numbers) if seed is None else seed)
    small = Image.frombytes("RGB", (8, 6), chance.randbytes(8 * 6 * 3))
    return small.resize((width, height), Image.Resampling.BICUBIC)


def written(picture: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    """The file of a picture."""
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def photo(width: int = 640, height: int = 480, *, kind: str = "JPEG", seed: int | None = None, **options: Any) -> bytes:
    """The file of a picture of this size and kind."""
    return written(scene(width, height, seed), kind, **options)


def exif(orientation: int = 1) -> bytes:
    """What a phone writes: which way is up, what it is, and where it was taken."""
    made = Image.Exif()
    made[ORIENTATION] = orientation
    made[DESCRIPTION] = "Thuis bij Anna"
    made.get_ifd(GPS).update({1: "N", 2: LATITUDE, 3: "E", 4: (6.0, 39.0, 45.0)})
    return made.tobytes()


def profile(name: str = "sRGB") -> bytes:
    """A colour profile."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(name)).tobytes()


def png(width: int, height: int, *, depth: int = 8, colour: int = 2, pixels: bytes = b"") -> bytes:
    """A PNG that says to be of a size, whatever pixels there are."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(pixels, 9)), (b"IEND", b"")]
    body = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def opened(data: bytes) -> Image.Image:
    """A picture that was made, to look at."""
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture
