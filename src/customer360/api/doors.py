"""What the doors need of the application."""

from __future__ import annotations

from typing import Any, Protocol

from sqlalchemy import Connection

from customer360.access.directory import Directory
from customer360.access.shops import Shop
from customer360.clock import Clock
from customer360.intake.inbox import Inbox
from customer360.profiles.browse import WarehouseQuery
from customer360.profiles.card import Card
from customer360.settings import Settings
from customer360.storage.database import Database


class Doors(Protocol):
    """The parts of the application behind the doors."""

    @property
    def settings(self) -> Settings: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def database(self) -> Database: ...

    @property
    def directory(self) -> Directory: ...

    @property
    def inbox(self) -> Inbox: ...

    @property
    def warehouse(self) -> WarehouseQuery: ...

    def card(self, connection: Connection, shop: Shop, profile_id: int) -> Card: ...

    def explanations(
        self, connection: Connection, shop: Shop, card: Card
    ) -> dict[str, dict[str, Any]]: ...
