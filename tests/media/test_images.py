# SPDX-License-Identifier: EUPL-1.2
"""Pictures made anew: every kind that phones make is read, no trace of its maker is left, the rest is refused."""

from __future__ import annotations

import io
import random
import threading
import time
import zipfile
import zlib
from collections.abc import Iterator

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from abs_platform.errors import InvalidInput
from abs_platform.media import images
from abs_platform.media.images import MAX_FILE_BYTES, encode
from tests.media.pictures import DESCRIPTION, GPS, exif, opened, photo, png, profile, scene, written

WHITE, RED = (255, 255, 255), (230, 20, 20)
KINDS = ["JPEG", "PNG", "WEBP", "HEIF", "AVIF"]


@pytest.fixture(autouse=True, scope="module")
def _an_app_for_its_language(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


def refusal(data: bytes) -> str:
    with pytest.raises(InvalidInput) as refused:
        encode(data)
    assert refused.value.fields == {"picture": refused.value.message}
    return refused.value.message


def is_near(colour: object, other: tuple[int, int, int], distance: int = 14) -> bool:
    assert isinstance(colour, tuple)
    return all(abs(one - two) <= distance for one, two in zip(colour, other, strict=True))


# -- what is read, and what it becomes --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_that_phones_and_computers_make_is_read_by_its_content(kind: str) -> None:
    made = encode(photo(1000, 750, kind=kind))

    assert (made.width, made.height, made.widths) == (1000, 750, [480, 960, 1000])
    for (width, extension), data in made.renditions.items():
        picture = opened(data)
        assert picture.size == (width, 750 * width // 1000)
        assert picture.format == {"webp": "WEBP", "jpg": "JPEG"}[extension]
        assert picture.mode == "RGB"


@pytest.mark.parametrize(
    ("size", "widths", "largest"),
    [
        ((4000, 3000), [480, 960, 1600], (1600, 1200)),
        ((1600, 900), [480, 960, 1600], (1600, 900)),
        ((900, 600), [480, 900], (900, 600)),
        ((480, 360), [480], (480, 360)),
        ((300, 200), [300], (300, 200)),
        ((1500, 6000), [480, 600], (600, 2400)),
        ((5000, 200), [480, 960, 1600], (1600, 64)),
    ],
)
def test_a_picture_comes_in_our_sizes_and_is_never_enlarged(
    size: tuple[int, int], widths: list[int], largest: tuple[int, int]
) -> None:
    made = encode(photo(*size))

    assert made.widths == widths
    assert (made.width, made.height) == largest
    assert set(made.renditions) == {(width, extension) for width in widths for extension in ("webp", "jpg")}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_stands_upright_whichever_way_the_phone_was_held(kind: str, orientation: int) -> None:
    upright = Image.new("RGB", (400, 240), WHITE)
    upright.paste(RED, (0, 0, 100, 60))  # red in the corner above left
    undone = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Image.Transpose that lays it as the camera did
    lying = upright.transpose(Image.Transpose(undone[orientation])) if orientation > 1 else upright

    made = encode(written(lying, kind, exif=exif(orientation), quality=95))

    picture = opened(made.renditions[400, "jpg"])
    assert picture.size == (400, 240)
    assert is_near(picture.getpixel((30, 20)), RED, 40)
    for corner in ((380, 20), (30, 220), (380, 220)):
        assert is_near(picture.getpixel(corner), WHITE)


@pytest.mark.parametrize(
    ("mode", "colour", "becomes"),
    [
        ("L", 128, (128, 128, 128)),
        ("LA", (10, 0), WHITE),
        ("RGBA", (255, 0, 0, 0), WHITE),
        ("RGBA", (255, 0, 0, 128), (255, 127, 127)),
        ("1", 1, WHITE),
        ("I;16", 40_000, (156, 156, 156)),
    ],
)
def test_whatever_the_pixels_are_they_become_colours_on_white(
    mode: str, colour: tuple[int, ...] | int, becomes: tuple[int, int, int]
) -> None:
    made = encode(written(Image.new(mode, (300, 200), colour), "PNG"))

    assert is_near(opened(made.renditions[300, "jpg"]).getpixel((150, 100)), becomes, 3)


def test_a_palette_with_a_transparent_colour_is_read() -> None:
    picture = Image.new("P", (300, 200), 1)
    picture.putpalette([0, 0, 0, 230, 20, 20])
    picture.paste(0, (0, 0, 100, 200))

    made = opened(encode(written(picture, "PNG", transparency=0)).renditions[300, "jpg"])

    assert is_near(made.getpixel((20, 100)), WHITE)
    assert is_near(made.getpixel((280, 100)), RED)


def test_a_jpeg_for_the_printer_is_read() -> None:
    made = encode(written(Image.new("CMYK", (300, 200), (0, 255, 255, 0)), "JPEG", quality=95))

    red, green, blue = opened(made.renditions[300, "jpg"]).getpixel((150, 100))  # type: ignore[misc]
    assert red > 200
    assert max(green, blue) < 80


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_colours_are_those_that_the_profile_means(kind: str) -> None:
    swapped = profile().replace(b"rXYZ", b"????").replace(b"bXYZ", b"rXYZ").replace(b"????", b"bXYZ")

    made = encode(written(Image.new("RGB", (300, 200), RED), kind, icc_profile=swapped, quality=95))

    assert is_near(opened(made.renditions[300, "jpg"]).getpixel((150, 100)), (20, 20, 230))


@pytest.mark.parametrize("other", [b"geen profiel", b"", profile("LAB"), profile("XYZ"), profile()[:200]])
def test_a_profile_that_means_nothing_changes_nothing(other: bytes) -> None:
    made = encode(written(Image.new("RGB", (300, 200), RED), "JPEG", icc_profile=other, quality=95))

    assert is_near(opened(made.renditions[300, "jpg"]).getpixel((150, 100)), RED)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF"])
def test_of_a_moving_picture_the_first_is_taken(kind: str) -> None:
    moving = [Image.new("RGB", (300, 200), colour) for colour in (RED, (0, 0, 255), (0, 255, 0))]

    made = encode(written(moving[0], kind, save_all=True, append_images=moving[1:], duration=100))

    assert is_near(opened(made.renditions[300, "jpg"]).getpixel((150, 100)), RED)
    assert getattr(opened(made.renditions[300, "webp"]), "n_frames", 1) == 1


def test_two_pictures_in_one_jpeg_as_some_phones_write_it_are_one() -> None:
    made = encode(written(scene(600, 400), "MPO", save_all=True, append_images=[scene(600, 400)]))

    assert made.widths == [480, 600]


# -- what is left of its maker ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_where_and_with_what_a_picture_was_taken_is_gone(kind: str) -> None:
    options = {"exif": exif(), "icc_profile": profile(), "xmp": b"<x:xmpmeta>Thuis bij Anna</x:xmpmeta>"}
    if kind == "PNG":
        notes = PngImagePlugin.PngInfo()
        notes.add_itxt("Comment", "Thuis bij Anna")
        options["pnginfo"] = notes  # type: ignore[assignment]
    if kind == "JPEG":
        options["comment"] = b"Thuis bij Anna"
    sent = photo(1000, 700, kind=kind, **options)
    before = opened(sent)
    assert before.getexif()[DESCRIPTION] == "Thuis bij Anna"
    assert before.getexif().get_ifd(GPS)[2] == (52.0, 21.0, 24.5)

    made = encode(sent)

    for data in made.renditions.values():
        after = opened(data)
        assert dict(after.getexif()) == {}
        assert dict(after.getexif().get_ifd(GPS)) == {}
        assert not {"exif", "xmp", "icc_profile", "comment", "Comment", "photoshop"} & set(after.info)
        for trace in (b"Anna", b"Exif", b"GPS", b"xmp", b"ICC_PROFILE", b"ICCP", b"EXIF"):
            assert trace not in data


def test_what_is_hidden_behind_a_picture_is_gone() -> None:
    made = encode(photo() + b"<script>alert(1)</script>PK\x03\x04")

    assert all(b"script" not in data for data in made.renditions.values())


def test_the_same_file_has_the_same_digest_and_another_has_another() -> None:
    one, same, other = (encode(photo(seed=seed)) for seed in (1, 1, 2))

    assert one.sha256 == same.sha256 != other.sha256
    assert one.renditions == same.renditions


# -- what is refused --------------------------------------------------------------------------------------------------


def a_zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("foto.jpg", photo())
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (photo(kind="GIF"), "GIF"),
        (photo(kind="TIFF"), "TIFF"),
        (photo(kind="BMP"), "BMP"),
        (b"%PDF-1.7\n", "PDF"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "SVG"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- x --><SVG/>", "SVG"),
        (a_zip(), "ZIP"),
    ],
)
def test_another_kind_of_file_is_refused_with_what_is_fine(data: bytes, kind: str) -> None:
    said = refusal(data)

    assert said == f"Een {kind}-bestand kan niet. Kies een foto: JPEG, PNG, WebP, HEIC of AVIF."


@pytest.mark.parametrize(
    "data",
    [
        b"hallo",
        b"\x00" * 1000,
        b"<html><script>alert(1)</script>",
        b"MZ\x90\x00",
        b"\x00\x00\x00\x18ftypmp42" + b"\x00" * 99,
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n",
        b"RIFF\x00\x00\x00\x00WEBP",
        b"\xff\xd8\xff\xe0" + b"\x00" * 500,
    ],
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    assert refusal(data) == "Dit is geen foto die we kunnen lezen. Kies een JPEG, PNG, WebP, HEIC of AVIF."


def test_no_file_at_all_is_asked_for() -> None:
    assert refusal(b"") == "Kies eerst een foto."


def test_a_file_that_is_too_large_is_refused_before_it_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "open", lambda *_a, **_b: pytest.fail("it was opened"))

    assert refusal(photo() + b"\x00" * MAX_FILE_BYTES) == "Deze foto is te groot. Kies een foto van hoogstens 15 MB."


@pytest.mark.parametrize("size", [(199, 400), (400, 199), (1, 1)])
def test_a_picture_that_is_too_small_to_show_is_refused(size: tuple[int, int]) -> None:
    assert "te klein" in refusal(photo(*size))


@pytest.mark.parametrize("size", [(8000, 8000), (9000, 9000), (20_000, 20_000), (2_000_000_000, 300), (65_535, 65_535)])
def test_a_bomb_is_refused_by_its_header_before_its_pixels_are_unpacked(size: tuple[int, int]) -> None:
    begun = time.process_time()

    said = refusal(png(*size, pixels=b"\x00" * 5_000_000))

    assert said == "Deze foto heeft te veel beeldpunten. Kies een foto van hoogstens 50 megapixel."
    assert time.process_time() - begun < 0.5


@pytest.mark.parametrize("kind", KINDS)
def test_a_bomb_in_another_kind_of_file_is_refused_as_well(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    flat = written(Image.new("RGB", (1_200, 1_000)), kind)
    monkeypatch.setattr(images, "MAX_PIXELS", 1_000_000)

    assert "te veel beeldpunten" in refusal(flat)


def test_fifty_megapixels_as_phones_count_them_are_fine() -> None:
    made = encode(written(Image.new("L", (8_192, 6_144), 90), "JPEG", quality=10))

    assert (made.width, made.height) == (1600, 1200)


def test_a_small_picture_with_a_bomb_in_its_notes_is_refused() -> None:
    text = b"Comment\x00\x00" + zlib.compress(b"a" * 100_000_000, 9)
    whole = photo(kind="PNG")
    chunk = len(text).to_bytes(4, "big") + b"zTXt" + text
    chunk += zlib.crc32(b"zTXt" + text).to_bytes(4, "big")

    assert "geen foto die we kunnen lezen" in refusal(whole[:33] + chunk + whole[33:])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.2, 0.6, 0.95])
def test_a_picture_that_was_cut_off_is_refused(kind: str, share: float) -> None:
    whole = photo(1000, 700, kind=kind)

    said = refusal(whole[: int(len(whole) * share)])

    assert "beschadigd" in said or "kunnen lezen" in said


def test_the_name_of_a_file_says_nothing() -> None:
    assert encode(photo(kind="PNG")).width == 640  # there is no way to give a name


SEEDS = [photo(300, 220, kind=kind, seed=7, exif=exif(6), icc_profile=profile()) for kind in KINDS]
SEEDS += [photo(300, 220, seed=7, progressive=True), written(scene(300, 220, 7).convert("P"), "PNG")]


@pytest.mark.filterwarnings("ignore::UserWarning")  # what the decoders mutter about what they can mend
@settings(max_examples=300, deadline=None)
@given(st.sampled_from(SEEDS), st.integers(0, 2**32))
def test_a_file_that_was_tampered_with_is_read_or_refused_and_never_a_bug(seed: bytes, chance: int) -> None:
    dice, data = random.Random(chance), bytearray(seed)
    for _ in range(dice.choice([1, 2, 5, 20])):
        at = dice.randrange(min(len(data), 1200) if dice.random() < 0.7 else len(data))
        data[at : at + dice.choice([0, 1, 1, 4])] = dice.choice(
            [b"\x00", b"\xff", dice.randbytes(1), b"\x7f\xff\xff\xff"]
        )

    try:
        made = encode(bytes(data))
    except InvalidInput:
        return
    assert all(opened(file).width == width for (width, _kind), file in made.renditions.items())


def test_large_pictures_are_opened_one_at_a_time(monkeypatch: pytest.MonkeyPatch, app: Flask) -> None:
    inside, most = 0, 0
    real = images._read

    def counted(data: bytes) -> Image.Image:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        time.sleep(0.02)
        try:
            return real(data)
        finally:
            inside -= 1

    monkeypatch.setattr(images, "_read", counted)
    threads = [threading.Thread(target=encode, args=(photo(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert most == 1
