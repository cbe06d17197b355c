"""The server: every door on one address."""

from __future__ import annotations

from customer360.api.create import Api, create_api
from customer360.app import App
from customer360.web import create_web


def create_server(app: App) -> Api:
    """The ASGI application behind `c360 serve`."""
    return create_api(app, create_web(app))
