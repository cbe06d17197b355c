import re
import shutil
from pathlib import Path

import pytest

from customer360.web.assets import FOLDER, Assets, HtmxMissing
from tests.web.conftest import Site


def test_start_up_fails_clearly_when_the_build_did_not_bring_htmx(tmp_path: Path) -> None:
    with pytest.raises(HtmxMissing, match="pip install"):
        Assets(tmp_path)


def test_a_changed_file_has_another_address(tmp_path: Path) -> None:
    folder = shutil.copytree(FOLDER, tmp_path / "static")
    before = Assets(folder).url("css/tokens.css")
    (folder / "css/tokens.css").write_text("a {}")
    assert Assets(folder).url("css/tokens.css") != before


def test_static_files_are_kept_for_a_year_and_compressed(site: Site) -> None:
    page = site.owner.get("/shops").text
    for address in re.findall(r'(?:href|src)="(/static/[^"]+)"', page):
        answer = site.nobody.get(address, headers={"accept-encoding": "gzip"})
        assert answer.status_code == 200, address
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["content-encoding"] == "gzip"
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_every_module_that_a_module_needs_is_there() -> None:
    for path in (FOLDER / "js").glob("*.js"):
        for needed in re.findall(r'(?:import|from) "\./([^"]+)"', path.read_text()):
            assert (FOLDER / "js" / needed).is_file(), (path.name, needed)


def test_a_file_of_another_version_is_not_there(site: Site) -> None:
    assert site.nobody.get("/static/0000/css/tokens.css").status_code == 404
    version = re.search(r"/static/(\w+)/", site.owner.get("/shops").text)
    assert version
    assert site.nobody.get(f"/static/{version[1]}/../door.py").status_code == 404
    assert site.nobody.get(f"/static/{version[1]}/%2e%2e/door.py").status_code == 404
