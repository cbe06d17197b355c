"""What SDKs fetch before they send: where to send to, and that there is nothing else to load."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from customer360.api.senders import Senders, key_of, missing_key
from customer360.settings import Settings


class Configurations:
    """The configuration documents of analytics.js and RudderStack's SDK."""

    def __init__(self, settings: Settings, senders: Senders) -> None:
        self._settings = settings
        self._senders = senders

    async def segment(self, request: Request) -> Response:
        """analytics.js: `GET /v1/projects/{writeKey}/settings`."""
        key = request.path_params["write_key"]
        await self._senders.find(key)
        here = urlsplit(self._settings.public_url or str(request.base_url))
        destination = {
            "apiKey": key,
            "apiHost": f"{here.netloc}{here.path.rstrip('/')}/v1",
            "protocol": here.scheme,
            "unbundledIntegrations": [],
            "addBundledMetadata": True,
            "maybeBundledConfigIds": {},
        }
        plan = {"track": {"__default": {"enabled": True, "integrations": {}}}}
        return _json({"integrations": {"Segment.io": destination}, "plan": plan})

    async def rudderstack(self, request: Request) -> Response:
        """RudderStack's SDK: `GET /sourceConfig/?writeKey=`."""
        key = key_of(request)
        if key is None:
            raise missing_key()
        sender = await self._senders.find(key)
        source = {
            "id": str(sender.shop_id),
            "name": "Customer 360",
            "writeKey": key,
            "enabled": True,
            "config": {
                "statsCollection": {"errors": {"enabled": False}, "metrics": {"enabled": False}}
            },
            "destinations": [],
            "dataplanes": {},
        }
        return _json({"source": source})


def _json(document: dict[str, Any]) -> Response:
    # An SDK asks once a page; a revoked key is noticed within minutes.
    headers = {"Cache-Control": "public, max-age=300"}
    return Response(msgspec.json.encode(document), headers=headers, media_type="application/json")
