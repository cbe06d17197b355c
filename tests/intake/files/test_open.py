"""Files are opened as what they are: packed or not, in whatever encoding."""

import gzip
from pathlib import Path

import pytest

from customer360.errors import InvalidInput
from customer360.intake.files.open import MAX_LINE, TOO_LONG, digest_of, is_decoded, open_text

ASCII = "name,city\n" + "Ann,Cork\n" * 40_000
FRENCH = "Nom,Prénom,Ville\nLefèvre,Éloïse,Besançon\nGarçon,Noël,Orléans\n"
RUSSIAN = "Имя,Город\nИван Петров,Москва\nОльга Иванова,Тверь\n"


def read(path: Path) -> tuple[str, str]:
    """The encoding of a file and its text."""
    with open_text(path) as file:
        return file.encoding, "".join(iter(file.read_line, ""))


@pytest.mark.parametrize(
    ("content", "encoding", "text"),
    [
        (b"", "utf-8", ""),
        (ASCII.encode(), "utf-8", ASCII),
        (FRENCH.encode(), "utf-8", FRENCH),
        (FRENCH.encode("utf-8-sig"), "utf-8-sig", FRENCH),
        (FRENCH.encode("utf-16"), "utf-16", FRENCH),
        (b"\xfe\xff" + FRENCH.encode("utf-16-be"), "utf-16", FRENCH),
        (FRENCH.encode("utf-16-le"), "utf-16-le", FRENCH),
        (FRENCH.encode("utf-16-be"), "utf-16-be", FRENCH),
        (FRENCH.encode("cp1252"), "cp1252", FRENCH),
        ("price\n5 €, “net”\n".encode("cp1252"), "cp1252", "price\n5 €, “net”\n"),
        (RUSSIAN.encode("cp1251"), "cp1251", RUSSIAN),
    ],
)
def test_a_file_is_read_in_the_encoding_that_it_has(
    tmp_path: Path, content: bytes, encoding: str, text: str
) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(content)

    assert read(path) == (encoding, text)


def test_the_encoding_is_judged_by_the_first_text_that_is_not_ascii(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(ASCII.encode() + "Zoë,Genève\n".encode("cp1252"))

    assert read(path) == ("cp1252", ASCII + "Zoë,Genève\n")


def test_one_broken_byte_does_not_make_utf_8_another_encoding(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes("Zoë,Genève\n".encode() + b"Jos\xe9,Lugo\n")

    encoding, text = read(path)

    assert encoding == "utf-8"
    good, bad = text.splitlines()
    assert is_decoded(good, encoding)
    assert not is_decoded(bad, encoding)


def test_a_packed_file_is_unpacked_whatever_its_name(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(gzip.compress(FRENCH.encode()))

    with open_text(path) as file:
        assert "".join(iter(file.read_line, "")) == FRENCH
        assert file.bytes_read == path.stat().st_size


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\x03\x04rest", "spreadsheet"),
        (b"\xd0\xcf\x11\xe0rest", "spreadsheet"),
        (b"\x1f\x8b\x08\x00rest", "damaged"),
        (gzip.compress(FRENCH.encode(), mtime=0)[:-20], "damaged"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(content)

    with pytest.raises(InvalidInput, match=message):
        read(path)


def test_a_missing_file_is_told_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"gone\.csv cannot be read: No such file"):
        read(tmp_path / "gone.csv")


def test_a_line_beyond_the_limit_is_left_out_and_its_neighbours_are_not(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_text("a\n" + "x" * (3 * MAX_LINE) + "\nb\0c\n\0")

    with open_text(path) as file:
        assert list(iter(file.read_line, "")) == ["a\n", TOO_LONG, "bc\n", "\n"]


def test_the_digest_tells_files_apart(tmp_path: Path) -> None:
    one, same, other = (tmp_path / name for name in ("one", "same", "other"))
    one.write_text("a")
    same.write_text("a")
    other.write_text("b")

    assert digest_of(one) == digest_of(same) != digest_of(other)
