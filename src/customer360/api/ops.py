"""Is it alive, is it ready, and how is it doing?"""

from __future__ import annotations

from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from customer360.api.doors import Doors
from customer360.api.limits import DiskGuard
from customer360.api.metrics import Metrics
from customer360.errors import Customer360Error, Unavailable, place_of
from customer360.storage.metadata import shop_clock


class NotReady(Unavailable):
    """The profile store does not answer."""


def ops_routes(doors: Doors, disk: DiskGuard, metrics: Metrics) -> list[BaseRoute]:
    """Health, readiness and metrics."""

    async def healthz(_request: Request) -> Response:
        return _ok()

    def readyz(_request: Request) -> Response:
        disk.check()
        _answering(doors)
        return _ok()

    def figures(_request: Request) -> Response:
        _answering(doors)
        return Response(metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return [
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/metrics", figures),
    ]


def _answering(doors: Doors) -> None:
    """Raises NotReady unless the profile store answers and has our tables."""
    try:
        with doors.database.read() as connection:
            connection.execute(select(shop_clock.c.shop_id).limit(1)).first()
    except Customer360Error:
        raise
    except Exception as error:
        raise NotReady(f"{NotReady.__doc__} ({place_of(error).partition(' ')[0]})") from error


def _ok() -> Response:
    return Response(
        b'{"status":"ok"}', media_type="application/json", headers={"Cache-Control": "no-store"}
    )
