"""The registry of sources: one line for each system that signals come from."""

from __future__ import annotations

from customer360.connectors.sources.files import customers as customers_file
from customer360.connectors.sources.files import events as events_file
from customer360.connectors.sources.files import orders as orders_file
from customer360.connectors.sources.files import profiles as profiles_file
from customer360.connectors.sources.pixel import translate as pixel
from customer360.connectors.sources.segment import translate as segment
from customer360.connectors.sources.shopify import translate as shopify
from customer360.connectors.sources.shopify_pixel import translate as shopify_pixel
from customer360.connectors.sources.source import Source

SOURCES: tuple[Source, ...] = (
    Source("segment", "Segment-compatible SDKs", segment.translate),
    Source("pixel", "Storefront pixel", pixel.translate),
    Source("shopify_pixel", "Shopify web pixel", shopify_pixel.translate),
    Source("shopify", "Shopify webhooks", shopify.translate),
    Source("orders_file", "Files of orders", orders_file.translate),
    Source("customers_file", "Files of customers", customers_file.translate),
    Source("profiles_file", "Files of profiles", profiles_file.translate),
    Source("events_file", "Files of events", events_file.translate),
)
