"""No cell is a formula, and nothing that only looks like a number loses digits."""

import csv
import io

import pytest

from customer360.spreadsheet import as_csv, safe_cell, safe_text

FORMULAS = [
    ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
    ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
    ("-2+3", "'-2+3"),
    ("@SUM(A1)", "'@SUM(A1)"),
    ("\t=1", "'\t=1"),
    ("\r=1", "'\r=1"),
    ("\nx", "'\nx"),
    (" =1+1", "' =1+1"),
    ("＝1+1", "'＝1+1"),
    ("a;=1+1", "a;'=1+1"),
    (";@SUM(A1)", ";'@SUM(A1)"),
    ("a\n-cmd", "a\n'-cmd"),
    ("1; -5", "1; -5"),
    ("Mary-Ann +1", "Mary-Ann +1"),
    ("plain", "plain"),
    ("", ""),
]


@pytest.mark.parametrize(
    ("cell", "safe"), [*FORMULAS, ("-12.50", "-12.50"), ("+353861234567", "+353861234567")]
)
def test_no_cell_is_a_formula_and_a_number_stays(cell: str, safe: str) -> None:
    assert safe_cell(cell) == safe


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        *FORMULAS,
        ("+353861234567", "'+353861234567"),
        ("01234", "'01234"),
        ("614519532646400001", "'614519532646400001"),
        ("12345", "12345"),
        ("0", "0"),
    ],
)
def test_text_stays_text(text: str, safe: str) -> None:
    assert safe_text(text) == safe


def test_a_file_comes_in_pieces_that_are_together_what_went_in() -> None:
    rows = [(str(number), 'a "quote", a comma\nand שלום 😀') for number in range(5000)]
    pieces = list(as_csv(("n", "text"), rows))
    assert len(pieces) > 3
    text = b"".join(pieces).decode("utf-8")
    assert text[0] == "\ufeff"
    assert list(csv.reader(io.StringIO(text[1:], newline="")))[1:] == [list(row) for row in rows]


def test_half_a_character_spoils_no_file() -> None:
    assert b"".join(as_csv(("n",), [("\ud800",)], mark=False)) == b"n\r\n?\r\n"
