"""What is in this file? Opens it as text, a piece at a time, however large it is.

Nothing here holds more of the file than one piece, so a 10 GB file needs no more memory than a small one.
"""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import IO

from charset_normalizer import from_bytes

from customer360.errors import InvalidInput

_PIECE_BYTES = 1 << 18
_GZIP = b"\x1f\x8b"
# What begins a ZIP archive, which every spreadsheet file (.xlsx, .ods) is, and an old .xls.
_SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
# A file of UTF-32 is nobody's export.
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
DAMAGED = (EOFError, gzip.BadGzipFile, zlib.error)
"""What reading a damaged .gz file raises."""


# Of one line, in characters: ten times the widest row of an export, and eight of the largest events.
MAX_LINE = 1 << 18
# No line of a file is this: a NUL is taken out of every line.
TOO_LONG = "\0"


class OpenedFile:
    """A file open as text: its lines, and how many bytes of it have been read."""

    def __init__(self, raw: IO[bytes], text: io.TextIOWrapper, encoding: str) -> None:
        self.encoding = encoding
        """Name of the codec: utf-8, utf-8-sig, utf-16, cp1252, …"""
        self._raw = raw
        self._readline = text.readline

    @property
    def bytes_read(self) -> int:
        """Bytes read so far, of the file as it is on disk: a .gz one counts compressed."""
        return self._raw.tell()

    def read_line(self) -> str:
        """The next line with its end; empty at the end of the file, TOO_LONG for one that is longer than MAX_LINE."""
        line = self._readline(MAX_LINE)
        if len(line) == MAX_LINE and not line.endswith(("\n", "\r")):
            while (rest := self._readline(MAX_LINE)) and not rest.endswith(("\n", "\r")):
                pass
            return TOO_LONG
        return line.replace("\0", "") or "\n" if "\0" in line else line


@contextmanager
def open_text(path: Path) -> Iterator[OpenedFile]:
    """The file as text, unpacked where it is a .gz, in the encoding that it looks like.

    A byte that does not decode becomes a lone surrogate (in UTF-16: U+FFFD), which `is_decoded` finds.
    Raises InvalidInput where there is no such file, or it is no text.
    """
    with _open(path) as raw, _unpacked(raw) as stream:
        try:
            encoding = detect_encoding(stream)
        except DAMAGED as error:
            raise InvalidInput(f"{path.name} is a damaged .gz file") from error
    errors = "replace" if encoding.startswith("utf-16") else "surrogateescape"
    with _open(path) as raw, _unpacked(raw) as stream:
        text = io.TextIOWrapper(stream, encoding=encoding, errors=errors, newline="")
        yield OpenedFile(raw, text, encoding)


def is_decoded(text: str, encoding: str) -> bool:
    """Whether every byte of this text was a character of the encoding."""
    if text.isascii():
        return True
    if encoding.startswith("utf-16") and "\ufffd" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def digest_of(path: Path) -> str:
    """Which file this is: a digest of all its bytes, as they are on disk."""
    digest = blake2b(digest_size=16)
    with _open(path) as file:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def _open(path: Path) -> io.FileIO:
    try:
        # Buffers are above: the position of this file is how far the import has come.
        return path.open("rb", buffering=0)
    except OSError as error:
        raise InvalidInput(f"{path.name} cannot be read: {error.strerror}") from error


def _unpacked(raw: io.FileIO) -> IO[bytes]:
    start = raw.read(4)
    raw.seek(0)
    if start.startswith(_SPREADSHEETS):
        raise InvalidInput("This is a spreadsheet or an archive; save it as CSV first")
    if start.startswith(_GZIP):
        return gzip.GzipFile(fileobj=raw, mode="rb")  # type: ignore[return-value]
    return io.BufferedReader(raw, _PIECE_BYTES)


def detect_encoding(stream: IO[bytes]) -> str:
    """The encoding that a stream looks like, judged by the first piece that is not plain ASCII.

    Reading that far costs little: most files tell within the first piece, and one that never tells is ASCII.
    """
    piece = stream.read(_PIECE_BYTES)
    for mark, encoding in _BYTE_ORDER_MARKS:
        if piece.startswith(mark):
            return encoding
    if utf16 := _utf16_without_mark(piece):
        return utf16
    while piece.isascii():
        if not piece:
            return "utf-8"
        piece = stream.read(_PIECE_BYTES)
    return "utf-8" if _is_utf8(piece) else _single_byte_encoding(piece)


def _utf16_without_mark(piece: bytes) -> str:
    """Text in UTF-16 has a NUL in every second byte, as far as it is Latin."""
    even, odd = piece[0:2000:2], piece[1:2000:2]
    if odd and odd.count(0) > 0.7 * len(odd) and not even.count(0):
        return "utf-16-le"
    if even and even.count(0) > 0.7 * len(even) and not odd.count(0):
        return "utf-16-be"
    return ""


def _is_utf8(piece: bytes) -> bool:
    """Whether more of the non-ASCII text is UTF-8 than not: one broken byte does not change what a file is."""
    # Incremental, because the piece may end within a character.
    text = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode(piece)
    special = [letter for letter in text if letter > "\x7f"]
    broken = sum(1 for letter in special if "\udc80" <= letter <= "\udcff")
    return len(special) - broken >= broken


def _single_byte_encoding(piece: bytes) -> str:
    """Western European unless the text cannot be that, for Polish looks like French to a machine."""
    western = from_bytes(piece, cp_isolation=["cp1252"]).best()
    best = western or from_bytes(piece).best()
    return codecs.lookup(best.encoding).name if best else "latin-1"
