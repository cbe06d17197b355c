"""Every address of `/api/v1`, who answers it, and how else it may end."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Literal, NamedTuple

from fastapi import APIRouter, Depends, FastAPI, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.types import Message

from customer360.api.bodies import read_body
from customer360.api.doors import Doors
from customer360.api.v1 import (
    alerts,
    attributes,
    dead_letters,
    duplicates,
    enrichment,
    ingest,
    merges,
    profile,
    profiles,
    reports,
    rules,
    segment_people,
    segments,
    stages,
)
from customer360.api.v1.asked import MergedAway, asked, moved

PREFIX = "/api/v1"
# Questions are short; whatever is longer is none.
_MOST_BODY_BYTES = 64 * 1024
_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_ENDINGS: dict[int, dict[str, Any]] = {
    307: {
        "description": "The profile was merged into another one, which is at Location",
        "headers": {"Location": {"required": True, "schema": {"type": "string"}}},
    },
    400: {"description": "The body is not JSON", "content": _PROBLEM},
    401: {
        "description": "The key is missing or wrong",
        "headers": {"WWW-Authenticate": {"schema": {"type": "string"}}},
        "content": _PROBLEM,
    },
    404: {"description": "The shop has nothing with this id", "content": _PROBLEM},
    409: {
        "description": "This cannot be done as things are; the detail says why",
        "content": _PROBLEM,
    },
    413: {"description": "The body is too large", "content": _PROBLEM},
    422: {"description": "A parameter is wrong or unknown; see errors", "content": _PROBLEM},
    503: {
        "description": "No worker runs, so nobody can answer; start one and ask again",
        "headers": {"Retry-After": {"schema": {"type": "string"}}},
        "content": _PROBLEM,
    },
}
_OF_A_LIST = (422,)
_OF_A_PROFILE = (307, 404)


class Endpoint(NamedTuple):
    """One address; `endings` are the problems it may answer with, besides a wrong key."""

    group: str
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    answer: Callable[..., object]
    endings: tuple[int, ...] = ()
    response: type[Response] = JSONResponse


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("Profiles", "GET", "/profiles", profiles.list_profiles, (404, 422, 503)),
    Endpoint(
        "Profiles", "POST", "/profiles/search", profiles.search_profiles, (400, 404, 413, 422, 503)
    ),
    Endpoint("Profiles", "GET", "/profiles/{profile_id}", profile.get_profile, _OF_A_PROFILE),
    Endpoint(
        "Profiles",
        "GET",
        "/profiles/{profile_id}/events",
        profile.list_event_counts,
        (*_OF_A_PROFILE, *_OF_A_LIST),
    ),
    Endpoint(
        "Profiles",
        "GET",
        "/profiles/{profile_id}/timeline",
        profile.get_timeline,
        (*_OF_A_PROFILE, *_OF_A_LIST),
    ),
    Endpoint(
        "Profiles",
        "GET",
        "/profiles/{profile_id}/orders",
        profile.list_orders,
        (*_OF_A_PROFILE, *_OF_A_LIST),
    ),
    Endpoint(
        "Profiles",
        "GET",
        "/profiles/{profile_id}/merges",
        merges.list_profile_merges,
        (*_OF_A_PROFILE, *_OF_A_LIST),
    ),
    Endpoint(
        "Profiles",
        "GET",
        "/profiles/{profile_id}/evidence",
        merges.list_evidence,
        (*_OF_A_PROFILE, 409, *_OF_A_LIST),
    ),
    Endpoint(
        "Profiles",
        "GET",
        "/profiles/{profile_id}/segments",
        segment_people.list_profile_segments,
        (*_OF_A_PROFILE, *_OF_A_LIST, 503),
    ),
    Endpoint(
        "Profiles",
        "GET",
        "/profiles/{profile_id}/stages",
        stages.list_profile_stages,
        (*_OF_A_PROFILE, *_OF_A_LIST),
    ),
    Endpoint("Segments", "GET", "/segments", segments.list_segments, _OF_A_LIST),
    Endpoint("Segments", "POST", "/segments", segments.create_segment, (400, 409, 413, 422)),
    Endpoint(
        "Segments",
        "POST",
        "/segments/preview",
        segment_people.preview_segment,
        (400, 413, 422, 503),
    ),
    Endpoint("Segments", "GET", "/segments/templates", segments.list_templates, _OF_A_LIST),
    Endpoint("Segments", "GET", "/segments/{segment_id}", segments.get_segment, (404,)),
    Endpoint(
        "Segments",
        "PATCH",
        "/segments/{segment_id}",
        segments.update_segment,
        (400, 404, 409, 413, 422),
    ),
    Endpoint("Segments", "DELETE", "/segments/{segment_id}", segments.delete_segment, (404, 409)),
    Endpoint(
        "Segments",
        "POST",
        "/segments/{segment_id}/duplicate",
        segments.duplicate_segment,
        (404, 409),
    ),
    Endpoint(
        "Segments", "POST", "/segments/{segment_id}/retry", segments.retry_segment, (404, 409)
    ),
    Endpoint(
        "Segments",
        "GET",
        "/segments/{segment_id}/members",
        segment_people.list_members,
        (404, 422, 503),
    ),
    Endpoint(
        "Segments",
        "GET",
        "/segments/{segment_id}/detail",
        segment_people.get_segment_detail,
        (404, 503),
    ),
    Endpoint(
        "Segments",
        "GET",
        "/segments/{segment_id}/changes",
        segments.list_segment_changes,
        (404, 422),
    ),
    Endpoint(
        "Segments",
        "GET",
        "/segments/{segment_id}/export",
        segment_people.export_segment,
        (404, 422, 503),
        segment_people.CsvResponse,
    ),
    *(
        Endpoint("Reports", "GET", f"/reports/{name}", answer, (422, 503))
        for name, answer in reports.ANSWERS.items()
    ),
    Endpoint("Reports", "GET", "/reports/stage-flow", stages.get_stage_flow, (422, 503)),
    Endpoint("Duplicates", "GET", "/duplicates", duplicates.list_duplicates, _OF_A_LIST),
    Endpoint(
        "Duplicates",
        "POST",
        "/duplicates/{candidate_id}/merge",
        duplicates.merge_duplicate,
        (404, 409),
    ),
    Endpoint(
        "Duplicates",
        "POST",
        "/duplicates/{candidate_id}/dismiss",
        duplicates.dismiss_duplicate,
        (404, 409),
    ),
    Endpoint("Duplicates", "GET", "/merges", merges.list_merge_log, _OF_A_LIST),
    Endpoint("Duplicates", "POST", "/merges", merges.merge_profiles, (400, 404, 409, 413, 422)),
    Endpoint(
        "Duplicates",
        "POST",
        "/merges/preview",
        merges.preview_merge,
        (400, 404, 409, 413, 422),
    ),
    Endpoint("Duplicates", "POST", "/merges/{merge_id}/undo", merges.undo_merge, (404, 409)),
    Endpoint("Duplicates", "GET", "/identity/rules", rules.get_rules),
    Endpoint(
        "Duplicates", "GET", "/identity/rules/versions", rules.list_rules_versions, _OF_A_LIST
    ),
    Endpoint("Duplicates", "PUT", "/identity/rules", rules.set_rules, (400, 413, 422)),
    Endpoint("Duplicates", "GET", "/alerts", alerts.list_all_alerts, _OF_A_LIST),
    Endpoint(
        "Duplicates", "POST", "/alerts/{alert_id}/acknowledge", alerts.acknowledge_alert, (404,)
    ),
    Endpoint("Reports", "GET", "/reports/reorders", enrichment.get_reorders),
    Endpoint("Enrichment", "GET", "/enrichment", enrichment.get_enrichment),
    Endpoint("Enrichment", "POST", "/enrichment/run", enrichment.run_enrichment),
    Endpoint("Enrichment", "GET", "/enrichment/windows", stages.get_windows),
    Endpoint("Enrichment", "PUT", "/enrichment/windows", stages.set_windows, (400, 413, 422)),
    Endpoint("Attributes", "GET", "/attributes", attributes.list_attributes, _OF_A_LIST),
    Endpoint("Attributes", "GET", "/events", attributes.list_event_types, _OF_A_LIST),
    Endpoint("Intake", "GET", "/ingest/balance", ingest.get_balance),
    Endpoint("Intake", "GET", "/dead-letters", dead_letters.list_dead_letters, _OF_A_LIST),
    Endpoint(
        "Intake",
        "POST",
        "/dead-letters/{dead_letter_id}/replay",
        dead_letters.replay_dead_letter,
        (404, 409),
    ),
)


class BoundedRoute(APIRoute):
    """A route that never holds more of a body than a question can need."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()
        if self.body_field is None:
            return answer

        async def bounded(request: Request) -> Response:
            body = await read_body(request, _MOST_BODY_BYTES)

            async def receive() -> Message:
                return {"type": "http.request", "body": body, "more_body": False}

            return await answer(Request(request.scope, receive))

        return bounded


def join_v1(api: FastAPI, doors: Doors) -> None:
    """Add every address of `/api/v1` to the server."""
    api.state.doors = doors
    api.add_exception_handler(MergedAway, moved)
    # No endpoint can forget to ask for the key.
    router = APIRouter(prefix=PREFIX, route_class=BoundedRoute, dependencies=[Depends(asked)])
    for endpoint in ENDPOINTS:
        router.add_api_route(
            endpoint.path,
            endpoint.answer,
            methods=[endpoint.method],
            tags=[endpoint.group],
            summary=(endpoint.answer.__doc__ or "").partition("\n\n")[0].partition(". ")[0],
            operation_id=endpoint.answer.__name__,
            response_class=endpoint.response,
            response_description="The answer",
            responses={status: _ENDINGS[status] for status in sorted((401, *endpoint.endings))},
        )
    api.router.routes.extend(router.routes)
