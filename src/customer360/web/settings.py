"""Settings of a shop: what it is, who works there, its keys, its Shopify shop; and one's own password."""

from __future__ import annotations

from functools import lru_cache
from zoneinfo import available_timezones

import phonenumbers
from sqlalchemy import select
from starlette.responses import Response

from customer360.access.keys import KINDS, KeyKind, issue_key, list_keys, revoke_key
from customer360.access.shopify import link_shopify, shopify_domains, unlink_shopify
from customer360.access.shops import change_shop
from customer360.access.sign_in import begin_session, make_link
from customer360.access.tables import users
from customer360.access.users import (
    ensure_user,
    find_user,
    hash_password,
    join_shop,
    leave_shop,
    members_of,
    password_matches,
    set_password,
)
from customer360.errors import Conflict, InvalidInput
from customer360.intake.balance import last_received
from customer360.settings import secret_key
from customer360.web import formats
from customer360.web.door import Door, Page
from customer360.web.visit import Visit

_KEYS: dict[KeyKind, tuple[str, str]] = {
    "pixel": ("Pixel key", "Public: sends from browsers, and may stand in every page"),
    "write": ("Write key", "Secret: sends from servers and is fully trusted"),
    "api": ("API key", "Secret: reads profiles over the API"),
    "webhook": ("Webhook secret", "Secret: for the webhook addresses of providers"),
}
_TABS = (
    ("Shop", ""),
    ("Users", "/users"),
    ("Keys", "/keys"),
    ("Shopify", "/shopify"),
    ("Identity", "/identity"),
    ("Stages and scores", "/stages"),
    ("Your account", "/account"),
)


def show_shop(_door: Door, visit: Visit) -> Page:
    """Name, currency, time zone and country."""
    return _shop_page(
        visit,
        {name: getattr(visit.shop, name) for name in ("name", "currency", "timezone", "country")},
    )


def change(door: Door, visit: Visit) -> Page | Response:
    """Saves them; the currency is fixed once there are amounts in it."""
    asked = {name: visit.field(name) for name in ("name", "currency", "timezone", "country")}
    try:
        with visit.app.database.write() as connection:
            # Sums are kept in this currency; another one would make them all wrong.
            fixed = bool(last_received(connection, visit.shop.shop_id))
            change_shop(
                connection,
                visit.shop.shop_id,
                name=asked["name"],
                currency=None if fixed else asked["currency"],
                timezone=asked["timezone"],
                country=asked["country"],
            )
    except InvalidInput as error:
        return _shop_page(visit, asked, error)
    visit.app.directory.forget()
    return door.redirect(f"{visit.root}/settings", "Saved.")


def show_users(_door: Door, visit: Visit) -> Page:
    """Who works for the shop."""
    return _users_page(visit)


def add_user(_door: Door, visit: Visit) -> Page:
    """Lets somebody work for the shop; whoever is new here gets a sign-in link, shown this once.

    A link signs in as its user, in every shop of theirs: nobody gets one for an account that was there before.
    """
    try:
        with visit.app.database.write() as connection:
            known = find_user(connection, visit.field("email"))
            user = known or ensure_user(connection, visit.field("email"), visit.now)
            join_shop(connection, user.user_id, visit.shop.shop_id, "owner", visit.now)
            token = None if known else make_link(connection, user.user_id, visit.now)
    except InvalidInput as error:
        return _users_page(visit, error=str(error), email=visit.field("email"))
    link = f"{visit.app.settings.resolved_public_url}/sign-in/link/{token}" if token else ""
    return _users_page(visit, added=user.email, link=link)


def remove_user(door: Door, visit: Visit) -> Response:
    """Takes somebody's work for the shop away, at once."""
    try:
        with visit.app.database.write() as connection:
            leave_shop(connection, visit.id_of("user_id"), visit.shop)
    except Conflict as error:
        return door.redirect(f"{visit.root}/settings/users", str(error), bad=True)
    if visit.id_of("user_id") == visit.user_id:
        return door.redirect("/", f"You no longer work for {visit.shop.name}.")
    return door.redirect(f"{visit.root}/settings/users", "Removed.")


def show_keys(_door: Door, visit: Visit) -> Page:
    """The shop's keys; secret ones by their last characters."""
    return _keys_page(visit)


def make_key(_door: Door, visit: Visit) -> Page:
    """A new key, shown in full this once."""
    kind = next((known for known in KINDS if known == visit.field("kind")), None)
    if kind is None:
        raise InvalidInput("Choose which kind of key to make.", "kind")
    with visit.app.database.write() as connection:
        key = issue_key(connection, visit.shop.shop_id, kind, visit.now)
    return _keys_page(visit, made=key, made_kind=kind)


def end_key(door: Door, visit: Visit) -> Response:
    """Revokes a key; whatever still uses it is refused within seconds."""
    with visit.app.database.write() as connection:
        revoke_key(connection, visit.shop.shop_id, visit.id_of("key_id"), visit.now)
    visit.app.directory.forget()
    return door.redirect(f"{visit.root}/settings/keys", "The key is revoked.")


def show_shopify(_door: Door, visit: Visit) -> Page:
    """Which Shopify shop sends its webhooks here."""
    return _shopify_page(visit)


def link(door: Door, visit: Visit) -> Page | Response:
    """Takes webhooks of a Shopify shop, signed with its app's secret."""
    settings = visit.app.settings
    try:
        with visit.app.database.write() as connection:
            link_shopify(
                connection,
                visit.shop.shop_id,
                domain=visit.field("domain"),
                secret=visit.field("secret"),
                secret_key=secret_key(settings),
                now=visit.now,
            )
    except (InvalidInput, Conflict) as error:
        return _shopify_page(visit, error, visit.field("domain"))
    visit.app.directory.forget()
    return door.redirect(
        f"{visit.root}/settings/shopify", "Linked. Webhooks of this shop are taken from now on."
    )


def unlink(door: Door, visit: Visit) -> Response:
    """Takes no more webhooks of a Shopify shop."""
    with visit.app.database.write() as connection:
        unlink_shopify(connection, visit.shop.shop_id, visit.field("domain"))
    visit.app.directory.forget()
    return door.redirect(
        f"{visit.root}/settings/shopify", "Unlinked. Its webhooks are refused from now on."
    )


def show_account(_door: Door, visit: Visit) -> Page:
    """One's own password."""
    return _account_page(visit)


def change_password(door: Door, visit: Visit) -> Page | Response:
    """Sets the password; every other browser is signed out."""
    if visit.session is None:
        raise Conflict
    user = visit.session.user
    if user.has_password and not _knows_password(visit):
        return _account_page(visit, "This is not your present password.", "present")
    try:
        password_hash = hash_password(visit.field("password"))
    except InvalidInput as error:
        return _account_page(visit, str(error), "password")
    days = visit.app.settings.session_days
    with visit.app.database.write() as connection:
        set_password(connection, user.user_id, password_hash)
        begun = begin_session(connection, user.user_id, visit.now, days)
    response = door.redirect(
        f"{visit.root}/settings/account", "Your password is set. Other browsers are signed out."
    )
    door.cookies.set_session(response, begun.token, days)
    return response


def _knows_password(visit: Visit) -> bool:
    with visit.app.database.read() as connection:
        query = select(users.c.password_hash).where(users.c.user_id == visit.user_id)
        password_hash = connection.execute(query).scalar_one_or_none()
    return password_matches(password_hash, visit.field("present"))


def settings_page(template: str, visit: Visit, status: int = 200, **values: object) -> Page:
    """A page with the tabs of all settings."""
    root = f"{visit.root}/settings"
    parts = visit.path.removeprefix(root).split("/")
    here = "/" + parts[1] if len(parts) > 1 else ""
    tabs = [(label, root + path, path == here) for label, path in _TABS]
    return Page(template, {"tabs": tabs, "root": root} | values, status)


def _shop_page(visit: Visit, values: dict[str, str], error: InvalidInput | None = None) -> Page:
    with visit.app.database.read() as connection:
        fixed = bool(last_received(connection, visit.shop.shop_id))
    return settings_page(
        "settings/shop.html",
        visit,
        422 if error else 200,
        values=values,
        error=str(error) if error else "",
        error_field=error.path if error else "",
        currency_fixed=fixed,
        timezones=_timezones(),
        countries=_countries(),
    )


def _users_page(
    visit: Visit, *, added: str = "", link: str = "", email: str = "", error: str = ""
) -> Page:
    with visit.app.database.read() as connection:
        members = members_of(connection, visit.shop)
    return settings_page(
        "settings/users.html",
        visit,
        422 if error else 200,
        members=members,
        added=added,
        link=link,
        email=email,
        error=error,
    )


def _keys_page(visit: Visit, *, made: str = "", made_kind: KeyKind | None = None) -> Page:
    with visit.app.database.read() as connection:
        keys = list_keys(connection, visit.shop.shop_id)
    keys.sort(key=lambda key: (key.revoked_at is not None, KINDS.index(key.kind), key.key_id))
    return settings_page(
        "settings/keys.html",
        visit,
        keys=keys,
        kinds=_KEYS,
        made=made,
        made_label=_KEYS[made_kind][0] if made_kind else "",
        public_url=visit.app.settings.resolved_public_url,
        pixel_key=next(
            (key.readable for key in reversed(keys) if key.readable and key.revoked_at is None),
            None,
        ),
    )


def _shopify_page(
    visit: Visit, error: InvalidInput | Conflict | None = None, domain: str = ""
) -> Page:
    with visit.app.database.read() as connection:
        domains = shopify_domains(connection, visit.shop.shop_id)
    return settings_page(
        "settings/shopify.html",
        visit,
        422 if error else 200,
        domains=domains,
        error=str(error) if error else "",
        domain=domain,
        public_url=visit.app.settings.resolved_public_url,
    )


def _account_page(visit: Visit, error: str = "", error_field: str = "") -> Page:
    return settings_page(
        "settings/account.html", visit, 422 if error else 200, error=error, error_field=error_field
    )


@lru_cache(maxsize=1)
def _timezones() -> list[str]:
    """Those with a place in their name; the others are old spellings and offsets."""
    return sorted(
        {
            "UTC",
            *(
                name
                for name in available_timezones()
                if "/" in name and not name.startswith("Etc/")
            ),
        }
    )


@lru_cache(maxsize=1)
def _countries() -> list[tuple[str, str]]:
    named = ((code, formats.country(code)) for code in phonenumbers.SUPPORTED_REGIONS)
    return sorted(named, key=lambda pair: pair[1])
