"""The pictures of the documentation: `make screenshots` starts the sample shop and takes them in Chromium."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from customer360.settings import variable_of

if TYPE_CHECKING:
    from playwright.sync_api import Page

FOLDER = Path("docs/images")
_LINK = re.compile(r"http://\S+/sign-in/link/\S+")
_SIZE = {"width": 1440, "height": 900}
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def main() -> None:
    """Take every picture, in light and dark."""
    from playwright.sync_api import sync_playwright

    chromium = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if chromium is None:
        sys.exit("No Chromium is installed; on Debian: apt-get install chromium")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright, _demo() as link:
        browser = playwright.chromium.launch(executable_path=chromium)
        page = browser.new_page(viewport=_SIZE, device_scale_factor=2)  # type: ignore[arg-type]
        page.goto(link)
        page.get_by_role("main").get_by_role("button").first.click()
        schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
        for scheme in schemes:
            page.emulate_media(color_scheme=scheme)
            _take(page, scheme)
        browser.close()


def _take(page: Page, scheme: str) -> None:
    """The list of customers, those who spent most first, and the page of the first of them."""
    customers = re.sub(r"(/shops/\d+).*", r"\1/customers", page.url)
    page.goto(f"{customers}?sort=-total_spend")
    page.screenshot(path=FOLDER / f"customers-{scheme}.png")
    page.locator("main table tbody tr a").first.click()
    page.wait_for_load_state("networkidle")
    page.screenshot(path=FOLDER / f"customer-{scheme}.png")


@contextmanager
def _demo() -> Iterator[str]:
    """The sample shop, served; gives the link that signs in."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {variable_of("data_dir"): folder, "PYTHONUNBUFFERED": "1"}
        process = subprocess.Popen(
            [sys.executable, "-m", "customer360.cli", "demo", "--no-open", "--port", "0"],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            yield _link_in(process)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait()


def _link_in(process: subprocess.Popen[str]) -> str:
    if process.stdout is not None:
        for line in process.stdout:
            if found := _LINK.search(line):
                return found[0]
    sys.exit("The sample shop did not start; what it said stands above.")


if __name__ == "__main__":
    main()
