"""The log of requests: which route, how it went, how long it took; never the path, query or body.

Paths and queries hold e-mail addresses and keys, so the log names the route's template. An unforeseen error
ends here: it is logged by its place in the code, for its message may quote what a customer sent.
"""

from __future__ import annotations

import logging
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from customer360.api.problems import internal_problem
from customer360.errors import place_of

_log = logging.getLogger("customer360.access")


class AccessLog:
    """Middleware around everything else."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        status = 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:
            _log.error("%s failed: %s", template_of(scope), place_of(error))
            if status:
                raise AnswerCutShort from None
            await internal_problem()(scope, receive, watched)
        finally:
            if _log.isEnabledFor(logging.INFO):
                elapsed_ms = (perf_counter() - started) * 1000
                name = template_of(scope)
                _log.info("%s %s %d %.1f ms", scope["method"], name, status, elapsed_ms)


class AnswerCutShort(RuntimeError):
    """The answer failed halfway; the connection is closed so that nobody takes it for whole."""


def template_of(scope: Scope) -> str:
    """The route's template, for example /api/v1/profiles/{profile_id}.

    FastAPI tells which of its own routes answers; any other is the one that has the endpoint.
    """
    route = scope.get("route")
    endpoint = scope.get("endpoint")
    if route is None and endpoint is not None:
        routes = scope["app"].routes
        route = next((each for each in routes if getattr(each, "endpoint", None) is endpoint), None)
    return str(getattr(route, "path", "(no route)"))
