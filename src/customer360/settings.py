"""The settings of an installation: one frozen value, read once from C360_* variables."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from customer360.errors import InvalidSetting


def _setting(default: Any, doc: str) -> Any:
    return field(default=default, metadata={"doc": doc})


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
        "", "Warehouse; empty means one DuckDB file per shop in the data folder"
    )
    secret_key: str = _setting(
        "", "Signs sign-in cookies and encrypts app secrets; made on first start when empty"
    )
    host: str = _setting(
        "127.0.0.1", "Address the server listens on; put a TLS proxy before any other"
    )
    port: int = _setting(8360, "Port the server listens on")
    public_url: str = _setting(
        "", "Address people reach the server at; empty means http://host:port"
    )
    max_event_bytes: int = _setting(
        32 * 1024, "Largest event in bytes, as Segment's; a larger one is rejected alone"
    )
    max_batch_bytes: int = _setting(
        500 * 1024, "Largest batch body in bytes, as Segment's; larger ones answer 413"
    )
    max_webhook_bytes: int = _setting(
        4 * 1024 * 1024, "Largest webhook body in bytes; an order of 500 lines has 2 MB"
    )
    max_upload_bytes: int = _setting(
        2 * 1024**3, "Largest file uploaded on a page in bytes; the CLI has no limit"
    )
    rate_limit_events_per_second: int = _setting(
        25_000, "Events a second that one key may send before 429"
    )
    min_free_bytes: int = _setting(
        200 * 1024**2, "Free disk space in bytes below which signals are answered 503"
    )
    batch_events: int = _setting(
        2000, "Most signals of one step; more cost less each, fewer answer sooner"
    )
    sync_interval_ms: int = _setting(
        700, "Least time between two syncs of a busy shop; keeps pages within 2 s"
    )
    lease_seconds: int = _setting(15, "How long a worker owns a shop without renewing its lease")
    retry_seconds: int = _setting(
        2, "First delay before a failed step is tried again; doubles up to five minutes"
    )
    session_days: int = _setting(30, "How long a sign-in lasts in days")
    checkout_abandoned_minutes: int = _setting(
        60, "A checkout without an order for so many minutes is abandoned"
    )
    log_level: str = _setting(
        "info", "debug, info, warning or error; personal data is in none of them"
    )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read C360_* variables; raises InvalidSetting with the variable's name."""
        environment = os.environ if environment is None else environment
        given: dict[str, Any] = {}
        for entry in fields(cls):
            text = environment.get(variable_of(entry.name))
            if text is not None and text != "":
                given[entry.name] = _read(entry.name, entry.default, text)
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
    """The installation's secret; made once, readable by its owner alone."""
    if settings.secret_key:
        return settings.secret_key
    path = settings.data_dir / "secret.key"
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        key = secrets.token_urlsafe(48)
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    return key


def _read(name: str, default: Any, text: str) -> Any:
    if isinstance(default, Path):
        return Path(text)
    if isinstance(default, int):
        try:
            number = int(text)
        except ValueError as error:
            raise InvalidSetting(
                f"{variable_of(name)} must be a whole number, not {text!r}"
            ) from error
        if number < 0:
            raise InvalidSetting(f"{variable_of(name)} must not be negative")
        return number
    return text
