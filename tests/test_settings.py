"""Settings are checked where they are read, and the key is made whole or not at all."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path

import pytest

from customer360.errors import InvalidSetting
from customer360.settings import Settings, secret_key, variable_of


def read(**variables: str) -> Settings:
    return Settings.from_environment({f"C360_{name}": text for name, text in variables.items()})


@pytest.mark.parametrize(
    ("name", "text", "allowed"),
    [
        ("BATCH_EVENTS", "0", "from 1 to"),
        ("BATCH_EVENTS", "many", "a whole number"),
        ("MAX_EVENT_BYTES", "0", "from 1024 to"),
        ("LEASE_SECONDS", "0", "from 1 to"),
        ("RETRY_SECONDS", "0", "from 1 to 300"),
        ("SESSION_DAYS", "0", "from 1 to"),
        ("SESSION_DAYS", "99999999999999999999", "from 1 to"),
        ("MIN_FREE_BYTES", "-1", "from 0 to"),
        ("PORT", "65536", "from 0 to 65535"),
        ("LOG_LEVEL", "bogus", "one of debug, info, warning, error"),
        ("PUBLIC_URL", "nonsense", "an address like https://"),
        ("PUBLIC_URL", "ftp://x.example", "an address like https://"),
        ("PUBLIC_URL", "https://x.example:port", "an address like https://"),
        ("WAREHOUSE_URL", "bogus", "empty or duckdb:///absolute/folder"),
        ("WAREHOUSE_URL", "spark://nowhere:7077", "empty or duckdb:///absolute/folder"),
        ("WAREHOUSE_URL", "duckdb://folder", "empty or duckdb:///absolute/folder"),
        ("WAREHOUSE_URL", "duckdb:///", "empty or duckdb:///absolute/folder"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_what_is_allowed(
    name: str, text: str, allowed: str
) -> None:
    with pytest.raises(InvalidSetting) as refused:
        read(**{name: text})
    told = str(refused.value)
    assert told.startswith(f"C360_{name} must be")
    assert allowed in told
    assert repr(text) in told


def test_a_password_in_a_refused_address_is_not_repeated() -> None:
    with pytest.raises(InvalidSetting) as refused:
        read(WAREHOUSE_URL="postgresql://ann:hush@db/c360")
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("LOG_LEVEL", "INFO", "info"),
        ("PORT", "0", 0),
        ("PUBLIC_URL", "https://crm.example.com:8443/c360", "https://crm.example.com:8443/c360"),
        ("RETRY_SECONDS", "300", 300),
    ],
)
def test_a_value_that_can_be_is_taken(name: str, text: str, wanted: object) -> None:
    assert getattr(read(**{name: text}), name.lower()) == wanted


def test_what_is_empty_has_its_default_and_every_default_is_allowed() -> None:
    named = {variable_of(entry.name): entry.default for entry in fields(Settings)}
    assert Settings.from_environment(dict.fromkeys(named, "")) == Settings()
    texts = {name: str(default) for name, default in named.items()}
    assert Settings.from_environment(texts) == Settings()


@pytest.mark.parametrize(
    ("url", "folder"),
    [
        ("", "data/warehouse"),
        ("duckdb:///srv/c360", "/srv/c360"),
        ("duckdb:////srv/c360/", "/srv/c360"),
    ],
)
def test_the_warehouse_is_where_its_address_says(url: str, folder: str) -> None:
    assert read(WAREHOUSE_URL=url).warehouse_dir == Path(folder)


def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    with ThreadPoolExecutor(8) as threads:
        keys = set(threads.map(lambda _: secret_key(settings), range(8)))
    (path,) = settings.data_dir.iterdir()
    assert keys == {path.read_text()}
    assert len(path.read_text()) == 64
    assert (path.name, stat.S_IMODE(path.stat().st_mode)) == ("secret.key", 0o600)


@pytest.mark.parametrize("text", ["", "\n", "cut off"])
def test_an_empty_or_cut_off_key_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "secret.key").write_text(text)
    with pytest.raises(InvalidSetting, match=r"secret\.key is empty or cut off"):
        secret_key(Settings(data_dir=tmp_path))


def test_a_crash_while_the_key_is_written_leaves_no_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(_descriptor: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", crash)
        with pytest.raises(KeyboardInterrupt):
            secret_key(Settings(data_dir=tmp_path))
    assert list(tmp_path.iterdir()) == []
    assert secret_key(Settings(data_dir=tmp_path))
