"""Every address of the pages, who may come there, and who answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Scope

from customer360.web import (
    access,
    alerts,
    apart,
    customer,
    customer_file,
    customers,
    dead_letters,
    duplicates,
    find,
    glance,
    imports,
    insights,
    merges,
    overview,
    reorders,
    reports,
    rules,
    saved_views,
    scores,
    segment_builder,
    segment_detail,
    segment_list,
    settings,
    sources,
    stage_flow,
    stage_windows,
)
from customer360.web.door import Door, Handler, Needs

if TYPE_CHECKING:
    from customer360.app import App

_SHOP = "/shops/{shop_id}"
_CUSTOMER = _SHOP + "/customers/{profile_id}"
_SEGMENT = _SHOP + "/segments/{segment_id}"


class Address(NamedTuple):
    """One address: its path, who may come, and who answers a GET and a POST."""

    path: str
    needs: Needs
    get: Handler | None = None
    post: Handler | None = None
    takes_files: bool = False


ADDRESSES: tuple[Address, ...] = (
    Address("/", "user", access.start),
    Address("/sign-in", "nobody", access.sign_in_form, access.sign_in),
    Address("/sign-in/link/{token}", "nobody", access.link_form, access.sign_in_by_link),
    Address("/sign-out", "user", post=access.sign_out),
    Address("/theme", "nobody", post=access.choose_theme),
    Address("/shops", "user", access.shops),
    Address(_SHOP, "shop", access.enter_shop),
    Address(_SHOP + "/overview", "shop", overview.show),
    Address(_SHOP + "/find", "shop", find.show, find.find),
    Address(_SHOP + "/customers", "shop", customers.show),
    Address(_SHOP + "/customers.csv", "shop", customer_file.export),
    Address(_SHOP + "/customers/views", "shop", post=saved_views.save),
    Address(_SHOP + "/customers/views/delete", "shop", post=saved_views.delete),
    Address(_SHOP + "/customers/views/restore", "shop", post=saved_views.restore),
    Address(_CUSTOMER, "shop", customer.show_timeline),
    Address(_CUSTOMER + "/events", "shop", customer.show_events),
    Address(_CUSTOMER + "/orders", "shop", customer.show_orders),
    Address(_CUSTOMER + "/scores", "shop", customer.show_scores),
    Address(_CUSTOMER + "/segments", "shop", customer.show_segments),
    Address(_CUSTOMER + "/identity", "shop", customer.show_identity),
    Address(_CUSTOMER + "/glance", "shop", glance.show),
    Address(_CUSTOMER + "/consents", "shop", customer.show_consents),
    Address(_SHOP + "/duplicates", "shop", duplicates.show),
    Address(_SHOP + "/duplicates/merge", "shop", post=duplicates.merge_chosen),
    Address(_SHOP + "/duplicates/dismiss", "shop", post=duplicates.dismiss_chosen),
    Address(_SHOP + "/duplicates/merges", "shop", merges.show),
    Address(_SHOP + "/duplicates/merges/undo", "shop", post=merges.undo_last),
    Address(_SHOP + "/duplicates/merges/{merge_id}/undo", "shop", post=merges.undo_one),
    Address(_SHOP + "/duplicates/apart", "shop", apart.show),
    Address(_SHOP + "/duplicates/apart/undo", "shop", post=apart.take_back),
    Address(_SHOP + "/duplicates/apart/{decision_id}/merge", "shop", post=apart.merge),
    Address(_SHOP + "/duplicates/alerts", "shop", alerts.show),
    Address(_SHOP + "/duplicates/alerts/{alert_id}/see", "shop", post=alerts.see),
    Address(_SHOP + "/duplicates/{candidate_id}/merge", "shop", post=duplicates.merge_one),
    Address(_SHOP + "/duplicates/{candidate_id}/dismiss", "shop", post=duplicates.dismiss_one),
    Address(_SHOP + "/segments", "shop", segment_list.show),
    Address(_SHOP + "/segments/new", "shop", segment_builder.show_new, segment_builder.change_new),
    Address(_SHOP + "/segments/values", "shop", segment_builder.offer),
    Address(_SHOP + "/segments/restore", "shop", post=segment_list.restore),
    Address(_SEGMENT, "shop", segment_detail.show),
    Address(_SEGMENT + "/export", "shop", segment_detail.show_export),
    Address(_SEGMENT + "/export.csv", "shop", segment_detail.export),
    Address(_SEGMENT + "/duplicate", "shop", post=segment_list.duplicate),
    Address(_SEGMENT + "/delete", "shop", post=segment_list.delete),
    Address(_SEGMENT + "/retry", "shop", post=segment_list.retry),
    Address(_SEGMENT + "/edit", "shop", segment_builder.show_edit, segment_builder.change_edit),
    Address(_SHOP + "/reports/reorders", "shop", reorders.show),
    Address(_SHOP + "/reports/reorders.csv", "shop", reorders.export),
    Address(_SHOP + "/reports/reorders/people", "shop", reorders.show_people),
    Address(_SHOP + "/enrichment/run", "shop", post=scores.compute),
    Address(_SHOP + "/rfm", "shop", insights.show_rfm),
    Address(_SHOP + "/models", "shop", insights.show_models),
    Address(_SHOP + "/reports/stage-flow", "shop", stage_flow.show),
    Address(_SHOP + "/reports/stage-flow.csv", "shop", stage_flow.export),
    Address(_SHOP + "/reports/stage-flow/people", "shop", stage_flow.show_people),
    *(
        Address(f"{_SHOP}/reports/{name}{end}", "shop", handler)
        for name in reports.BY_NAME
        for end, handler in (
            ("", reports.show),
            (".csv", reports.export),
            ("/people", reports.show_people),
        )
    ),
    Address(_SHOP + "/sources", "shop", sources.show),
    Address(_SHOP + "/dead-letters", "shop", dead_letters.show),
    Address(_SHOP + "/dead-letters/replay", "shop", post=dead_letters.replay_chosen),
    Address(_SHOP + "/dead-letters/{dead_letter_id}", "shop", dead_letters.show_one),
    Address(_SHOP + "/imports", "shop", imports.show, imports.upload, takes_files=True),
    Address(_SHOP + "/imports/new/{upload_id}", "shop", imports.show_columns, imports.start),
    Address(_SHOP + "/imports/{import_id}", "shop", imports.show_one),
    Address(_SHOP + "/imports/{import_id}/resume", "shop", post=imports.resume),
    Address(_SHOP + "/imports/{import_id}/rejects.csv", "shop", imports.rejects),
    Address(_SHOP + "/settings", "shop", settings.show_shop, settings.change),
    Address(_SHOP + "/settings/users", "shop", settings.show_users, settings.add_user),
    Address(_SHOP + "/settings/users/{user_id}/remove", "shop", post=settings.remove_user),
    Address(_SHOP + "/settings/keys", "shop", settings.show_keys, settings.make_key),
    Address(_SHOP + "/settings/keys/{key_id}/revoke", "shop", post=settings.end_key),
    Address(_SHOP + "/settings/shopify", "shop", settings.show_shopify, settings.link),
    Address(_SHOP + "/settings/shopify/unlink", "shop", post=settings.unlink),
    Address(_SHOP + "/settings/identity", "shop", rules.show, rules.change),
    Address(_SHOP + "/settings/stages", "shop", stage_windows.show, stage_windows.change),
    Address(_SHOP + "/settings/account", "shop", settings.show_account, settings.change_password),
)


def create_web(app: App) -> list[BaseRoute]:
    """The routes of every page. They come last in the server: what no route knows gets a page that says so.

    Raises HtmxMissing when the build did not put htmx in its place.
    """
    door = Door(app)
    routes: list[BaseRoute] = [
        Route("/static/{version}/{name:path}", door.assets.answer, name="static"),
        Route("/favicon.ico", _favicon(door)),
    ]
    for address in ADDRESSES:
        form_bytes = app.settings.max_upload_bytes if address.takes_files else None
        if address.get is not None:
            routes.append(_route(door, address, address.get, "GET"))
        if address.post is not None:
            routes.append(_route(door, address, address.post, "POST", form_bytes))
    return [*routes, _UnknownPage(door)]


def _route(
    door: Door, address: Address, handler: Handler, method: str, form_bytes: int | None = None
) -> Route:
    return Route(
        address.path,
        door.endpoint(handler, address.needs, form_bytes),
        methods=[method],
        name=f"{handler.__module__.rpartition('.')[2]}.{handler.__name__}",
        include_in_schema=False,
        middleware=[Middleware(GZipMiddleware, minimum_size=1000, compresslevel=6)],
    )


def _favicon(door: Door) -> Callable[[Request], Response]:
    """Browsers ask for it before any page names the icon."""

    def answer(_request: Request) -> Response:
        return Response(status_code=308, headers={"Location": door.assets.url("icon.svg")})

    return answer


class _UnknownPage(Route):
    """Whatever no route knows, asked for by a browser: programs get the API's own answer."""

    def __init__(self, door: Door) -> None:
        async def answer(request: Request) -> Response:
            return await run_in_threadpool(door.failure, request, HTTPException(404))

        super().__init__("/{path:path}", answer, methods=["GET"], include_in_schema=False)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Only for a browser that wants a page."""
        match, found = super().matches(scope)
        accepted = next(
            (value for name, value in scope.get("headers", ()) if name == b"accept"), b""
        )
        return (
            (match, found) if match is Match.FULL and b"text/html" in accepted else (Match.NONE, {})
        )
