"""Joins the addresses for programs into one application."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from starlette.routing import BaseRoute

from customer360.api.access_log import AccessLog
from customer360.api.document import OPENAPI_PATH, openapi_document
from customer360.api.doors import Doors
from customer360.api.intake import IntakeDoor, intake_routes
from customer360.api.limits import DiskGuard
from customer360.api.metrics import Metrics
from customer360.api.ops import ops_routes
from customer360.api.pixel import pixel_routes
from customer360.api.problems import handle_problems
from customer360.api.reference import reference_routes
from customer360.api.senders import Senders
from customer360.api.v1.routes import join_v1
from customer360.api.webhooks import webhook_routes


class Api(FastAPI):
    """The server's type, for those who join it and must not know the framework."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document, made when it is first asked for."""
        if self.openapi_schema is None:
            self.openapi_schema = openapi_document(self.routes)
        return self.openapi_schema


def create_api(doors: Doors, pages: Sequence[BaseRoute] = ()) -> Api:
    """Every address for programs, then the pages; all are logged, and all errors answered, alike."""
    # The framework's own pages load scripts from elsewhere; ours is reference.py.
    api = Api(
        openapi_url=OPENAPI_PATH,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    handle_problems(api)
    api.add_middleware(AccessLog)
    api.router.routes.extend(create_intake_routes(doors))
    join_v1(api, doors)
    api.router.routes.extend(reference_routes(api.openapi))
    api.router.routes.extend(pages)
    return api


def create_intake_routes(doors: Doors) -> list[BaseRoute]:
    """The addresses that take signals in, the pixel, and the state of the installation."""
    settings = doors.settings
    senders = Senders(doors.directory)
    disk = DiskGuard(settings.data_dir, settings.min_free_bytes)
    metrics = Metrics(doors)
    door = IntakeDoor(doors, senders, disk, metrics)
    return [
        *intake_routes(doors, door, senders),
        *webhook_routes(doors, door, disk, metrics),
        *pixel_routes(senders),
        *ops_routes(doors, disk, metrics),
    ]
