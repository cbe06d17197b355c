"""The pictures of the documentation: `make screenshots` starts the sample shop and takes them in Chromium.

`python -m customer360.demo.screenshots overview rfm` takes the pictures of these names alone.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from customer360.demo.pictures import PICTURES, SCHEMES, SIGNED_IN, SIGNED_OUT, Picture, as_markdown
from customer360.settings import variable_of

if TYPE_CHECKING:
    from playwright.sync_api import FilePayload, Page, ViewportSize

FOLDER = Path("docs/images")
_LINK = re.compile(r"http://\S+/sign-in/link/\S+")
DOCUMENT = Path("docs/pages.md")
_WIDE: ViewportSize = {"width": 1280, "height": 920}
_NARROW: ViewportSize = {"width": 390, "height": 800}
_QUALITY = 70
# Colours fade from one scheme to the other.
_SETTLE_MS = 250
_FILE = b"Order,Date,Email,Item,Qty,Price\n77,2026-06-01,new@people.example,Mug,1,14.00\n"
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def main() -> None:
    """Take every picture, in light and dark, and write the page that shows them."""
    from playwright.sync_api import sync_playwright

    chromium = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if chromium is None:
        sys.exit("No Chromium is installed; on Debian: apt-get install chromium")
    names = sys.argv[1:] or [picture.name for picture in PICTURES]
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright, _demo() as link:
        browser = playwright.chromium.launch(executable_path=chromium)
        page = browser.new_page(viewport=_WIDE)
        site, _, token = link.partition("/sign-in/link/")
        for picture in (one for one in SIGNED_OUT if one.name in names):
            _take(page, picture, site, {"token": token})
        page.goto(link)
        page.get_by_role("main").get_by_role("button").first.click()
        page.wait_for_url("**/shops/**")
        shop = page.url.removeprefix(site).split("/")[2]
        ids = {"shop_id": shop, **_prepared(page, f"{site}/shops/{shop}")}
        for picture in (one for one in SIGNED_IN if one.name in names):
            _take(page, picture, site, ids)
        browser.close()
    known = {file for picture in PICTURES for file in picture.files()}
    for path in FOLDER.iterdir():
        if path.name not in known:
            path.unlink()
    DOCUMENT.write_text(as_markdown())


def _prepared(page: Page, root: str) -> dict[str, str]:
    """What the pages are about that the sample shop begins without, and whom they are about."""
    _upload(page, root)
    page.get_by_role("button", name="Start the import").click()
    page.get_by_text("Done").wait_for(timeout=60_000)
    import_id = _id_in(page.url)
    _upload(page, root)
    upload_id = _id_in(page.url)
    # The first scores are computed while the shop is served.
    page.goto(f"{root}/rfm")
    page.locator("main table").first.wait_for(timeout=180_000)
    page.goto(f"{root}/customers?sort=-total_spend")
    customer = page.locator("main table tbody tr a").first.get_attribute("href") or ""
    page.goto(f"{root}/segments")
    segment = page.get_by_role("link", name="Win-back", exact=True).get_attribute("href") or ""
    return {
        "upload_id": upload_id,
        "import_id": import_id,
        "profile_id": _id_in(customer),
        "segment_id": _id_in(segment),
    }


def _upload(page: Page, root: str) -> None:
    page.goto(f"{root}/imports")
    file: FilePayload = {"name": "orders.csv", "mimeType": "text/csv", "buffer": _FILE}
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/imports/new/*")


def _id_in(address: str) -> str:
    return address.rstrip("/").rpartition("/")[2]


def _take(page: Page, picture: Picture, site: str, ids: dict[str, str]) -> None:
    page.set_viewport_size(_WIDE)
    page.goto(site + picture.address.format(**ids) + picture.query)
    files = iter(picture.files())
    for size in (_WIDE, _NARROW)[: 1 + picture.narrow]:
        page.set_viewport_size(size)
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            page.wait_for_timeout(_SETTLE_MS)
            # Playwright itself knows no WebP, which is a third of a PNG.
            session = page.context.new_cdp_session(page)
            told = session.send("Page.captureScreenshot", {"format": "webp", "quality": _QUALITY})
            session.detach()
            (FOLDER / next(files)).write_bytes(b64decode(told["data"]))


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
