"""The API's page for people, made of the OpenAPI document: no script, nothing from elsewhere."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from customer360.api.document import OPENAPI_PATH

DOCS_PATH = "/api/docs"

_STYLE = "reference.css"
Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """A parameter or field: its name, type in words, and meaning."""

    name: str
    type: str
    description: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """One address as the page shows it."""

    anchor: str
    method: str
    path: str
    description: str
    parameters: tuple[Row, ...]
    body: str
    answers: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """A named object and its fields."""

    name: str
    description: str
    fields: tuple[Row, ...]


def reference_routes(document: Callable[[], Schema]) -> list[BaseRoute]:
    """The page; `document` gives the OpenAPI document, which is whole only when every route is there."""

    @lru_cache(maxsize=1)
    def page() -> tuple[str, str]:
        style = files("customer360.api").joinpath("static", _STYLE).read_text()
        return render(document(), style), _policy(style)

    def answer(_request: Request) -> Response:
        content, policy = page()
        headers = {
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
        }
        return Response(content, headers=headers, media_type="text/html")

    return [Route(DOCS_PATH, answer, include_in_schema=False)]


def render(document: Schema, style: str) -> str:
    """The document as a page."""
    environment = Environment(
        loader=PackageLoader("customer360.api"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    shapes = [_shape(name, schema) for name, schema in _objects(document)]
    names = {shape.name for shape in shapes}
    environment.filters.update(prose=_prose, linked=lambda text: _linked(text, names))
    return environment.get_template("reference.html").render(
        title=document["info"]["title"],
        paragraphs=document["info"]["description"].split("\n\n"),
        openapi_path=OPENAPI_PATH,
        groups=_groups(document),
        shapes=shapes,
        style=style,
    )


def _prose(text: str) -> Markup:
    """What stands in backticks, as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def _linked(text: str, shapes: Collection[str]) -> Markup:
    """A type in words, with links to the shapes it names."""

    def link(word: re.Match[str]) -> str:
        return f'<a href="#{word[0]}">{word[0]}</a>' if word[0] in shapes else word[0]

    return Markup(re.sub(r"\w+", link, str(escape(text))))


def _policy(style: str) -> str:
    digest = base64.b64encode(sha256(style.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'"
    )


def _groups(document: Schema) -> dict[str, list[Operation]]:
    groups: dict[str, list[Operation]] = {}
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            operation = _operation(path, method.upper(), told)
            groups.setdefault(told["tags"][0], []).append(operation)
    return groups


def _operation(path: str, method: str, told: Schema) -> Operation:
    body = told.get("requestBody", {}).get("content", {})
    return Operation(
        anchor=told["operationId"],
        method=method,
        path=path,
        description=told["description"],
        parameters=tuple(_parameter(each) for each in told.get("parameters", ())),
        body=next((_type(each["schema"]) for each in body.values()), ""),
        answers=tuple(_answer(status, each) for status, each in told["responses"].items()),
    )


def _parameter(told: Schema) -> Row:
    note = "required" if told["required"] else _default(told["schema"])
    return Row(told["name"], _type(told["schema"]), told.get("description", ""), note)


def _answer(status: str, told: Schema) -> Row:
    shapes = [_type(each["schema"]) for each in told.get("content", {}).values() if each["schema"]]
    return Row(status, ", ".join(shapes), told["description"])


def _objects(document: Schema) -> list[tuple[str, Schema]]:
    schemas: Schema = document["components"]["schemas"]
    return [(name, schema) for name, schema in schemas.items() if "properties" in schema]


def _shape(name: str, schema: Schema) -> Shape:
    fields = schema["properties"].items()
    return Shape(
        name,
        schema.get("description", ""),
        tuple(Row(field, _type(told), told.get("description", "")) for field, told in fields),
    )


def _default(schema: Schema) -> str:
    default = schema.get("default")
    return "" if default in (None, []) else f"{json.dumps(default)} unless told"


def _type(schema: Schema) -> str:
    """A schema in a few words, for example `string (date-time) or null`."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        return " or ".join(json.dumps(each) for each in schema.get("enum", [schema.get("const")]))
    kind = schema.get("type", "any")
    if isinstance(kind, list):
        return " or ".join(_type({**schema, "type": each}) for each in kind)
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return f"{kind} ({schema['format']})" if "format" in schema and kind != "null" else str(kind)
