"""A shop to try things on: signals in, profiles out, on whatever profile store the test has."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import select

from customer360.access.shops import Shop, create_shop
from customer360.app import App, build_app
from customer360.clock import FixedClock, to_iso
from customer360.events.model import SourceRank, Trust
from customer360.intake.accepted import AcceptedSignals
from customer360.intake.balance import SourceBalance, balance
from customer360.intake.batch import Lease, process
from customer360.intake.inbox import InboxRow
from customer360.profiles import checkouts
from customer360.profiles.card import Card, attributes_json
from customer360.profiles.event_counts import EventCount, event_counts
from customer360.profiles.hydrate import find_by_identifier
from customer360.profiles.order_views import OrderView, orders_of
from customer360.profiles.timeline import TimelinePage, timeline
from customer360.settings import Settings
from customer360.storage.metadata import shop_clock
from customer360.worker import drain

NOW = "2026-06-15T12:00:00Z"


class House:
    """An installation with one shop in euro, Dublin and Ireland."""

    def __init__(self, url: str, folder: Path, **settings: Any) -> None:
        self.clock = FixedClock(NOW)
        self.settings = Settings(data_dir=folder, database_url=url, **settings)
        self.app: App = build_app(self.settings, clock=self.clock, role="cli")
        self._numbers = count(1)
        self.open_shop()

    def open_shop(self) -> None:
        """Begin with an empty shop; what was before stays with the former one."""
        with self.app.database.write() as connection:
            self.new_shop = create_shop(
                connection,
                name="Shop",
                currency="EUR",
                timezone="Europe/Dublin",
                country="IE",
                now=self.clock.now(),
            )
        self.shop: Shop = self.new_shop.shop

    def segment(self, *calls: Mapping[str, Any], trust: Trust = Trust.FULL) -> None:
        """Accept Segment calls; messageId and timestamp are made where they lack."""
        rank = SourceRank.SERVER if trust is Trust.FULL else SourceRank.PIXEL
        rows = []
        for call in calls:
            body = {"messageId": f"m{next(self._numbers)}", "timestamp": NOW, **call}
            rows.append(self.row("segment", json.dumps(body).encode(), trust=trust, rank=rank))
        self.app.inbox.accept(rows)

    def shopify(self, topic: str, payload: Mapping[str, Any], webhook_id: str = "") -> None:
        """Accept a webhook."""
        envelope = {
            "topic": topic,
            "webhook_id": webhook_id or f"w{next(self._numbers)}",
            "api_version": "2026-04",
            "shop_domain": "shop.myshopify.com",
            "triggered_at": NOW,
        }
        body = json.dumps(payload).encode()
        self.app.inbox.accept(
            [
                self.row(
                    "shopify", body, rank=SourceRank.WEBHOOK, envelope=json.dumps(envelope).encode()
                )
            ]
        )

    def row(
        self,
        source: str,
        body: bytes,
        *,
        trust: Trust = Trust.FULL,
        rank: SourceRank = SourceRank.SERVER,
        envelope: bytes | None = None,
    ) -> InboxRow:
        """A row for the inbox."""
        return InboxRow(
            shop_id=self.shop.shop_id,
            source=source,
            trust=trust,
            rank=rank,
            received_at=self.clock.now(),
            body=body,
            envelope=envelope,
        )

    def drain(self) -> None:
        """Work off everything that waits."""
        drain(self.app, self.shop.shop_id)

    def work_off(self) -> None:
        """As `drain`, but the warehouse is left as it is, which is most of the time that a drain takes."""
        app, shop_id = self.app, self.shop.shop_id
        with app.database.read() as connection:
            query = select(shop_clock.c.lease_epoch).where(shop_clock.c.shop_id == shop_id)
            lease = Lease(shop_id, 1, connection.execute(query).scalar_one(), 10)
        minutes = self.settings.checkout_abandoned_minutes
        accepted, translators = AcceptedSignals(), app.translators
        while process(
            app.database, self.shop, lease, translators, accepted, self.clock, 2000
        ).taken:
            pass
        with app.database.write() as connection:
            checkouts.decide_due(connection, shop_id, self.clock.now(), minutes)

    def profile_id(self, identifier: str) -> int:
        """The profile of "type:value"; fails when it is nobody's."""
        kind, _, value = identifier.partition(":")
        with self.app.database.read() as connection:
            found = find_by_identifier(
                connection, self.shop.shop_id, self.shop.country, kind, value
            )
        assert found is not None, f"{identifier} belongs to nobody"
        return found

    def card(self, identifier: str) -> Card:
        """The card of the profile of "type:value"."""
        profile_id = self.profile_id(identifier)
        with self.app.database.read() as connection:
            return self.app.card(connection, self.shop, profile_id)

    def attributes(self, identifier: str, *names: str) -> dict[str, Any]:
        """The attributes as the API writes them, all or some."""
        written = attributes_json(self.card(identifier).attributes, self.shop.currency)
        return {name: written[name] for name in names} if names else written

    def timeline(self, identifier: str, **options: Any) -> TimelinePage:
        """A page of the person's journey."""
        profile_id = self.profile_id(identifier)
        with self.app.database.read() as connection:
            return timeline(connection, self.shop.shop_id, profile_id, **options)

    def counts(self, identifier: str) -> dict[str, int]:
        """How often each type of event happened to a person."""
        profile_id = self.profile_id(identifier)
        with self.app.database.read() as connection:
            found: Sequence[EventCount] = event_counts(connection, self.shop.shop_id, profile_id)
        return {entry.type: entry.count for entry in found}

    def orders(self, identifier: str) -> list[OrderView]:
        """The person's orders."""
        profile_id = self.profile_id(identifier)
        with self.app.database.read() as connection:
            return orders_of(connection, self.shop.shop_id, profile_id)

    def balance(self) -> SourceBalance:
        """The balance over all sources."""
        with self.app.database.read() as connection:
            return balance(connection, self.shop.shop_id).total

    def close(self) -> None:
        """Let go of the stores."""
        self.app.close()


def at(minutes: float) -> str:
    """So many minutes after the morning of the day of the tests, in ISO 8601."""
    base = FixedClock("2026-06-15T08:00:00Z").now()
    return str(to_iso(base + int(minutes * 60_000_000)))
