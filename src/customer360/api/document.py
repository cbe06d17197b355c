"""What the API says of itself to programs: the OpenAPI document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi.openapi.utils import get_openapi
from starlette.routing import BaseRoute

from customer360.api.v1.models import Problem

OPENAPI_PATH = "/api/v1/openapi.json"

_DESCRIPTION = """\
Everything about one shop, for programs. Send the shop's `api_key` as `Authorization: Bearer <api_key>`.

Ids are strings, times are ISO 8601 in UTC, and money is a decimal string beside its `currency`. Lists take `limit` and
`cursor` and answer `{"items", "next_cursor", "total"}`; a cursor is a position, so rows that come or go meanwhile move
nothing. Errors are `application/problem+json` with `type`, `title` and `detail`, and `errors` (`path`, `message`) where
the request was wrong. Unknown parameters are refused.\
"""


# The framework's own shape of a refused request, which is never sent: api/problems.py answers instead.
_NEVER_SENT = ("HTTPValidationError", "ValidationError")


def openapi_document(routes: Sequence[BaseRoute]) -> dict[str, Any]:
    """The document of the routes that have models."""
    document = get_openapi(
        title="Customer 360", version="1", description=_DESCRIPTION, routes=routes
    )
    for operation in _operations(document):
        if "application/json" in operation["responses"].get("422", {}).get("content", {}):
            del operation["responses"]["422"]
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in _NEVER_SENT:
        schemas.pop(name, None)
    problem = Problem.model_json_schema(
        mode="serialization", ref_template="#/components/schemas/{model}"
    )
    schemas |= {**problem.pop("$defs", {}), "Problem": problem}
    return document


def _operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [told for methods in document["paths"].values() for told in methods.values()]
