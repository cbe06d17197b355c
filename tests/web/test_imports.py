import csv
import io
import re
import time

import httpx

from tests.web.conftest import Site, text_of

ORDERS = """Invoice;Date;Mail;Article;Qty;Price;Country
1001;2026-05-01 10:00;ann@people.example;Mug;2;14.00;IE
1001;2026-05-01 10:00;ann@people.example;Gift set;1;49.00;IE
1002;someday;bea@people.example;Mug;1;14.00;IE
"""
COLUMNS = {
    "column-0": "order_id",
    "column-1": "placed_at",
    "column-2": "email",
    "column-3": "title",
    "column-4": "quantity",
    "column-5": "unit_price",
    "column-6": "country",
}


def upload(
    site: Site, content: str | bytes, kind: str = "orders", name: str = "o.csv"
) -> httpx.Response:
    content = content.encode() if isinstance(content, str) else content
    form = {"kind": kind, "csrf": site.owner.token()}
    return site.owner.send(f"{site.root}/imports", form, files={"file": (name, content)})


def finish(site: Site, address: str) -> str:
    """The import's page once every row is processed."""
    for _ in range(200):
        page = site.owner.get(address).text
        if 'hx-trigger="every 1s"' not in page or "All rows read" in page:
            break
        time.sleep(0.02)
    site.house.drain()
    return site.owner.get(address).text


def test_a_file_is_uploaded_its_columns_confirmed_and_every_row_accounted_for(site: Site) -> None:
    columns = upload(site, ORDERS).headers["location"]
    page = site.owner.get(columns).text
    words = text_of(page)
    assert "o.csv" in words
    assert "semicolon-separated" in words
    assert '<option value="order_id" selected>' in page
    assert '<option value="quantity" selected>' in page
    started = site.owner.post(columns, COLUMNS, token_from=columns)
    page = text_of(finish(site, started.headers["location"]))
    assert "Done" in page
    assert "rows read 3 = stored 2 + duplicate 0 + rejected 1 + waiting 0" in page
    assert site.house.attributes("email:ann@people.example", "total_spend") == {
        "total_spend": "77.00"
    }


def test_the_rejected_rows_can_be_downloaded_with_their_reason(site: Site) -> None:
    columns = upload(site, ORDERS).headers["location"]
    address = site.owner.post(columns, COLUMNS, token_from=columns).headers["location"]
    page = finish(site, address)
    assert "Download 1 rejected rows (CSV)" in text_of(page) or "rejected row" in text_of(page)
    answer = site.owner.get(f"{address}/rejects.csv")
    (row,) = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert row["row"] == "3"
    assert row["Mail"] == "bea@people.example"
    assert row["reason"]


def test_the_same_file_again_changes_nothing(site: Site) -> None:
    for _ in range(2):
        columns = upload(site, ORDERS).headers["location"]
        address = site.owner.post(columns, COLUMNS, token_from=columns).headers["location"]
        page = text_of(finish(site, address))
    assert "stored 0 + duplicate 2" in page
    assert site.house.attributes("email:ann@people.example", "orders_count") == {"orders_count": 1}


def test_a_mapping_without_what_must_be_there_is_told_and_can_be_mended(site: Site) -> None:
    columns = upload(site, ORDERS).headers["location"]
    answer = site.owner.post(columns, {"column-2": "email"}, token_from=columns)
    assert answer.status_code == 422
    assert "Say which column is the order_id and the placed_at" in text_of(answer.text)
    assert "--map" not in answer.text
    assert site.owner.post(columns, COLUMNS, token_from=columns).status_code == 303


def test_several_columns_can_make_one_field(site: Site) -> None:
    people = "Email,Given,Middle\nann@people.example,Ann,Mae\n"
    columns = upload(site, people, "customers").headers["location"]
    chosen = {"column-0": "email", "column-1": "first_name", "column-2": "first_name"}
    address = site.owner.post(columns, chosen, token_from=columns).headers["location"]
    finish(site, address)
    assert site.house.card("email:ann@people.example").first_name == "Ann Mae"


def test_an_export_in_a_known_format_needs_no_mapping(site: Site) -> None:
    people = "Email,First Name,Last Name,Email Marketing Consent\nann@people.example,Ann,Lee,Subscribed\n"
    page = site.owner.get(upload(site, people, "profiles").headers["location"]).text
    assert "Klaviyo export" in page
    assert "<select" not in page.partition("<main")[2]


def test_a_spreadsheet_is_refused_with_advice(site: Site) -> None:
    page = site.owner.get(upload(site, b"PK\x03\x04rest", name="o.xlsx").headers["location"])
    assert page.status_code == 422
    assert "save it as CSV first" in page.text


def test_without_a_file_there_is_nothing_to_import(site: Site) -> None:
    form = {"kind": "orders", "csrf": site.owner.token()}
    answer = site.owner.send(f"{site.root}/imports", form, files={"file": ("", b"")})
    assert answer.status_code == 422
    assert "Choose a file first" in answer.text


def test_the_name_of_a_file_leads_nowhere_on_the_disk(site: Site) -> None:
    columns = upload(site, ORDERS, name="../../../../evil.csv").headers["location"]
    assert "evil.csv" in site.owner.get(columns).text
    folder = site.house.settings.data_dir / "uploads" / str(site.house.shop.shop_id)
    assert {path.suffix for path in folder.iterdir()} == {".csv", ".json"}
    assert all(re.fullmatch(r"\d+\.(csv|json)", path.name) for path in folder.iterdir())


def test_an_upload_of_one_shop_is_not_there_for_another(site: Site) -> None:
    upload_id = upload(site, ORDERS).headers["location"].rpartition("/")[2]
    address = f"/shops/{site.other_shop.shop_id}/imports/new/{upload_id}"
    assert site.stranger.get(address).status_code == 404


def test_imports_are_listed_with_what_became_of_them(site: Site) -> None:
    columns = upload(site, ORDERS).headers["location"]
    finish(site, site.owner.post(columns, COLUMNS, token_from=columns).headers["location"])
    words = text_of(site.owner.get(f"{site.root}/imports").text)
    assert "o.csv Orders · Table Done 3 2 0 1" in words
