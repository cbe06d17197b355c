"""Every row of a CSV file is given or named as broken, and none takes its neighbours along."""

from pathlib import Path

import pytest

from customer360.errors import InvalidInput
from customer360.intake.files.open import MAX_LINE, open_text
from customer360.intake.files.rows import MAX_COLUMNS, Table

Read = tuple[list[str], list[list[str] | str]]


def read(tmp_path: Path, content: str | bytes) -> Read:
    """The header, and for each row its cells or the reason why it is broken."""
    path = tmp_path / "file.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with open_text(path) as file:
        table = Table(file)
        return table.header, [row.problem[0] if row.problem else row.cells for row in table.rows()]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str, end: str) -> None:
    lines = ["a,b,c", '1,"x;y|z,\t w",3', "4,5,6"]
    content = end.join(line.replace(",", delimiter) for line in lines) + end

    header, rows = read(tmp_path, content)

    assert header == ["a", "b", "c"]
    assert [len(row) for row in rows] == [3, 3]


@pytest.mark.parametrize(
    ("content", "header", "rows"),
    [
        ("sep=;\na;b\n1;2,5\n", ["a", "b"], [["1", "2,5"]]),
        ("email\nann@example.com\n", ["email"], [["ann@example.com"]]),
        (
            "note;price\nred, blue;1\na, b;2\n",
            ["note", "price"],
            [["red, blue", "1"], ["a, b", "2"]],
        ),
        ("a,b\n1,2", ["a", "b"], [["1", "2"]]),
        ("a,b\n\n1,2\n\n\n", ["a", "b"], [["1", "2"]]),
        ("a,b\n", ["a", "b"], []),
    ],
)
def test_tables_of_many_shapes_are_read(
    tmp_path: Path, content: str, header: list[str], rows: list[list[str]]
) -> None:
    assert read(tmp_path, content) == (header, rows)


def test_header_names_are_trimmed_and_each_there_once(tmp_path: Path) -> None:
    header, _ = read(tmp_path, "\ufeff Email , First  name,,Email,Email\n")

    assert header == ["Email", "First name", "Column 3", "Email (2)", "Email (3)"]


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        # Quoted cells hold delimiters, quotes and line ends.
        ('a,b\n"1,""x""\r\ny",2\n3,4\n', [['1,"x"\r\ny', "2"], ["3", "4"]]),
        # Too few and too many cells; empty ones too many at the end are an exporter's habit.
        (
            "a,b\n1\n1,2,3\n1,2,\n4,5\n",
            ["too_few_columns", "too_many_columns", ["1", "2"], ["4", "5"]],
        ),
        # A quote within a quoted cell that nobody doubled.
        ('a,b\n"the "big" mug",2\n3,4\n', [['the big" mug"', "2"], ["3", "4"]]),
        # A quote that is never closed costs its own line alone.
        ('a,b\n"1,2\n3,4\n5,6\n', ["bad_quoting", ["3", "4"], ["5", "6"]]),
        ('a,b\n1,"2\n3,"4"\n5,6\n', ["bad_quoting", ["3", "4"], ["5", "6"]]),
        # Quotes inside a cell that does not begin with one are text.
        ('a,b\n5" nails,2\n3,4\n', [['5" nails', "2"], ["3", "4"]]),
        # NULs are no text.
        ("a,b\n1\0,2\n", [["1", "2"]]),
        # Formulas are text here; only what we write out must be safe from them.
        ("a,b\n=1+1,@x\n", [["=1+1", "@x"]]),
        # A cell beyond any sense, and a line beyond any sense.
        (f"a,b\n{'x' * 140_000},2\n3,4\n", ["field_too_long", ["3", "4"]]),
        (f"a,b\n{'1,' * MAX_LINE}\n3,4\n", ["row_too_long", ["3", "4"]]),
        # Within quotes, the long line is still not part of the rows before it.
        (f'a,b\n"1,2\n{"x" * MAX_LINE}\n3,4\n', ["bad_quoting", "row_too_long", ["3", "4"]]),
    ],
)
def test_a_hostile_row_costs_itself_alone(
    tmp_path: Path, content: str, rows: list[list[str] | str]
) -> None:
    assert read(tmp_path, content)[1] == rows


def test_a_quote_never_closed_in_a_long_file_costs_one_row(tmp_path: Path) -> None:
    lines = [f"{number},x" for number in range(100_000)]
    lines[10] = '10,"x'

    _, rows = read(tmp_path, "a,b\n" + "\n".join(lines))

    assert len(rows) == 100_000
    assert [row for row in rows if isinstance(row, str)] == ["bad_quoting"]


def test_a_row_over_very_many_lines_is_given_up(tmp_path: Path) -> None:
    cell = '"' + ("y" * 99 + "\n") * 1000 + '"'

    _, rows = read(tmp_path, f"a,b,c,d\n{cell},{cell},{cell},{cell}\n1,2,3,4\n")

    assert rows[0] == "bad_quoting"
    assert rows[-1] == ["1", "2", "3", "4"]
    assert all(isinstance(row, str) for row in rows[:-1])


def test_a_row_that_does_not_decode_is_rejected_and_counted(tmp_path: Path) -> None:
    content = "a,b\nZoë,1\n".encode() + b"Jos\xe9,2\n" + "Chloé,3\n".encode()

    assert read(tmp_path, content)[1] == [["Zoë", "1"], "bad_encoding", ["Chloé", "3"]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "The file is empty"),
        ("\n\n", "The file is empty"),
        (",".join("c" * (MAX_COLUMNS + 1)), "1,001 columns"),
        ("x" * (2 * MAX_LINE), "header cannot be read"),
        ('"a,b\n', "header cannot be read"),
    ],
)
def test_a_file_without_a_usable_header_is_refused(
    tmp_path: Path, content: str, message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        read(tmp_path, content)
