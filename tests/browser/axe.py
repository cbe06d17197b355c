"""Reads a page as assistive technology does: axe finds nothing to complain about, by day and by night."""

from __future__ import annotations

import json

from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import Page

_WHOLE = {"resultTypes": ["violations"]}
_COLOURS = {**_WHOLE, "runOnly": ["color-contrast"]}


def check(page: Page, *, by_night: bool = True) -> None:
    """By day everything; by night the page is the same but for its colours.

    by_night: false where another check sees the same colours.
    """
    # Half a megabyte, so a document gets it once.
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    _run(page, "light", _WHOLE)
    if by_night:
        _run(page, "dark", _COLOURS)


def _run(page: Page, scheme: str, options: dict[str, object]) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    # What is still rising, or turning into another colour, has less contrast.
    page.evaluate("Promise.allSettled(document.getAnimations().map((one) => one.finished))")
    found = AxeResults(page.evaluate(f"axe.run({json.dumps(options)})"))
    assert not found.violations_count, f"{scheme}: {found.generate_report()}"
