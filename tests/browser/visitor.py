# SPDX-License-Identifier: EUPL-1.2
"""A visitor with a real browser, and what every page owes them: readable, reachable, quiet, no code in an address."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Request, Response, expect

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]
# WCAG 1.4.10: a window of 1280 by 1024 that is magnified four times.
MAGNIFIED = {"width": 320, "height": 256}
WIDE = {"width": 1280, "height": 900}
_FOCUS = """() => {
  const element = document.activeElement;
  const card = element.closest(".abs-card, .abs-choice, .agenda-list__item, .desk-row, .fin-row") ?? element;
  const ring = (style) => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  const box = element.getClientRects()[0];
  const at = (x, y) => box && document.elementFromPoint(box.x + box.width * x, box.y + box.height * y);
  // A shape need not fill its box.
  const parts = element instanceof SVGElement ? [0.1, 0.3, 0.5, 0.7, 0.9] : [0.5];
  return {
    what: element.outerHTML.slice(0, 160),
    ring: [element, card].some((one) => ring(getComputedStyle(one))),
    free: parts.some((x) => parts.some((y) => card.contains(at(x, y) || null))),
  };
}"""

# Focus on everything that Tab would come to, one after the other, as it is shown to who uses the keys.
_WALK = """() => {
  const seen = (element) => {
    const card = element.closest(".abs-card, .abs-choice, .agenda-list__item, .desk-row, .fin-row") ?? element;
    return [element, card].map((one) => {
      const style = getComputedStyle(one);
      const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
      return ring ? `${style.outlineStyle} ${style.outlineWidth} ${style.outlineColor}` : style.boxShadow;
    }).join();
  };
  const free = (element) => {
    const whole = [...element.getClientRects()].find((one) => one.width && one.height);
    if (!whole) return false;
    // Of what is bigger than the window: the part that is in it.
    const x = Math.max(whole.left, 0), y = Math.max(whole.top, 0);
    const box = {x, y, width: Math.min(whole.right, innerWidth) - x, height: Math.min(whole.bottom, innerHeight) - y};
    // A shape need not fill its box.
    const parts = element instanceof SVGElement ? [0.1, 0.3, 0.5, 0.7, 0.9] : [0.5];
    return parts.some((x) => parts.some((y) => {
      const top = document.elementFromPoint(box.x + box.width * x, box.y + box.height * y);
      return top && (element.contains(top) || top.closest("label")?.control === element);
    }));
  };
  const stops = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")];
  const wrong = [];
  for (const stop of stops) {
    if (stop.disabled || stop.tabIndex < 0 || !stop.checkVisibility({visibilityProperty: true})) continue;
    document.activeElement.blur();
    const before = seen(stop);
    stop.focus();
    if (document.activeElement !== stop) continue;
    const what = stop.outerHTML.slice(0, 140);
    if (seen(stop) === before) wrong.push(`no ring: ${what}`);
    if (!free(stop)) wrong.push(`out of sight: ${what}`);
  }
  window.scrollTo(0, 0);
  return wrong;
}"""
# What fades in has another colour on its way.
_STAND_STILL = """() => Promise.allSettled(document.getAnimations()
  .filter((one) => one.effect && one.effect.getComputedTiming().endTime !== Infinity)
  .map((one) => one.finished)).then(() => undefined)"""
# axe reads the same few colours thousands of times, each time through a whole colour library: half of all its work.
_REMEMBER_COLOURS = """
;(() => {
  const colour = axe.commons.color.Color.prototype, read = colour.parseString, known = new Map();
  colour.parseString = function (text) {
    if (known.has(text)) return Object.assign(this, known.get(text));
    read.call(this, text);
    known.set(text, {r: this.r, g: this.g, b: this.b, alpha: this.alpha});
    return this;
  };
})();
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the server got: whose request, and everything in it that a log would keep."""

    client: str
    url: str
    referrer: str


@dataclass(eq=False)
class Visitor:
    """One browser context on one client address. ``press`` is a tap on a phone and a click elsewhere.

    ``also_at``: the other sites where this visitor may come.
    """

    context: BrowserContext
    url: str
    client: str
    asked: list[Asked]
    has_scripts: bool = True
    has_touch: bool = False
    presses: int = 0
    codes: list[str] = field(default_factory=list)
    also_at: tuple[str, ...] = ()
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.context.on("request", self._own_origin_only)
        self.context.on("response", self._everything_is_there)
        self.context.on("console", self._console_is_quiet)
        self.context.on("weberror", lambda error: self.problems.append(f"script error: {error.error}"))
        self.page = self.context.new_page()

    def _own_origin_only(self, request: Request) -> None:
        if not request.url.startswith((self.url, "data:", *self.also_at)):
            self.problems.append(f"asked elsewhere: {request.url}")

    def _everything_is_there(self, response: Response) -> None:
        # A page may have any status: that is the business of the test. A worker passes the request for a page on.
        is_page = response.request.resource_type == "document" or response.request.service_worker is not None
        if response.status >= 400 and not is_page:
            self.problems.append(f"{response.status}: {response.url}")

    def _console_is_quiet(self, message: ConsoleMessage) -> None:
        # A page with an error status is reported here too.
        if message.type in {"error", "warning"} and not message.text.startswith("Failed to load resource"):
            self.problems.append(f"console: {message.text}")

    def goto(self, path: str, *, status: int = 200) -> None:
        """Open a page."""
        response = self.page.goto(self.url + path)
        assert response is not None
        assert response.status == status, f"{path}: {response.status}, not {status}"

    def scan(self, code: str) -> None:
        """Open the address in the QR of a letter."""
        self.codes.append(code)
        self.goto(f"/v#{code}")

    def type_code(self, code: str) -> None:
        """Type a code, as it is printed."""
        self.codes.append(code)
        self.page.locator("#code").fill("")
        self.page.locator("#code").press_sequentially(code)

    def press(self, target: Locator) -> None:
        """Tap or click."""
        self.presses += 1
        if self.has_touch:
            target.tap()
        else:
            target.click()

    def open_menu(self) -> None:
        """Open the menu, where it is closed: on a phone."""
        menu = self.page.locator(".abs-menu-button").first
        if menu.is_visible():
            self.press(menu)

    def button(self, name: str) -> Locator:
        """The button with this text."""
        return self.page.get_by_role("button", name=name, exact=True)

    def choice(self, title: str) -> Locator:
        """The card of an initiative on the page to choose."""
        return self.page.locator(".abs-choice").filter(has_text=title)

    def reads(self, heading: str) -> None:
        """Wait for the page with this heading."""
        expect(self.page.get_by_role("heading", level=1, name=heading)).to_be_visible()
        self._settle()

    @property
    def text(self) -> str:
        """What is on the page, with plain spaces."""
        return " ".join(self.page.locator("body").inner_text().split())

    @property
    def history(self) -> list[str]:
        """The addresses in the history of this tab."""
        entries = self.context.new_cdp_session(self.page).send("Page.getNavigationHistory")["entries"]
        return [entry["url"] for entry in entries]

    def check(self, *, in_the_dark: bool = False, magnified: bool = False, colours: bool = True) -> None:
        """Whether the page as it stands is in order for everyone."""
        assert not self.problems, self.problems
        self._settle()
        self._fits()
        if self.has_scripts:
            self._axe({"type": "tag", "values": WCAG}, colours=colours)
        if in_the_dark:
            self.page.emulate_media(color_scheme="dark")
            # The dark differs in colours only.
            self._axe({"type": "rule", "values": ["color-contrast"]})
            self.page.emulate_media(color_scheme="light")
        if magnified:
            size = self.page.viewport_size
            assert size is not None
            self.page.set_viewport_size(MAGNIFIED)  # type: ignore[arg-type]
            self._fits()
            self.page.set_viewport_size(size)

    def looks_right(self, *, colours_once: bool = False) -> None:
        """Whether a page is in order at both widths, in the light and in the dark, and shows where the focus is."""
        self.check(in_the_dark=True, magnified=True)
        self.shows_the_focus()
        with self._wide():
            self.check(in_the_dark=not colours_once, colours=not colours_once)

    def shows_the_focus(self) -> None:
        """Whether everything that one comes to with Tab shows it, in sight. The first Tab is real: then rings show."""
        self.page.keyboard.press("Tab")
        wrong = self.page.evaluate(_WALK)
        assert not wrong, "\n".join([self.page.url, *wrong])

    def speaks(self) -> None:
        """Whether a page in another language is in order at both widths. Colours know no languages: once is enough."""
        self.check()
        with self._wide():
            self.check(colours=False)

    def holds_mirrored(self) -> None:
        """Whether a page that reads from right to left is in order at both widths."""
        assert self.page.evaluate("document.documentElement.dir") == "rtl"
        self.speaks()

    @contextmanager
    def _wide(self) -> Iterator[None]:
        size = self.page.viewport_size
        assert size is not None
        self.page.set_viewport_size(WIDE)  # type: ignore[arg-type]
        yield
        self.page.set_viewport_size(size)

    def _settle(self) -> None:
        """Wait for style sheets and scripts too. A page that Back brings from memory has no load event to wait for."""
        for _attempt in range(200):
            if self.page.evaluate("document.readyState") == "complete":
                self.page.evaluate(_STAND_STILL)
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"{self.page.url} does not finish loading")

    def _fits(self) -> None:
        root: dict[str, Any] = self.page.evaluate(
            "() => ({needed: document.documentElement.scrollWidth, there: document.documentElement.clientWidth})"
        )
        assert root["needed"] <= root["there"], f"{self.page.url} scrolls sideways: {root}"

    def _axe(self, only: dict[str, Any], *, colours: bool = True) -> None:
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE_SCRIPT + _REMEMBER_COLOURS)
        options = {"resultTypes": ["violations"], "runOnly": only, "preload": False, "iframes": False}
        if not colours:  # half of the work
            options["rules"] = {"color-contrast": {"enabled": False}}
        # One text, and of what is wrong alone: Playwright walks through all that a script returns.
        found = self.page.evaluate("(how) => axe.run(how).then((all) => JSON.stringify(all.violations))", options)
        results = AxeResults({"violations": json.loads(found)})
        assert results.violations_count == 0, f"{self.page.url} {only}\n{results.generate_report()}"

    def tab_to(self, selector: str, *, most: int = 60, key: str = "Tab") -> None:
        """Press Tab until something has the focus; the focus can be seen at every stop on the way."""
        for _ in range(most):
            self.page.keyboard.press(key)
            self.sees_focus()
            if self.page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
                return
        raise AssertionError(f"{most} times Tab did not reach {selector}")

    def sees_focus(self) -> None:
        """Whether what has the focus has a ring, and nothing lies on top of it."""
        stop = self.page.evaluate(_FOCUS)
        assert stop["ring"], f"no ring around {stop['what']}"
        assert stop["free"], f"out of sight: {stop['what']}"

    def leave(self) -> None:
        """Close the browser, and look back at what the server got to know from it."""
        self.context.close()
        assert not self.problems, self.problems
        plain = [code.replace("-", "").lower() for code in self.codes]
        for asked in self.asked:
            if asked.client == self.client:
                told = f"{asked.url} {asked.referrer}".replace("-", "").lower()
                assert not any(code in told for code in plain), f"a code in an address: {asked}"
