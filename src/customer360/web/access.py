"""Sign-in, sign-out, the choice of a shop and of a theme."""

from __future__ import annotations

from sqlalchemy import select
from starlette.responses import RedirectResponse, Response

from customer360.access.sign_in import (
    TooManyAttempts,
    WrongPassword,
    begin_attempt,
    begin_session,
    end_session,
    forget_attempts,
    link_works,
    use_link,
)
from customer360.access.tables import users
from customer360.access.users import password_matches
from customer360.web.door import Door, Page
from customer360.web.visit import Visit


def start(_door: Door, visit: Visit) -> Page | Response:
    """Where somebody who is signed in begins: their only shop, or the choice among several."""
    if not visit.shops:
        return Page("access/no_shop.html", {})
    if len(visit.shops) == 1:
        return RedirectResponse(f"/shops/{visit.shops[0].shop_id}/overview", 303)
    return RedirectResponse("/shops", 303)


def shops(_door: Door, visit: Visit) -> Page:
    """The shops to choose from."""
    return Page("access/shops.html", {}) if visit.shops else Page("access/no_shop.html", {})


def enter_shop(_door: Door, visit: Visit) -> Response:
    """A shop's address alone leads to its Overview."""
    return RedirectResponse(f"{visit.root}/overview", 303)


def sign_in_form(_door: Door, visit: Visit) -> Page | Response:
    """Asks for address and password; an installation without users says how to make one."""
    next_path = local_path(visit.query.get("next", "/"))
    if visit.session is not None:
        return RedirectResponse(next_path, 303)
    with visit.app.database.read() as connection:
        anybody = connection.execute(select(users.c.user_id).limit(1)).first()
    if anybody is None:
        return Page("access/first_run.html", {})
    return _sign_in_page(next_path)


def sign_in(door: Door, visit: Visit) -> Page | Response:
    """Checks address and password; each try counts before the password is looked at."""
    email = visit.field("email")
    next_path = local_path(visit.field("next"))
    try:
        with visit.app.database.write() as connection:
            attempt = begin_attempt(connection, email, visit.network_address, visit.now)
    except TooManyAttempts as error:
        return _sign_in_page(next_path, email, str(error), 429)
    # Hashing takes long on purpose, so it happens outside the transaction.
    if (
        not password_matches(attempt.password_hash, visit.field("password"))
        or attempt.user_id is None
    ):
        return _sign_in_page(next_path, email, str(WrongPassword()), 401)
    with visit.app.database.write() as connection:
        forget_attempts(connection, email)
    return _signed_in(door, visit, attempt.user_id, next_path)


def link_form(_door: Door, visit: Visit) -> Page:
    """Asks before it signs in: programs that look at links in mails must not use them up."""
    with visit.app.database.read() as connection:
        works = link_works(connection, visit.path_values["token"], visit.now)
    return Page("access/link.html", {"works": works}, 200 if works else 410)


def sign_in_by_link(door: Door, visit: Visit) -> Page | Response:
    """Signs in whom the link was made for, once."""
    with visit.app.database.write() as connection:
        user = use_link(connection, visit.path_values["token"], visit.now)
    return _signed_in(door, visit, user.user_id, "/")


def sign_out(door: Door, visit: Visit) -> Response:
    """Ends this browser's session."""
    with visit.app.database.write() as connection:
        end_session(connection, visit.session_token)
    response = door.redirect("/sign-in", "You are signed out.")
    door.cookies.end_session(response)
    return response


def choose_theme(door: Door, visit: Visit) -> Response:
    """Remembers light, dark or the system's choice in this browser."""
    response = RedirectResponse(local_path(visit.field("next")), 303)
    chosen = visit.field("theme")
    door.cookies.set_theme(response, chosen if chosen in ("light", "dark") else "system")  # type: ignore[arg-type]
    return response


def local_path(text: str) -> str:
    """The path, if it leads to one of our own pages; "/" for anything else."""
    is_ours = text.startswith("/") and not text.startswith("//") and "\\" not in text
    return text if is_ours and text.isprintable() else "/"


def _sign_in_page(next_path: str, email: str = "", error: str = "", status: int = 200) -> Page:
    return Page("access/sign_in.html", {"next": next_path, "email": email, "error": error}, status)


def _signed_in(door: Door, visit: Visit, user_id: int, next_path: str) -> Response:
    """A fresh session, whatever this browser had before."""
    days = visit.app.settings.session_days
    with visit.app.database.write() as connection:
        if visit.session_token:
            end_session(connection, visit.session_token)
        begun = begin_session(connection, user_id, visit.now, days)
    response = RedirectResponse(next_path, 303)
    door.cookies.set_session(response, begun.token, days)
    return response
