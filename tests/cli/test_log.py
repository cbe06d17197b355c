"""The log has a line an entry, from the level that was chosen, and quotes nobody."""

import logging
import re
from collections.abc import Iterator

import pytest

from customer360.cli.log import begin_log

SECRET = "ann@x.com"
STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """A log of this process alone, which is gone after the test."""
    root, ours = logging.getLogger(), logging.getLogger("customer360")
    handlers, level = root.handlers[:], ours.level
    yield
    root.handlers[:] = handlers
    ours.setLevel(level)
    logging.captureWarnings(False)


@pytest.mark.parametrize(
    ("level", "wanted"),
    [
        ("debug", ["DEBUG", "INFO", "WARNING", "ERROR"]),
        ("info", ["INFO", "WARNING", "ERROR"]),
        ("warning", ["WARNING", "ERROR"]),
        ("error", ["ERROR"]),
    ],
)
def test_an_entry_has_its_time_its_level_and_its_name(
    capsys: pytest.CaptureFixture[str], level: str, wanted: list[str]
) -> None:
    begin_log("debug")
    begin_log(level)
    log = logging.getLogger("customer360.some.module")
    for number in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR):
        log.log(number, "two\nlines %d", 7)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split()[1] for line in lines] == wanted
    for line in lines:
        assert re.fullmatch(STAMP + r" [A-Z]+ customer360\.some\.module two lines 7", line)


def test_an_exception_is_told_by_its_place_and_not_by_its_message(
    capsys: pytest.CaptureFixture[str],
) -> None:
    begin_log("debug")
    try:
        raise KeyError(SECRET)
    except KeyError:
        logging.getLogger("customer360.intake.batch").exception("translator of %s failed", "files")
    (line,) = capsys.readouterr().err.splitlines()
    assert "translator of files failed: KeyError at test_log.py:" in line
    assert SECRET not in line


def test_other_packages_are_heard_from_warnings_on_only(
    capsys: pytest.CaptureFixture[str],
) -> None:
    begin_log("debug")
    logging.getLogger("sqlalchemy.engine").info("insert into users values (%s)", SECRET)
    logging.getLogger("sqlalchemy.engine").warning("the pool is full")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("WARNING sqlalchemy.engine the pool is full")
