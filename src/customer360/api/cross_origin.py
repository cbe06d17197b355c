"""Lets any shop's pages send from the browser, without cookies."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Endpoint = Callable[[Request], Awaitable[Response]]

_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    # SDKs wait for as long as this says.
    "Access-Control-Expose-Headers": "Retry-After",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
_SECONDS_OF_A_DAY = "86400"


class AnyOrigin:
    """Middleware of a route: answers the preflight and marks every answer, errors too, as readable."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "OPTIONS":
            await _preflight(Request(scope))(scope, receive, send)
            return

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        await self._app(scope, receive, marked)


def open_route(path: str, endpoint: Endpoint, method: str = "POST") -> Route:
    """A route that pages of any origin may call."""
    middleware = [Middleware(AnyOrigin)]
    return Route(path, endpoint, methods=[method, "OPTIONS"], middleware=middleware)


def _preflight(request: Request) -> Response:
    # A star would not cover Authorization, so what the browser asks for is what it gets.
    wanted = request.headers.get("access-control-request-headers", "Authorization, Content-Type")
    headers = {
        **_HEADERS,
        "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
        "Access-Control-Allow-Headers": wanted,
        "Access-Control-Max-Age": _SECONDS_OF_A_DAY,
        "Vary": "Access-Control-Request-Headers",
    }
    return Response(status_code=204, headers=headers)
