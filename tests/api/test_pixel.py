"""The pixel as it is served: small, cached, for known keys only."""

import shutil
import subprocess
from pathlib import Path

import pytest

from customer360.api.batches import PIXEL_LIBRARY
from customer360.api.pixel import strip
from tests.api.conftest import Street


def test_the_script_is_small_and_cached(street: Street) -> None:
    answer = street.client.get("/pixel.js", params={"k": street.shop.pixel_key})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "max-age=" in answer.headers["cache-control"]
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert len(answer.content) < 3000
    assert PIXEL_LIBRARY in answer.text
    assert "/*" not in answer.text


def test_an_unchanged_script_is_not_sent_again(street: Street) -> None:
    params = {"k": street.shop.pixel_key}
    etag = street.client.get("/pixel.js", params=params).headers["etag"]
    again = street.client.get("/pixel.js", params=params, headers={"If-None-Match": etag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)


@pytest.mark.parametrize("params", [{}, {"k": ""}, {"k": "pk_unknown"}, {"k": "x" * 5000}])
def test_without_a_known_key_there_is_only_a_comment(
    street: Street, params: dict[str, str]
) -> None:
    answer = street.client.get("/pixel.js", params=params)
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.text.startswith("/*")
    assert answer.text.rstrip().endswith("*/")


def test_a_secret_key_in_a_page_is_told_off(street: Street) -> None:
    answer = street.client.get("/pixel.js", params={"k": street.shop.write_key})
    assert answer.status_code == 404
    assert "secret key" in answer.text


@pytest.mark.parametrize(
    ("written", "served"),
    [
        ("/* why */\nvar a = 1;\n\n  /* two\n lines */\nvar b = a + 2;", "var a=1;var b=a+2;\n"),
        ("var s = 'a ; b' + ' c';", "var s='a ; b'+' c';\n"),
        ("if (a) return b;\nelse throw c;", "if(a)return b;else throw c;\n"),
        ("let f = (x, y) => ({x: y});", "let f=(x,y)=>({x:y});\n"),
    ],
)
def test_stripping_leaves_the_meaning(written: str, served: str) -> None:
    assert strip(written) == served


def test_the_served_script_is_javascript(street: Street, tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("No node is installed; the browser test covers this too")
    script = tmp_path / "pixel.js"
    script.write_bytes(street.client.get("/pixel.js", params={"k": street.shop.pixel_key}).content)
    subprocess.run([node, "--check", str(script)], check=True)
