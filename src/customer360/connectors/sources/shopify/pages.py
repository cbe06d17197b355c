"""Where on the web did an order or checkout come from?"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from customer360.connectors.sources.payload import Json, records, text
from customer360.events.model import Page

# What shops' themes and apps write into the attributes of a cart: UTM parameters and the click ids of ads.
UTM_PARAMETERS = ("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term")
CLICK_IDS = ("gclid", "gbraid", "wbraid", "fbclid", "ttclid", "msclkid")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def landing_page(body: Json, shop_domain: str) -> Page | None:
    """The page on which the visit began, with the UTM parameters of its URL and of the cart's attributes."""
    url = _with_parameters(
        _absolute(text(body.get("landing_site")), shop_domain), body, shop_domain
    )
    referrer = text(body.get("referring_site"))
    return Page(url=url, referrer=referrer) if url or referrer else None


def _absolute(url: str, shop_domain: str) -> str:
    """Shopify writes the landing page without its host; only web addresses are kept."""
    if not url or url.lower().startswith(("http://", "https://")):
        return url
    if url.startswith("//"):
        return f"https:{url}"
    if _SCHEME.match(url):
        return ""
    path = url if url.startswith(("/", "?")) else f"/{url}"
    return f"https://{shop_domain}{path}" if shop_domain else path


def _with_parameters(url: str, body: Json, shop_domain: str) -> str:
    """The URL with the campaign parameters of `note_attributes` that it lacks itself."""
    attributes = {
        _parameter_name(entry): text(entry.get("value"))
        for entry in records(body.get("note_attributes"))
    }
    told = {
        name: attributes[name] for name in (*UTM_PARAMETERS, *CLICK_IDS) if attributes.get(name)
    }
    if not told:
        return url
    try:
        parts = urlsplit(url or _absolute("/", shop_domain))
    except ValueError:
        return url
    present = {name for name, _ in parse_qsl(parts.query)}
    missing = urlencode({name: value for name, value in told.items() if name not in present})
    query = "&".join(filter(None, (parts.query, missing)))
    return urlunsplit(parts._replace(query=query))


def _parameter_name(attribute: Json) -> str:
    """The name of an attribute as a parameter: "UTM Source" is "utm_source"."""
    return re.sub(r"[\s-]+", "_", text(attribute.get("name")).lower())
