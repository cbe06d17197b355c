"""`c360 duplicates scan`, on one shop and on all."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Run, create_shop, said

CUSTOMERS = """email,first_name,last_name,address1,zip,city
ann@x.com,Stephen,Morrison,7 Wallaby Place,2119,Cleveland
bob@x.com,Stephen,Morison,7 Wallaby Place,2119,Cleveland
eve@x.com,Walburga,Quick,1 Main Street,7000,Hobart
"""


def test_a_scan_says_what_it_found_in_each_shop(
    c360: Run, shop: dict[str, str], tmp_path: Path, data_dir: Path
) -> None:
    create_shop(c360, "Empty")
    file = tmp_path / "customers.csv"
    file.write_text(CUSTOMERS)
    c360("import", "customers", str(file), "--shop", "Harbour Tea")

    spoken = c360("duplicates", "scan").stdout

    assert "Harbour Tea: 3 people compared in 1 pair; 1 may be duplicates, 1 of them new" in spoken
    assert "Note: Fixed weights were used: 3 people" in spoken
    assert "Empty: 0 people compared" in spoken
    assert sorted(path.suffix for path in (data_dir / "duplicates").iterdir()) == [".lock", ".lock"]

    (first, second) = said(c360("status", "--json"))["shops"]
    done = {"state": "done", "candidates": 1, "new": 1, "learned": False, "reason": None}
    assert done.items() <= first["last_scan"].items()
    assert second["last_scan"]["candidates"] == 0
    assert ": 1 pair, 1 of them new, by fixed weights in " in c360("status").stdout

    (again,) = said(c360("duplicates", "scan", "--shop", "Harbour Tea", "--json"))

    warnings = again.pop("warnings")
    assert len(warnings) == 1
    assert again == {
        "shop_id": shop["shop_id"],
        "name": "Harbour Tea",
        "people": 3,
        "pairs": 1,
        "candidates": 1,
        "new": 0,
        "ended": 0,
        "learned": False,
        "traits": [],
    }


def test_a_shop_that_is_not_there_is_an_error(c360: Run) -> None:
    assert "c360 shop list" in c360("duplicates", "scan", "--shop", "Nobody", code=1).output
