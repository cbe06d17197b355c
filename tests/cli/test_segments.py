"""`c360 segment`: listed, shown, made, previewed, exported and deleted, with no worker running."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run, create_shop, said

CUSTOMERS = """Email,First,Country
ann@x.example,Ann,IE
bob@y.example,Bob,GB
eve@z.example,Eve,IE
"""
AT = ("--shop", "Harbour Tea")
COLUMNS = ("email=Email", "first_name=First", "country=Country")


@pytest.fixture
def people(c360: Run, shop: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """A shop with three customers."""
    file = tmp_path / "customers.csv"
    file.write_text(CUSTOMERS)
    mapped = [word for column in COLUMNS for word in ("--map", column)]
    c360("import", "customers", str(file), *AT, "--format", "generic", *mapped)
    c360("drain")
    return shop


def test_a_segment_is_made_listed_shown_and_deleted(c360: Run, people: dict[str, str]) -> None:
    made = said(
        c360("segment", "create", *AT, "--name", "Irish", "--query", "country = 'IE'", "--json")
    )
    asking = f"segments CONTAINS '{made['segment_id']}'"
    spoken = c360("segment", "create", *AT, "--name", "Again", "--query", asking).stdout

    assert made["rule"]["all"] == [{"attribute": "country", "op": "eq", "value": "IE"}]
    assert made["sentence"] == "Customers whose country is IE."
    assert "Again: Customers who are in the segment “Irish”." in spoken

    everybody, *own = said(c360("segment", "list", *AT, "--json"))
    assert (everybody["name"], everybody["members"]) == ("All customers", 3)
    assert {one["name"] for one in own} == {"Irish", "Again"}
    assert "100.0 %" in c360("segment", "list", *AT).stdout

    shown = said(c360("segment", "show", "irish", *AT, "--json"))
    assert (shown["segment_id"], shown["used_by"]) == (made["segment_id"], ["Again"])
    assert "Used by  Again" in c360("segment", "show", made["segment_id"], *AT).stdout

    assert "Again asks for this segment" in c360("segment", "delete", "Irish", *AT, code=1).stderr
    c360("segment", "delete", "Again", *AT, "--yes")
    c360("segment", "delete", "Irish", *AT)
    assert [one["name"] for one in said(c360("segment", "list", *AT, "--json"))] == [
        "All customers"
    ]


def test_a_preview_counts_and_says_what_hides_people(
    c360: Run, people: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "rule.json"
    file.write_text(json.dumps({"attribute": "country", "op": "eq", "value": "IE"}))

    found = said(c360("segment", "preview", *AT, "--rule", str(file), "--json"))
    spoken = c360("segment", "preview", *AT, "--query", "country = 'IE'").stdout
    hidden = c360("segment", "preview", *AT, "--query", "country = 'IE' AND city = 'Cork'").stdout

    assert (found["count"], found["everyone"], len(found["samples"])) == (2, 3, 2)
    assert "2 of 3 (66.7 %)" in spoken
    assert "Without “whose city is Cork” it would be 2." in hidden


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--query", "contry = 'IE'"), "Line 1, column 1: "),
        (("--query", "segments CONTAINS '99'"), "no segment 99"),
        ((), "--query or with --rule"),
        (("--rule", "nowhere.json"), "cannot be read"),
    ],
)
def test_a_rule_that_cannot_be_used_says_where(
    c360: Run, shop: dict[str, str], options: tuple[str, ...], word: str
) -> None:
    assert word in c360("segment", "preview", *AT, *options, code=2).stderr


def test_members_are_written_to_a_file(c360: Run, people: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "people.csv"

    told = c360("segment", "export", "1", *AT, "--format", "extended", "--output", str(file))
    meta = c360("segment", "export", "All customers", *AT, "--format", "meta")

    assert told.stderr == "3 rows written.\n"
    assert len(file.read_text().splitlines()) == 4
    assert oct(file.stat().st_mode & 0o777) == "0o600"
    assert "0 rows written; left out: 3 without consent, 0 without contact." in meta.stderr
    assert meta.stdout.startswith("email,email,email,phone")


def test_what_is_not_there_is_an_error(c360: Run, people: dict[str, str], tmp_path: Path) -> None:
    create_shop(c360, "Elsewhere")
    made = said(c360("segment", "create", *AT, "--name", "Irish", "--query", "", "--json"))

    for name in (made["segment_id"], "Irish"):
        answer = c360("segment", "show", name, "--shop", "Elsewhere", code=1)
        assert "No segment has the id or name" in answer.stderr
    assert "csv_excel" in c360("segment", "export", "1", *AT, "--format", "x", code=2).stderr
    folder = str(tmp_path / "no folder" / "people.csv")
    written = c360("segment", "export", "1", *AT, "--format", "csv", "--output", folder, code=2)
    assert "cannot be written" in written.stderr
