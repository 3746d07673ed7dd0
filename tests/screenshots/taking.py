# SPDX-License-Identifier: EUPL-1.2
"""Takes the pictures: each page is opened once, and seen at one width after the other."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from tests.screenshots.pages import Sight
from tests.screenshots.showing import Shown

HEIGHTS = {360: 740, 768: 1024}
HEIGHT = 900
AT_ONCE = 3
CHROMIUM = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
# Pictures further down come when one scrolls there; nobody scrolls here.
_ALL_PICTURES = """() => Promise.all([document.fonts.ready, ...[...document.images].map((image) => {
  image.loading = "eager";
  return image.complete || new Promise((done) => { image.onload = image.onerror = done; });
})])"""


@dataclass(frozen=True, slots=True)
class Look:
    """How the pictures are taken, and where they go."""

    folder: Path
    widths: tuple[int, ...]
    is_dark: bool
    language: str

    def widths_of(self, sight: Sight) -> tuple[int, ...]:
        """Desks are seen at the outer widths alone."""
        return (self.widths[0], self.widths[-1])[: len(self.widths)] if sight.is_of_staff else self.widths

    def file(self, sight: Sight, width: int) -> str:
        """The name of a picture."""
        return f"{sight.name}-{width}.jpg"

    def address(self, shown: Shown, sight: Sight) -> str:
        """Where a page stands in this language."""
        return shown.url + ("" if self.language == "nl" else f"/{self.language}") + sight.path


async def take_all(shown: Shown, sights: list[Sight], look: Look) -> list[str]:
    """Take the pictures of all pages; returns what was wrong with any."""
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        raise SystemExit("There is no Chromium here: sudo apt-get install chromium")
    waiting, wrong = list(reversed(sights)), list[str]()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        await asyncio.gather(*(_work(browser, shown, waiting, look, wrong) for _ in range(AT_ONCE)))
        await browser.close()
    return wrong


async def _work(browser: Browser, shown: Shown, waiting: list[Sight], look: Look, wrong: list[str]) -> None:
    contexts: dict[str, BrowserContext] = {}
    while waiting:
        sight = waiting.pop()
        if sight.who not in contexts:
            contexts[sight.who] = await _context(browser, shown, sight.who, is_dark=look.is_dark)
        page = await contexts[sight.who].new_page()
        try:
            wrong += await _take(page, look.address(shown, sight), sight, look)
        except Exception as error:  # noqa: BLE001 - one page that fails takes no other with it
            wrong.append(f"{sight.name}: {str(error).splitlines()[0]}")
        await page.close()


async def _context(browser: Browser, shown: Shown, who: str, *, is_dark: bool) -> BrowserContext:
    context = await browser.new_context(
        color_scheme="dark" if is_dark else "light", reduced_motion="reduce", service_workers="block"
    )
    context.set_default_timeout(20_000)
    if who in shown.cookies:
        await context.add_cookies([{"name": "session", "value": shown.cookies[who], "url": shown.url}])
    return context


async def _take(page: Page, address: str, sight: Sight, look: Look) -> list[str]:
    wrong = []
    await page.set_viewport_size({"width": look.widths[0], "height": HEIGHTS.get(look.widths[0], HEIGHT)})
    answer = await page.goto(address)
    expected = 404 if "-404" in sight.name else 200
    if answer is None or answer.status != expected:
        wrong.append(f"{sight.name}: {answer.status if answer else 'nothing'} at {address}")
    for selector in sight.press:
        await page.locator(selector).first.click()
    for width in look.widths_of(sight):
        await page.set_viewport_size({"width": width, "height": HEIGHTS.get(width, HEIGHT)})
        await page.evaluate(_ALL_PICTURES)
        needed = await page.evaluate("document.documentElement.scrollWidth")
        if needed > width:
            wrong.append(f"{sight.name}: {needed} pixels wide at {width}")
        await page.screenshot(path=look.folder / look.file(sight, width), type="jpeg", quality=80, full_page=True)
    return wrong
