"""`c360 enrich`, and what the status says of it."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Run, create_shop, said

ORDERS = """email,order_id,total,placed_at
ann@x.com,1,20.00,2026-01-05
ann@x.com,2,30.00,2026-02-05
eve@x.com,3,10.00,2026-03-05
"""


def test_scores_are_computed_of_every_shop_and_the_status_says_when(
    c360: Run, shop: dict[str, str], tmp_path: Path
) -> None:
    create_shop(c360, "Empty")
    file = tmp_path / "orders.csv"
    file.write_text(ORDERS)
    c360("import", "orders", str(file), "--shop", "Harbour Tea")
    assert "computed" not in c360("status").stdout

    spoken = c360("enrich").stdout

    assert "Harbour Tea: scores of 2 people, 2 buyers among them; 2 written, 0 removed." in spoken
    assert "Empty: scores of 0 people, 0 buyers among them; 0 written, 0 removed." in spoken
    first, _ = said(c360("status", "--json"))["shops"]
    assert (
        first["last_enrichment"].items() >= {"state": "done", "people": 2, "reason": None}.items()
    )
    assert "scores of 2 computed 20" in c360("status").stdout

    (again,) = said(c360("enrich", "--shop", "Harbour Tea", "--json"))
    card, upcoming = again.pop("card"), again.pop("reorders")
    assert again == {
        "shop_id": shop["shop_id"],
        "name": "Harbour Tea",
        "people": 2,
        "written": 0,
        "removed": 0,
    }
    assert (upcoming["products"], len(upcoming["weeks"])) == ([], 8)
    assert (card["data"]["buyers"], card["data"]["orders"]) == (2, 3)
