# SPDX-License-Identifier: EUPL-1.2
"""The picture of an initiative without a photo: drawn from its theme and its title, always the same for the same two.

A sky, something far away and a ground, chosen by chance from few harmonious colours, with a scene of the theme
(motifs.toml) before it.
"""

from __future__ import annotations

import hashlib
import tomllib
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from random import Random
from string import Template

from abs_platform.initiatives.states import Theme

SEEDS = 512
_MOTIFS = Path(__file__).with_name("motifs.toml")


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours around a scene: air, what shines in it, what is far away (in two tones) and grass."""

    sky: str
    sun: str
    far: str
    farther: str
    grass: str
    cloud: str = "#fff"
    is_night: bool = False


DAYS = (
    Palette("#e4f2ee", "#ffcf56", "#a9d8b6", "#c3e4cf", "#5aa977"),
    Palette("#dff0f5", "#ffcf56", "#9fd0c4", "#bfe0e2", "#4fa07c"),
    Palette("#fff1cb", "#f7a95e", "#cfe3bd", "#f3dfae", "#6aae6f"),
    Palette("#fde5d3", "#ffcf56", "#f1c4a2", "#f8d6bd", "#5aa977"),
    Palette("#fbe3de", "#ffb35c", "#eec3b6", "#f5d5cb", "#4fa07c"),
    Palette("#e9e6f4", "#ffd98a", "#b9c4de", "#d2d6ea", "#5c9f86"),
)
NIGHTS = (
    Palette("#274a5c", "#fff3d1", "#1d3947", "#21414f", "#2c6152", "#3b6072", is_night=True),
    Palette("#3a3f63", "#fff3d1", "#2b3050", "#323758", "#2f6558", "#52588a", is_night=True),
    Palette("#1f4f55", "#ffe7b0", "#173c42", "#1b454a", "#2a6a52", "#34696c", is_night=True),
)
ACCENTS = (
    ("#d9764d", "#17768a", "#ffcf56"),
    ("#c8553d", "#2f6f9f", "#f7b267"),
    ("#17768a", "#d9764d", "#ffcf56"),
    ("#e08e45", "#0f7a6c", "#f2d16b"),
    ("#b9542f", "#5a8f86", "#ffcf56"),
    ("#d4627a", "#17768a", "#ffd98a"),
)
_CLOUD = "a14 14 0 0 1 14-14 20 20 0 0 1 38-4 16 16 0 0 1 22 18z"
_STREET, _WATER, _RIPPLE = "#93aca2", "#8ccad6", "#c2e3e8"


@dataclass(frozen=True, slots=True)
class Motif:
    """One scene of a theme."""

    art: Template
    ground: str
    is_night: bool = False
    is_mirrored: bool = True


@lru_cache(maxsize=1)
def _drawn() -> tuple[dict[str, str], dict[Theme, list[Motif]], str]:
    """The shared pieces, the scenes of each theme, and a mark that changes when any drawing does."""
    text = _MOTIFS.read_text(encoding="utf-8")
    data = tomllib.loads(text)
    pieces: dict[str, str] = data.pop("pieces")
    motifs = {
        Theme(theme): [Motif(**(scene | {"art": Template(scene["art"])})) for scene in scenes]
        for theme, scenes in data.items()
    }
    code = Path(__file__).read_bytes()
    return pieces, motifs, hashlib.sha256(text.encode() + code).hexdigest()[:8]


def seed_of(title: str) -> int:
    """Which of the pictures of its theme an initiative has."""
    return zlib.crc32(title.encode()) % SEEDS


def version() -> str:
    """A mark of all drawings together, for addresses that are kept for ever."""
    return _drawn()[2]


def palette_of(theme: Theme, seed: int) -> Palette:
    """The colours of a picture, for what stands beside it."""
    return _choose(theme, seed)[1]


def draw(theme: Theme, seed: int) -> str:
    """The picture as SVG, 480 x 240."""
    motif, palette, chance = _choose(theme, seed)
    a, b, c = chance.choice(ACCENTS)
    scene = motif.art.substitute(a=a, b=b, c=c)
    if motif.is_mirrored and chance.random() < 0.5:
        scene = f'<g transform="matrix(-1 0 0 1 480 0)">{scene}</g>'
    back = chance.choice((_hills, _gables, _poplars))(palette, chance)
    body = f"{_air(palette, chance)}{back}{_ground(motif.ground, palette)}{scene}"
    pieces = _drawn()[0]
    used = "".join(f'<g id="{name}">{art}</g>' for name, art in pieces.items() if f'"#{name}"' in body)
    defs = f"<defs>{used}</defs>" if used else ""
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 480 240">{defs}{body}</svg>'


def _choose(theme: Theme, seed: int) -> tuple[Motif, Palette, Random]:
    """The scene, its colours, and the chance with which to go on."""
    chance = Random(f"{theme.value}-{seed}")  # noqa: S311 - no secret: the same picture every time
    motifs = _drawn()[1][theme]
    motif = motifs[seed % len(motifs)]
    return motif, chance.choice(NIGHTS if motif.is_night else DAYS), chance


def _air(palette: Palette, chance: Random) -> str:
    """The sky, with the sun and clouds, or the moon and stars. At the start a card has its badge, so no sun."""
    x, y = chance.choice((214, 322, 374, 426)), chance.randint(38, 58)
    parts = [f'<path fill="{palette.sky}" d="M0 0h480v240H0z"/>']
    parts.append(f'<circle cx="{x}" cy="{y}" r="{chance.randint(19, 27)}" fill="{palette.sun}"/>')
    if palette.is_night:
        stars = "".join(f"M{chance.randint(10, 470)} {chance.randint(12, 100)}h0" for _ in range(9))
        parts.append(f'<path stroke="{palette.sun}" stroke-width="4" stroke-linecap="round" d="{stars}"/>')
    for _ in range(1 if palette.is_night else chance.randint(1, 2)):
        at = f"M{chance.randint(0, 360)} {chance.randint(48, 82)}"
        parts.append(f'<path fill="{palette.cloud}" opacity=".85" d="{at}{_CLOUD}"/>')
    return "".join(parts)


def _hills(palette: Palette, chance: Random) -> str:
    """Two lines of hills, one behind the other."""
    lines = []
    for tone, height in ((palette.farther, 132), (palette.far, 164)):
        left, right = height + chance.randint(-12, 20), height + chance.randint(-16, 16)
        middle = height + chance.randint(-6, 18)
        lines.append(
            f'<path fill="{tone}" d="M0 {left}c80-44 150-40 230 {middle - left}s160 10 250 {right - middle}V220H0z"/>'
        )
    return "".join(lines)


def _gables(palette: Palette, chance: Random) -> str:
    """A row of houses with gables as they stand along a canal: pointed, stepped, bell-shaped."""
    tones, windows, x = {palette.far: "", palette.farther: ""}, "", -chance.randint(0, 30)
    tone = palette.far
    while x < 480:
        width, top = chance.randint(40, 62), chance.randint(112, 140)
        half, kind = width // 2, chance.randint(0, 2)
        eighth = width // 8
        step = f"v-8h{eighth}v-8h{eighth}v-8h{width - 4 * eighth}v8h{eighth}v8h{eighth}v8"
        bell = f"c{half} 0 4-30 {half}-30s{half - 4} 30 {width - half} 30"
        gable = (f"l{half}-28 {width - half} 28", step, bell)[kind]
        tones[tone] += f"M{x} 210V{top}{gable}V210z"
        windows += "".join(f"M{x + at} {top + 12}h8v13h-8z" for at in (width // 4 - 4, width * 3 // 4 - 4))
        x, tone = x + width, palette.farther if tone == palette.far else palette.far
    light = "#ffcf56" if palette.is_night else "#fffaf0"
    rows = "".join(f'<path fill="{colour}" d="{path}"/>' for colour, path in tones.items())
    return f'{rows}<path fill="{light}" opacity=".75" d="{windows}"/>'


def _poplars(palette: Palette, chance: Random) -> str:
    """A line of slim trees behind a low hill."""
    trees, x = "", chance.randint(0, 26)
    while x < 480:
        tall = chance.randint(34, 50)
        trees += f"M{x} {172 - 2 * tall}c17 18 18 {tall} 0 {2 * tall}c-18-{tall} -17-{2 * tall - 18} 0-{2 * tall}z"
        x += chance.randint(30, 52)
    low = f'<path fill="{palette.far}" d="M0 172c90-26 190-20 270-10s150 2 210-12v70H0z"/>'
    return f'<path fill="{palette.farther}" d="{trees}"/>{low}'


def _ground(ground: str, palette: Palette) -> str:
    """Grass, a street, or a quay with water."""
    if ground == "water":
        water, ripple = ("#1f5f70", "#3f8796") if palette.is_night else (_WATER, _RIPPLE)
        return (
            f'<path fill="{palette.grass}" d="M0 184h480v14H0z"/><path fill="{water}" d="M0 196h480v44H0z"/>'
            f'<path stroke="{ripple}" stroke-width="4" stroke-linecap="round" d="M20 210h60M190 216h40M380 208h70"/>'
        )
    street = "#3b6072" if palette.is_night else _STREET
    tone = palette.grass if ground == "grass" else street
    shape = f'<path fill="{tone}" d="M0 198c90-20 190-12 270-6s150 2 210-8v56H0z"/>'
    if ground == "street":
        shape = f'<path fill="{palette.grass}" d="M0 188c90-14 190-8 270-4s150 0 210-6v62H0z"/>' + shape
    return shape
