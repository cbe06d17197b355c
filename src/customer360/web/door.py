"""The one way to a page: who asks, may they, was the form ours; then the handler; then headers and errors.

Handlers are plain functions from a `Visit` to a response. What they must not forget is not theirs to remember.
"""

from __future__ import annotations

import logging
import secrets
import shutil
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, NamedTuple
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import Message

from customer360.access.sign_in import find_session
from customer360.access.users import shops_of
from customer360.errors import (
    Customer360Error,
    DiskNearlyFull,
    Forbidden,
    PayloadTooLarge,
    ShopNotFound,
    Unauthenticated,
    place_of,
)
from customer360.settings import secret_key
from customer360.values import parse_id
from customer360.web import csrf, formats
from customer360.web.assets import Assets
from customer360.web.cookies import Cookies
from customer360.web.failures import failure_of
from customer360.web.render import Renderer
from customer360.web.uploads import Uploads
from customer360.web.visit import Keeps, Toast, Undoes, Visit

if TYPE_CHECKING:
    from customer360.app import App

_log = logging.getLogger(__name__)

Needs = Literal["nobody", "user", "shop"]
"""Who may come: anybody, anybody signed in, or whoever works for the shop in the address."""

# A form holds a few fields, and the largest is a list of ids.
_FORM_BYTES = 1024**2
_MOST_FIELDS = 2000

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # Not "no-referrer": browsers would then send "Origin: null" with our own forms.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class SignInFirst(Unauthenticated):
    """Sign in to see this page."""


class ForeignForm(Forbidden):
    """This form is too old or did not come from this page; reload the page and try again."""


class Page(NamedTuple):
    """What handlers answer with: a template and its values."""

    template: str
    values: dict[str, object]
    status: int = 200
    headers: dict[str, str] | None = None


Handler = Callable[["Door", Visit], "Page | Response"]


class Door:
    """What every page shares: the app behind it, the templates, the static files and the cookies."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.assets = Assets()
        self.cookies = Cookies(
            secret_key(app.settings), secure=app.settings.resolved_public_url.startswith("https:")
        )
        self.uploads = Uploads(app)
        self._renderer = Renderer(self.assets)

    def endpoint(
        self, handler: Handler, needs: Needs, form_bytes: int | None = None
    ) -> Callable[[Request], Awaitable[Response]]:
        """The handler as the web framework calls it; only reading the body is asynchronous."""

        async def endpoint(request: Request) -> Response:
            try:
                # Who may not come need not send anything either.
                visit = await run_in_threadpool(self._visit, request, needs)
                if request.method != "POST":
                    return await run_in_threadpool(self._answer, request, handler, visit)
                self._check_origin(request)
                if form_bytes:
                    self._check_space(request)
                async with _limited(request, form_bytes or _FORM_BYTES).form(
                    max_files=1, max_fields=_MOST_FIELDS, max_part_size=_FORM_BYTES
                ) as form:
                    visit = replace(visit, form=form)
                    return await run_in_threadpool(self._answer_form, request, handler, visit)
            except (Customer360Error, HTTPException, ClientDisconnect) as error:
                return await run_in_threadpool(self.failure, request, error)

        return endpoint

    def redirect(
        self,
        url: str,
        toast: str = "",
        *,
        bad: bool = False,
        undo: Sequence[int] = (),
        undoes: Undoes = "merge",
        kept: str = "",
        keeps: Keeps = "segment",
    ) -> Response:
        """Go on to another page after a form, and tell there what happened.

        undo: what the toast may take back. kept: what was deleted, that it may make again.
        """
        response = RedirectResponse(url, 303)
        if toast:
            kind: Literal["good", "bad"] = "bad" if bad else "good"
            self.cookies.set_toast(
                response,
                Toast(
                    text=toast, kind=kind, undo=tuple(undo), undoes=undoes, kept=kept, keeps=keeps
                ),
            )
        return response

    def failure(self, request: Request, error: Exception) -> Response:
        """The page of an error; it never shows a traceback or anything of another shop."""
        visit = self._visit_for_failure(request)
        if isinstance(error, SignInFirst):
            return self._to_sign_in(request, visit)
        told = failure_of(error)
        if told.status >= 500:
            _log.error("A page failed: %s", place_of(error))
        page = Page("errors/error.html", {"failure": told}, told.status)
        response = self._finish(request, visit, page)
        if told.retry_after_seconds:
            response.headers["Retry-After"] = str(told.retry_after_seconds)
        return response

    def _answer_form(self, request: Request, handler: Handler, visit: Visit) -> Response:
        if not csrf.token_matches(visit.csrf_secret, _token(request, visit.form)):
            return self.failure(request, ForeignForm())
        return self._answer(request, handler, visit)

    def _answer(self, request: Request, handler: Handler, visit: Visit) -> Response:
        try:
            with formats.as_in(visit.here.country if visit.here else ""):
                return self._finish(request, visit, handler(self, visit))
        except Exception as error:
            return self.failure(request, error)

    def _visit(self, request: Request, needs: Needs) -> Visit:
        """Who asks and for what; raises SignInFirst, and ShopNotFound for a shop that is none of theirs."""
        now = self.app.clock.now()
        token = self.cookies.session(request.cookies)
        with self.app.database.read() as connection:
            session = find_session(connection, token, now) if token else None
            shops = tuple(shops_of(connection, session.user.user_id)) if session else ()
        if session is None and needs != "nobody":
            raise SignInFirst
        wanted = _shop_id(request.url.path)
        here = next((shop for shop in shops if shop.shop_id == wanted), None)
        if here is None and needs == "shop":
            raise ShopNotFound("There is no such shop, or you do not work for it.")
        return Visit(
            app=self.app,
            now=now,
            path=request.url.path,
            path_values=request.path_params,
            query=request.query_params,
            network_address=request.client.host if request.client else "",
            session=session,
            session_token=token,
            here=here,
            shops=shops,
            csrf_secret=session.csrf_token if session else self._guest(request),
            theme=self.cookies.theme(request.cookies),
            toast=self.cookies.toast(request.cookies),
            by_htmx=request.headers.get("hx-request") == "true",
        )

    def _guest(self, request: Request) -> str:
        """The mark that a form of somebody not signed in is bound to, the same for the whole request."""
        if not hasattr(request.state, "guest"):
            request.state.guest = self.cookies.guest(request.cookies) or secrets.token_urlsafe(24)
        return str(request.state.guest)

    def _visit_for_failure(self, request: Request) -> Visit:
        try:
            return self._visit(request, "nobody")
        except Exception as error:
            # The database itself may be what failed; the page must still come.
            _log.error("An error page had to do without its visitor: %s", place_of(error))
            return Visit(app=self.app, now=self.app.clock.now(), path=request.url.path)

    def _finish(self, request: Request, visit: Visit, answer: Page | Response) -> Response:
        response = answer if isinstance(answer, Response) else self._html(visit, answer)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        if visit.session is None and not self.cookies.guest(request.cookies) and visit.csrf_secret:
            self.cookies.set_guest(response, visit.csrf_secret)
        if visit.toast is not None and not isinstance(answer, Response):
            self.cookies.end_toast(response)
        return response

    def _html(self, visit: Visit, page: Page) -> Response:
        return HTMLResponse(
            self._renderer.page(visit, page.template, **page.values), page.status, page.headers
        )

    def _to_sign_in(self, request: Request, visit: Visit) -> Response:
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        url = (
            "/sign-in"
            if request.method != "GET" or wanted == "/"
            else f"/sign-in?next={quote(wanted)}"
        )
        # htmx would follow a redirect itself and put the whole page where a part of it belongs.
        by_htmx = Response(headers={"HX-Redirect": "/sign-in"})
        return self._finish(
            request, visit, by_htmx if visit.by_htmx else RedirectResponse(url, 303)
        )

    def _check_space(self, request: Request) -> None:
        """A file is written down twice, first as it arrives."""
        settings = self.app.settings
        free_bytes = shutil.disk_usage(settings.data_dir).free - 2 * _announced_bytes(request)
        if free_bytes < settings.min_free_bytes:
            raise DiskNearlyFull

    def _check_origin(self, request: Request) -> None:
        headers = request.headers
        if not csrf.same_origin(
            headers.get("origin"),
            headers.get("sec-fetch-site"),
            headers.get("host", ""),
            self.app.settings.resolved_public_url,
        ):
            raise ForeignForm


def _announced_bytes(request: Request) -> int:
    """How long the body will be, as far as the request says; raises PayloadTooLarge for what is no length."""
    announced = request.headers.get("content-length", "0")
    if not (announced.isascii() and announced.isdigit()):
        raise PayloadTooLarge("This says no length that can be.")
    return int(announced)


def _shop_id(path: str) -> int | None:
    """The shop that an address is about, also one that leads nowhere."""
    parts = path.split("/")
    return parse_id(parts[2]) if len(parts) > 2 and parts[1] == "shops" else None


def _token(request: Request, form: FormData) -> str:
    value = request.headers.get(csrf.HEADER) or form.get(csrf.FIELD)
    return value if isinstance(value, str) else ""


def _limited(request: Request, most_bytes: int) -> Request:
    """The same request, whose body may be no longer than this."""
    if _announced_bytes(request) > most_bytes:
        raise PayloadTooLarge("This is larger than the page takes.")
    taken = 0

    async def receive() -> Message:
        nonlocal taken
        message = await request.receive()
        taken += len(message.get("body", b""))
        if taken > most_bytes:
            raise PayloadTooLarge("This is larger than the page takes.")
        return message

    return Request(request.scope, receive)
