"""The page about the API, and docs/api.md, say what the server does."""

from __future__ import annotations

import base64
import re
from hashlib import sha256
from pathlib import Path

from customer360.api.create import create_api
from customer360.api.reference import DOCS_PATH
from customer360.api.v1.fields import MOST_ITEMS
from customer360.api.v1.profiles import MOST_FOUND
from customer360.api.v1.routes import ENDPOINTS, PREFIX
from tests.api.v1.conftest import Desk

DOCUMENT = (Path(__file__).parents[3] / "docs/api.md").read_text()


def test_the_page_shows_every_address_with_its_parameters_and_shapes(full_desk: Desk) -> None:
    page = full_desk.client.get(DOCS_PATH).text

    for endpoint in ENDPOINTS:
        assert f"</span> {PREFIX}{endpoint.path}</h3>" in page
    for word in ("identifier", "sort", "cursor", "ProfileItem", "string (date-time) or null"):
        assert word in page
    anchors = set(re.findall(r'href="#(\w+)"', page))
    assert anchors
    assert anchors <= set(re.findall(r'id="(\w+)"', page))


def test_the_page_runs_no_script_and_loads_nothing(full_desk: Desk) -> None:
    answer = full_desk.client.get(DOCS_PATH)

    policy = answer.headers["content-security-policy"]
    (style,) = re.findall(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    digest = base64.b64encode(sha256(style.encode()).digest()).decode()
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}';")
    assert "unsafe" not in policy
    assert not re.search(r"<script|style=|\ssrc=|\son\w+=|https?://", answer.text)


def test_the_document_lists_every_address_and_no_other(full_desk: Desk) -> None:
    api = create_api(full_desk.house.app)
    routed = {
        (method, route.path)  # type: ignore[attr-defined]
        for route in api.routes
        for method in route.methods - {"HEAD", "OPTIONS"}  # type: ignore[attr-defined]
    }

    listed = set()
    for line in DOCUMENT.splitlines():
        if found := re.match(r"\| `(GET|POST|PUT|PATCH|DELETE) (/.*?)` ?(.*?)\|", line):
            others = re.findall(r"`(/\S+)`", found[3])
            listed |= {(found[1], path) for path in (found[2], *others)}

    assert listed == routed


def test_the_document_names_the_limits() -> None:
    assert f"at most {MOST_ITEMS}" in DOCUMENT
    assert f"at most {MOST_FOUND:,}" in DOCUMENT
