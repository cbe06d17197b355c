"""Where on the web did a call happen?"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from customer360.connectors.sources.payload import Json, record, text
from customer360.events.model import Page

PAGE_FIELDS = frozenset({"url", "path", "search", "referrer", "title"})
"""Properties of page calls that live in the event's page."""

# Segment names UTM parameters without their prefix, and utm_campaign "name".
_CAMPAIGN = {
    "source": "utm_source",
    "medium": "utm_medium",
    "name": "utm_campaign",
    "campaign": "utm_campaign",
    "term": "utm_term",
    "content": "utm_content",
}


def page_of(context: Json, properties: Json | None = None) -> Page | None:
    """The page of a call; what the properties of a page call say comes first. None when nothing is told."""
    shared = context.get("page")
    told = shared if type(shared) is dict else {}
    if properties:
        told = {**told, **{name: properties[name] for name in PAGE_FIELDS if name in properties}}
    campaign = context.get("campaign")
    if not told and not campaign:
        return None
    url = _url(told, campaign)
    referrer = text(told.get("referrer"))
    # RudderStack writes $direct where there is no referrer.
    referrer = "" if referrer == "$direct" else referrer
    title = text(told.get("title"))
    return Page(url=url, referrer=referrer, title=title) if url or referrer or title else None


def _url(told: Json, campaign: Any) -> str:
    """The address with its query and UTM parameters, which some SDKs tell apart from it."""
    url = text(told.get("url")) or text(told.get("path"))
    if "?" not in url and (search := told.get("search")) and text(search).startswith("?"):
        url += text(search)
    if campaign and "utm_" not in url and (parameters := _parameters(record(campaign))):
        url += ("&" if "?" in url else "?") + urlencode(parameters)
    return url


def _parameters(campaign: Json) -> dict[str, str]:
    return {
        _CAMPAIGN[name]: written
        for name, value in campaign.items()
        if name in _CAMPAIGN and (written := text(value))
    }
