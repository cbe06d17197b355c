"""What a signal says about the installation: privacy requests, an uninstall, a merge done in the shop system."""

from __future__ import annotations

import json

from sqlalchemy import Connection, insert

from customer360.access.shops import Shop, uninstall_shop
from customer360.clock import DAY, Instant
from customer360.events.placed import PlacedEvent
from customer360.intake.merging import merge_customers
from customer360.intake.tables import privacy_requests
from customer360.values import new_ids

ANSWER_WITHIN: Instant = 30 * DAY
"""The time that Shopify and the GDPR give for an answer."""


def act_on(connection: Connection, shop: Shop, placed: PlacedEvent, now: Instant) -> None:
    """Record a privacy request to be carried out, or stop the shop's intake after an uninstall.

    A merge of customers in Shopify is kept as its event; it is carried out with the merges of the Duplicates page.
    """
    notice = placed.event.notice
    if notice is None:
        return
    if notice.kind == "privacy_request":
        connection.execute(
            insert(privacy_requests).values(
                shop_id=shop.shop_id,
                request_id=new_ids.next(),
                topic=placed.event.type,
                details=json.dumps(notice.details),
                received_at=placed.received_at,
                due_at=placed.received_at + ANSWER_WITHIN,
                state="waiting",
            )
        )
    elif notice.kind == "customers_merged":
        merge_customers(
            connection,
            shop,
            str(notice.details.get("kept", "")),
            str(notice.details.get("deleted", "")),
            source=placed.source,
            acts_at=placed.event.occurred_at,
            now=now,
        )
    elif notice.kind == "app_uninstalled":
        uninstall_shop(connection, shop.shop_id, now)
