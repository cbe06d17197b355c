"""The settings of an installation: one frozen value, read once from C360_* variables."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from customer360.errors import InvalidSetting

_DUCKDB = "duckdb://"
# More than any disk has bytes, and far from what overflows.
_MOST = 10**15
# One that we make has 64 characters; a shorter one was cut off, or is soon guessed.
_SHORTEST_KEY = 16


def _setting(
    default: Any, doc: str, *, least: int = 0, most: int = _MOST, choices: Sequence[str] = ()
) -> Any:
    allowed = {"least": least, "most": most, "choices": choices}
    return field(default=default, metadata={"doc": doc} | allowed)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Every setting with its default, unit and reason; `c360 settings` prints this table."""

    data_dir: Path = _setting(
        Path("data"), "Folder for the databases, the warehouse files and the key"
    )
    database_url: str = _setting(
        "", "Profile store; empty means SQLite in the data folder, else postgresql://…"
    )
    warehouse_url: str = _setting(
        "",
        "Warehouse: one DuckDB file per shop; empty means in the data folder, else duckdb:///absolute/folder",
    )
    secret_key: str = _setting(
        "", "Signs sign-in cookies and encrypts app secrets; made on first start when empty"
    )
    host: str = _setting(
        "127.0.0.1", "Address the server listens on; put a TLS proxy before any other"
    )
    port: int = _setting(8360, "Port the server listens on", most=65_535)
    public_url: str = _setting(
        "", "Address people reach the server at; empty means http://host:port"
    )
    max_event_bytes: int = _setting(
        32 * 1024,
        "Largest event in bytes, as Segment's; a larger one is rejected alone",
        least=1024,
    )
    max_batch_bytes: int = _setting(
        500 * 1024, "Largest batch body in bytes, as Segment's; larger ones answer 413", least=1024
    )
    max_webhook_bytes: int = _setting(
        4 * 1024 * 1024, "Largest webhook body in bytes; an order of 500 lines has 2 MB", least=1024
    )
    max_upload_bytes: int = _setting(
        2 * 1024**3, "Largest file uploaded on a page in bytes; the CLI has no limit", least=1024
    )
    rate_limit_events_per_second: int = _setting(
        25_000, "Events a second that one key may send before 429", least=1
    )
    min_free_bytes: int = _setting(
        200 * 1024**2, "Free disk space in bytes below which signals are answered 503"
    )
    batch_events: int = _setting(
        8000,
        "Most signals of one step; more cost less each. While somebody is sending, a step has 500 at most",
        least=1,
        most=100_000,
    )
    sync_interval_ms: int = _setting(
        700, "Least time between two syncs of a busy shop; keeps pages within 2 s", most=86_400_000
    )
    lease_seconds: int = _setting(
        15, "How long a worker owns a shop without renewing its lease", least=1, most=3600
    )
    retry_seconds: int = _setting(
        2,
        "First delay before a failed step is tried again; doubles up to five minutes",
        least=1,
        most=300,
    )
    session_days: int = _setting(30, "How long a sign-in lasts in days", least=1, most=3650)
    checkout_abandoned_minutes: int = _setting(
        60,
        "A checkout without an order for so many minutes is abandoned",
        least=1,
        most=525_600,
    )
    duplicate_scan_hour: str = _setting(
        "3",
        "Hour of the shop's night in which people are compared for duplicates, 0 to 23, or off",
        choices=("off", *map(str, range(24))),
    )
    enrichment_hour: str = _setting(
        "2",
        "Hour of the shop's night in which scores are computed anew, 0 to 23, or off",
        choices=("off", *map(str, range(24))),
    )
    log_level: str = _setting(
        "info",
        "debug, info, warning or error; personal data is in none of them",
        choices=("debug", "info", "warning", "error"),
    )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read C360_* variables; raises InvalidSetting with the variable's name."""
        environment = os.environ if environment is None else environment
        given: dict[str, Any] = {}
        for entry in fields(cls):
            text = environment.get(variable_of(entry.name))
            if text is not None and text != "":
                given[entry.name] = _read(entry, text)
        return cls(**given)

    @property
    def resolved_database_url(self) -> str:
        """The SQLAlchemy URL of the profile store."""
        if not self.database_url:
            return f"sqlite:///{self.data_dir / 'customer360.sqlite'}"
        if self.database_url.startswith(("postgresql://", "postgres://")):
            return "postgresql+psycopg://" + self.database_url.split("://", 1)[1]
        return self.database_url

    @property
    def warehouse_dir(self) -> Path:
        """Where the DuckDB files are."""
        if self.warehouse_url:
            return Path(_warehouse_folder(self.warehouse_url))
        return self.data_dir / "warehouse"

    @property
    def socket_path(self) -> Path:
        """Where the worker answers warehouse queries."""
        return self.data_dir / "run" / "worker.sock"

    @property
    def resolved_public_url(self) -> str:
        """The address that links we write start with."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")


def variable_of(name: str) -> str:
    """The environment variable of a setting."""
    return f"C360_{name.upper()}"


def secret_key(settings: Settings) -> str:
    """The installation's secret; made once, readable by its owner alone. Raises InvalidSetting."""
    if settings.secret_key:
        return settings.secret_key
    path = settings.data_dir / "secret.key"
    if not path.exists():
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        _make_key(path)
    key = path.read_text().strip()
    if len(key) < _SHORTEST_KEY:
        raise InvalidSetting(
            f"{path} is empty or cut off, which is no secret: put back the one of your backup, or delete it to get a"
            " new one, which signs everybody out and needs each Shopify shop linked again"
        )
    return key


def _make_key(path: Path) -> None:
    """Write a new key beside its place and move it there whole; where another process was first, its key stays."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.fsync(file.fileno())
        # Unlike a rename, a link takes nobody's place; some file systems have none.
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        except OSError:
            draft.rename(path)
    finally:
        draft.unlink(missing_ok=True)


def _read(entry: Field[Any], text: str) -> Any:
    name, default, allowed = variable_of(entry.name), entry.default, entry.metadata
    if isinstance(default, Path):
        return Path(text)
    if isinstance(default, int):
        return _number(name, text, allowed["least"], allowed["most"])
    if allowed["choices"] and text.lower() not in allowed["choices"]:
        raise InvalidSetting(f"{name} must be one of {', '.join(allowed['choices'])}, not {text!r}")
    if allowed["choices"]:
        return text.lower()
    if entry.name == "warehouse_url":
        _check_warehouse(name, text)
    if entry.name == "public_url":
        _check_address(name, text)
    return text


def _number(name: str, text: str, least: int, most: int) -> int:
    try:
        number = int(text)
    except ValueError as error:
        raise InvalidSetting(f"{name} must be a whole number, not {text!r}") from error
    if not least <= number <= most:
        raise InvalidSetting(f"{name} must be from {least} to {most}, not {text!r}")
    return number


def _check_warehouse(name: str, text: str) -> None:
    if not text.startswith(f"{_DUCKDB}/") or _warehouse_folder(text) == "/":
        # The address of another engine may hold a password.
        kind = text.partition(":")[0] if "@" in text else text
        raise InvalidSetting(
            f"{name} must be empty or {_DUCKDB}/absolute/folder, for DuckDB is the one engine there is; it is {kind!r}"
        )


def _warehouse_folder(text: str) -> str:
    return "/" + text.removeprefix(_DUCKDB).strip("/")


def _check_address(name: str, text: str) -> None:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not text.isprintable() or " " in text:
        raise InvalidSetting(
            f"{name} must be an address like https://customers.example.com, not {text!r}"
        )
