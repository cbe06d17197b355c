"""The OpenAPI document is exact: whatever may be asked is answered as it says."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from fastapi.routing import APIRoute
from hypothesis import given, strategies
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.openapi import from_asgi
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from customer360.api.document import OPENAPI_PATH
from customer360.api.v1.routes import ENDPOINTS, PREFIX
from tests.api.v1.conftest import Desk, fill
from tests.examples import examples

# Of each address, right and wrong ones.
EXAMPLES = 8
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def document(full_desk: Desk) -> dict[str, Any]:
    found: dict[str, Any] = full_desk.client.get(OPENAPI_PATH).json()
    return found


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_any_request_is_answered_as_the_document_says(desk: Desk, mode: GenerationMode) -> None:
    fill(desk)
    headers = {"Authorization": f"Bearer {desk.house.new_shop.api_key}"}
    somebody = str(desk.house.profile_id("user_id:u1"))
    asked = set()

    for found in from_asgi(OPENAPI_PATH, desk.server).get_all_operations():
        operation = found.ok()

        @examples(EXAMPLES)
        @given(case=operation.as_strategy(generation_mode=mode), known=strategies.booleans())
        def ask(case: Case, known: bool) -> None:
            # An id that was made up finds nothing.
            if known and "profile_id" in case.path_parameters:
                case.path_parameters["profile_id"] = somebody
            case.call_and_validate(headers=headers, checks=CHECKS)

        with suppress(Unsatisfiable):
            # Where nothing can be wrong, nothing wrong can be asked.
            ask()
            asked.add(operation.path)

    assert len(asked) > len(ENDPOINTS) / 2


def test_every_endpoint_is_in_the_document(full_desk: Desk, document: dict[str, Any]) -> None:
    described = {
        (method.upper(), path) for path, methods in document["paths"].items() for method in methods
    }
    routed = {
        (method, route.path)
        for route in full_desk.server.routes
        if isinstance(route, APIRoute)
        for method in route.methods
    }
    assert described == routed == {(each.method, PREFIX + each.path) for each in ENDPOINTS}


def test_every_operation_names_the_key_and_says_what_it_is_for(document: dict[str, Any]) -> None:
    for methods in document["paths"].values():
        for operation in methods.values():
            assert operation["security"] == [{"api_key": []}]
            assert operation["description"].rstrip().endswith(".")
            assert {"200", "401"} <= set(operation["responses"])
            assert all(
                each.get("description") or each["in"] == "path"
                for each in operation.get("parameters", ())
            )


def test_every_shape_is_exact_and_every_reference_leads_somewhere(
    document: dict[str, Any],
) -> None:
    shapes = document["components"]["schemas"]
    for name, shape in shapes.items():
        assert "enum" in shape or shape["additionalProperties"] is False, name
        assert shape["description"], name
    assert set(references(document)) == {f"#/components/schemas/{name}" for name in shapes}


def test_the_attributes_of_a_profile_are_the_catalogue(
    full_desk: Desk, document: dict[str, Any]
) -> None:
    said = document["components"]["schemas"]["Profile"]["properties"]["attributes"]
    names = [item["name"] for item in full_desk.told("/attributes")["items"]]
    assert list(said["properties"]) == said["required"] == names


def references(part: Any) -> list[str]:
    """Everything that a part of the document refers to."""
    if isinstance(part, list):
        return [found for each in part for found in references(each)]
    if not isinstance(part, dict):
        return []
    own = [part["$ref"]] if "$ref" in part else []
    return own + [found for each in part.values() for found in references(each)]
