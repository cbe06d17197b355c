"""Builds everything from the settings, and passes each capability what it needs of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, cast

from sqlalchemy import Connection

from customer360.access.directory import Directory
from customer360.access.shops import Shop
from customer360.clock import Clock, SystemClock
from customer360.connectors.sources import SOURCES
from customer360.consent.contact_points import contact_points
from customer360.enrichment import warehouse as enrichment_warehouse
from customer360.enrichment.actions import next_best_action
from customer360.enrichment.explain import explanations
from customer360.enrichment.run import Enrichment
from customer360.enrichment.standing import standing
from customer360.enrichment.store import read_scores
from customer360.events import warehouse as events_warehouse
from customer360.events.model import Identifier
from customer360.identities import warehouse as identities_warehouse
from customer360.intake.inbox import Inbox
from customer360.intake.understanding import Translators
from customer360.migrations import upgrade
from customer360.profiles import warehouse as profiles_warehouse
from customer360.profiles.card import Card, ContactPointView, load_card
from customer360.profiles.projection import profiles_mirror
from customer360.profiles.stages import shop_calendar
from customer360.segments import warehouse as segments_warehouse
from customer360.segments.queue import scores_changed
from customer360.settings import Settings
from customer360.storage.database import Database
from customer360.storage.engines.duckdb import DuckDBEngine
from customer360.storage.flight import FlightClient
from customer360.storage.mirror import Schema
from customer360.warehouse.query import EitherWarehouse, LocalWarehouse, RemoteWarehouse, Warehouse
from customer360.warehouse.schema import prepare
from customer360.warehouse.scrub import own_words

Role = Literal["server", "worker", "cli"]
# The worker reads and writes the whole store; the server looks at a few people at a time.
_CACHE_MIB: dict[Role, int] = {"server": 32, "worker": 384, "cli": 128}


@dataclass(frozen=True)
class App:
    """What doors and steps work with."""

    settings: Settings
    clock: Clock
    role: Role
    database: Database
    inbox: Inbox
    directory: Directory
    translators: Translators
    warehouse: Warehouse
    """The worker owns the files and the server asks it; a command asks a running worker or opens them itself."""

    def card(self, connection: Connection, shop: Shop, profile_id: int) -> Card:
        """Everything about one profile of a shop; raises ProfileNotFound."""
        return load_card(
            connection,
            shop.shop_id,
            shop_calendar(shop.timezone, shop.settings),
            profile_id,
            self.clock.now(),
            read_contact_points,
            read_scores,
            next_best_action,
        )

    def explanations(
        self, connection: Connection, shop: Shop, card: Card
    ) -> dict[str, dict[str, Any]]:
        """Why the scores of a profile are as they are."""
        return explanations(
            read_scores(connection, shop.shop_id, card.profile_id),
            cast(str | None, card.attributes["next_best_action"]),
            standing(connection, shop.shop_id).card,
            shop.currency,
        )

    @property
    def enrichment(self) -> Enrichment:
        """What computes the scores of a shop."""
        return Enrichment(self.database, self.warehouse, self.clock, scores_changed)

    def close(self) -> None:
        """Finish what is under way and give everything back."""
        self.inbox.close()
        self.warehouse.close()
        self.database.close()


def read_contact_points(
    connection: Connection,
    shop_id: int,
    people: Mapping[int, tuple[Sequence[int], Sequence[Identifier]]],
) -> dict[int, tuple[ContactPointView, ...]]:
    """The consent capability's answer in the words of a profile card."""
    return {
        profile_id: tuple(
            ContactPointView(
                point.channel,
                point.address,
                point.consent,
                point.consent_at,
                point.consent_text,
                point.consent_source,
            )
            for point in points
        )
        for profile_id, points in contact_points(connection, shop_id, people).items()
    }


def build_app(
    settings: Settings | None = None, *, clock: Clock | None = None, role: Role = "server"
) -> App:
    """Open the stores (bringing their tables up to date) and wire the capabilities."""
    settings = settings or Settings.from_environment()
    clock = clock or SystemClock()
    database = Database(
        settings.resolved_database_url,
        cache_mib=_CACHE_MIB[role],
        # What the worker writes follows from what is on disk already; what the doors accept must be on disk at once.
        sync_each_commit=role != "worker",
        # A worker keeps the log short by itself; nobody else should wait while it is copied.
        log_pages=64_000 if role == "cli" else 1_000_000,
    )
    upgrade(database)
    return App(
        settings=settings,
        clock=clock,
        role=role,
        database=database,
        inbox=Inbox(database, clock),
        directory=Directory(database),
        translators={source.name: source.translate for source in SOURCES},
        warehouse=_warehouse(settings, database, role),
    )


SCHEMA = Schema(
    mirrors=(
        profiles_mirror(read_contact_points, own_words),
        *identities_warehouse.MIRRORS,
        *profiles_warehouse.MIRRORS,
        *events_warehouse.MIRRORS,
        *segments_warehouse.MIRRORS,
        *enrichment_warehouse.MIRRORS,
    ),
    views=profiles_warehouse.VIEWS,
)


def _warehouse(settings: Settings, database: Database, role: Role) -> Warehouse:
    remote = RemoteWarehouse(FlightClient(settings.socket_path))
    if role == "server":
        return remote
    engine = DuckDBEngine(settings.warehouse_dir, partial(prepare, SCHEMA))
    local = LocalWarehouse(database, engine, SCHEMA)
    return local if role == "worker" else EitherWarehouse(local, remote)
