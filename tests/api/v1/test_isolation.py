"""Nothing of one shop is reachable with another's key, page or id: every route of the server is walked.

A route that no rule below covers fails the walk, so a new one cannot be forgotten.
"""

from __future__ import annotations

import base64
import hmac
import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from starlette.routing import BaseRoute, Route

from customer360.access.keys import list_keys
from customer360.access.shopify import link_shopify
from customer360.access.sign_in import begin_session
from customer360.access.users import ensure_user, join_shop
from customer360.api.intake import BATCH_PATHS, SINGLE_PATHS
from customer360.identities.apart import list_apart
from customer360.intake.files.jobs import load_import
from customer360.reports import REPORTS
from customer360.settings import secret_key
from customer360.storage.metadata import metadata
from tests.api.v1.conftest import Desk, fill, identify, known_by_many, view

PERSONAL = (
    "ann@x.example",
    "bob@y.example",
    "Byrne",
    "Carr",
    "871234567",
    "087 123",
    "Quay",
    "SPRING",
)
DOMAIN, OTHER_DOMAIN = "here.myshopify.com", "elsewhere.myshopify.com"


@dataclass
class Walk:
    """The neighbour, who tries every door of the shop with keys, a session and domains of their own."""

    desk: Desk
    ids: dict[str, str]
    session: str
    own_session: str
    leaks: list[str] = field(default_factory=list)

    @property
    def shop_id(self) -> str:
        return str(self.desk.house.shop.shop_id)

    @property
    def other_id(self) -> str:
        return str(self.desk.neighbour.shop.shop_id)

    def path(self, template: str, **instead: str) -> str:
        """The address of something of the shop; fails for an id that the walk has none of."""
        ids = self.ids | instead
        return re.sub(r"{(\w+)(:path)?}", lambda name: ids[name[1]], template)

    def post(self, path: str, session: str, form: dict[str, str], **options: Any) -> httpx.Response:
        """The answer to a form that carries its token."""
        headers = {"Accept": "text/html", "Cookie": session}
        shop_id = self.shop_id if session == self.own_session else self.other_id
        page = self.desk.client.get(f"/shops/{shop_id}/settings", headers=headers).text
        found = re.search(r'name="csrf" value="([^"]+)"', page)
        data = {"csrf": found[1] if found else "", **form}
        return self.desk.client.post(path, data=data, headers=headers, **options)

    def visit(self, method: str, path: str) -> httpx.Response:
        """What the signed-in neighbour gets to see."""
        if method == "POST":
            return self.post(path, self.session, {})
        headers = {"Accept": "text/html", "Cookie": self.session}
        return self.desk.client.request(method, path, params=asked_of(path), headers=headers)

    def expect(self, answer: httpx.Response, *statuses: int, where: str, ids: bool = False) -> None:
        """Note a wrong status, and anything of the shop in the answer; `ids` too where none was sent."""
        keys = self.desk.house.new_shop
        secrets = (keys.api_key, keys.write_key, keys.webhook_secret, keys.pixel_key)
        marks = (*PERSONAL, *secrets, *(self.ids.values() if ids else ()))
        if answer.status_code not in statuses:
            self.leaks.append(f"{where}: {answer.status_code}, not {statuses}: {answer.text[:200]}")
        self.leaks += [f"{where} tells {mark}" for mark in marks if mark in answer.text]


Rule = Callable[[Walk, str, str], None]


def for_everybody(walk: Walk, method: str, path: str) -> None:
    """The same for everybody, without any shop's data."""
    where = walk.path(path, version="1", name="css/tokens.css", path="nothing")
    answer = walk.desk.client.request(method, where, headers={"Accept": "text/html"})
    walk.expect(answer, 200, 308, 404, where=f"{method} {path}", ids=True)


def sends(walk: Walk, method: str, path: str) -> None:
    """Takes signals for the shop whose key it is, whatever they say; the api_key sends nothing."""
    if method == "OPTIONS":
        walk.expect(walk.desk.client.request(method, path), 204, where=path, ids=True)
        return
    body = {
        "type": "identify",
        "userId": "u1",
        "writeKey": walk.desk.neighbour.write_key,
        "shopId": walk.shop_id,
        "traits": {"email": "thief@elsewhere.example", "shop_id": walk.shop_id},
    }
    if path in BATCH_PATHS:
        body = {"batch": [body], "writeKey": walk.desk.neighbour.write_key}
    for kind, status in (("write_key", 200), ("pixel_key", 200), ("api_key", 401)):
        key = getattr(walk.desk.neighbour, kind)
        headers = {"X-Write-Key": key, "X-Shop-Id": walk.shop_id}
        answer = walk.desk.client.request(method, path, json=body, headers=headers)
        walk.expect(answer, status, where=f"{path} with the neighbour's {kind}", ids=True)


def configures(walk: Walk, method: str, path: str) -> None:
    """Tells an SDK what its own key may know; without a good key, nothing."""
    if method == "OPTIONS":
        return
    for key, status in ((walk.desk.neighbour.pixel_key, 200), (walk.desk.neighbour.api_key, None)):
        where = walk.path(path, write_key=key)
        answer = walk.desk.client.get(where, params={"writeKey": key, "k": key})
        walk.expect(answer, *((status,) if status else (401, 404)), where=where, ids=True)


def signed(walk: Walk, method: str, path: str) -> None:
    """Takes what the shop of the domain has signed: the neighbour's signature is worth nothing here."""
    body = json.dumps({"id": 7, "email": "thief@elsewhere.example"}).encode()
    digest = hmac.new(b"the neighbour's secret", body, sha256).digest()
    headers = {
        "X-Shopify-Hmac-Sha256": base64.b64encode(digest).decode(),
        "X-Shopify-Topic": "customers/create",
        "X-Shopify-Webhook-Id": "w1",
    }
    for domain, status in ((DOMAIN, 401), (OTHER_DOMAIN, 200)):
        answer = walk.desk.client.request(
            method, path, content=body, headers={**headers, "X-Shopify-Shop-Domain": domain}
        )
        walk.expect(answer, status, where=f"{path} for {domain}", ids=True)


BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "/profiles/search"): {"q": "ann"},
    ("PUT", "/identity/rules"): {},
    ("PUT", "/enrichment/windows"): {},
    ("POST", "/segments"): {"name": "Everybody", "query": ""},
    ("POST", "/segments/preview"): {"query": ""},
    ("PATCH", "/segments/{segment_id}"): {"name": "Taken over"},
}
"""What is sent to an address, where it wants something."""


ASKED = {
    "/stage-flow/people": {"was": "new", "became": "new"},
    "/reorders/people": {"product": "7", "week": "0"},
    **{
        f"/reports/{report.name}/people": {
            "of": next(column.name for column in report.columns if column.who is not None)
        }
        for report in REPORTS
    },
}
"""Whom pages of people are about."""


def asked_of(path: str) -> dict[str, str]:
    """The parameters that an address needs to answer at all."""
    if path == "/api/v1/profiles":
        return {"identifier": "email:ann@x.example"}
    if path.endswith("/export"):
        return {"format": "csv"}
    return next((asked for end, asked in ASKED.items() if path.endswith(end)), {})


def answers(walk: Walk, method: str, path: str) -> None:
    """Answers with the key's own shop: of the other's ids it knows none."""
    where = walk.path(path)
    key = walk.desk.neighbour.api_key
    relative = where.removeprefix("/api/v1")
    named = "{" in path
    names_two = relative.startswith("/merges") and method == "POST" and not named
    two = {"profile_ids": [walk.ids["profile_id"], walk.ids["second_id"]]}
    body = two if names_two else BODIES.get((method, path.removeprefix("/api/v1")))
    answer = walk.desk.ask(relative, key=key, method=method, params=asked_of(path), json=body)
    foreign = named or names_two
    walk.expect(answer, 404 if foreign else 200, where=f"{method} {path}", ids=not foreign)


NAMED_IN_FORMS = {
    f"/shops/{{shop_id}}/{path}": named
    for path, named in (
        ("duplicates/merge", ("id", "candidate_id")),
        ("duplicates/dismiss", ("id", "candidate_id")),
        ("duplicates/merges/undo", ("merge", "merge_id")),
        ("duplicates/apart/undo", ("decision", "decision_id")),
        ("dead-letters/replay", ("id", "dead_letter_id")),
    )
}
"""Forms that name something of a shop in a field: which field, and what."""
NAMING_NOTHING = {
    f"/shops/{{shop_id}}/{path}"
    for path in (
        *("imports", "settings", "settings/users", "settings/keys", "settings/shopify"),
        # Forms that tell a rule; what it names of a shop is looked for in this one alone.
        *("segments/new", "segments/restore"),
        # Words to look for, and a person's own views by their names.
        *("find", "customers/views", "customers/views/delete", "customers/views/restore"),
        "enrichment/run",
    )
} | {
    f"/shops/{{shop_id}}/settings/{path}"
    for path in ("shopify/unlink", "identity", "stages", "account")
}


def names(walk: Walk, path: str) -> None:
    """Takes a form of the neighbour's own shop, which knows nothing of what it names."""
    field, of = NAMED_IN_FORMS[path]
    form = {field: walk.ids[of]}
    answer = walk.post(walk.path(path, shop_id=walk.other_id), walk.session, form)
    walk.expect(answer, 404, where=f"{path} with {of}")


def shows(walk: Walk, method: str, path: str) -> None:
    """Shows a page of a shop to those who work there."""
    if method == "POST" and path in NAMED_IN_FORMS:
        names(walk, path)
    elif method == "POST" and path.count("{") == 1 and path not in NAMING_NOTHING:
        walk.leaks.append(f"{path} has no rule here: say what its form names")
    for shop_id in (walk.shop_id, walk.other_id):
        foreign = shop_id == walk.shop_id or path.count("{") > 1
        where = walk.path(path, shop_id=shop_id)
        answer = walk.visit(method, where)
        expected = (404,) if foreign else (200, 303, 400, 413, 422)
        walk.expect(answer, *expected, where=f"{method} {where}", ids=not foreign)


def greets(walk: Walk, method: str, path: str) -> None:
    """A page about whoever is signed in, in no shop."""
    where = walk.path(path, token="nothing")
    answer = walk.visit(method, where)
    walk.expect(answer, 200, 303, 401, 404, 410, 422, where=f"{method} {path}", ids=True)


FIXED: dict[str, Rule] = {
    **dict.fromkeys(("/healthz", "/readyz", "/metrics"), for_everybody),
    **dict.fromkeys(("/api/docs", "/api/v1/openapi.json"), for_everybody),
    **dict.fromkeys(
        ("/favicon.ico", "/static/{version}/{name:path}", "/{path:path}"), for_everybody
    ),
    **dict.fromkeys((*BATCH_PATHS, *SINGLE_PATHS, "/v1/shopify_pixel"), sends),
    **dict.fromkeys(("/sourceConfig", "/sourceConfig/", "/pixel.js"), configures),
    "/v1/projects/{write_key}/settings": configures,
    "/webhooks/shopify": signed,
    **dict.fromkeys(("/", "/sign-in", "/sign-in/link/{token}", "/theme", "/shops"), greets),
    # Last: it ends the neighbour's session.
    "/sign-out": greets,
}
BY_PREFIX: tuple[tuple[str, Rule], ...] = (("/api/v1/", answers), ("/shops/{shop_id}", shows))


def rule_of(path: str) -> Rule | None:
    """What must hold of a route; None when nobody has thought of it."""
    if path in FIXED:
        return FIXED[path]
    return next((rule for prefix, rule in BY_PREFIX if path.startswith(prefix)), None)


def doors(routes: list[BaseRoute]) -> Iterator[tuple[str, str]]:
    """Every method and path; a route of another kind would need a rule of its own."""
    for route in routes:
        assert isinstance(route, Route) or hasattr(route, "methods"), f"{route!r} is not walked"
        for method in sorted(getattr(route, "methods", None) or ["GET"]):
            if method != "HEAD":
                yield method, route.path  # type: ignore[attr-defined]


@pytest.fixture
def walk(quick_desk: Desk) -> Walk:
    """A filled shop, and its neighbour with a session, linked domains and nothing else."""
    fill(quick_desk)
    house, neighbour = quick_desk.house, quick_desk.neighbour.shop
    # Eve signs in on the visitor's device, so both are one, and with Bob's address, so maybe he is too.
    house.segment(
        view("visitor-1", 50, userId="u3"),
        identify("u3", 55, email="bob@y.example"),
        *known_by_many("till"),
        identify("u4", 70),
        identify("u5", 71),
    )
    house.drain()
    merged = [str(house.profile_id(f"user_id:{user}")) for user in ("u4", "u5")]
    merge_id = quick_desk.told("/merges", method="POST", json={"profile_ids": merged})["merge_id"]
    quick_desk.told(f"/merges/{merge_id}/undo", method="POST")
    now = house.clock.now()
    with house.app.database.write() as connection:
        cookies = []
        for email, shop in (("bob@elsewhere.example", neighbour), ("ann@here.example", house.shop)):
            user = ensure_user(connection, email, now)
            join_shop(connection, user.user_id, shop.shop_id, "owner", now)
            cookies.append(f"c360_session={begin_session(connection, user.user_id, now, 30).token}")
        for shop_id, domain, secret in (
            (house.shop.shop_id, DOMAIN, "our secret"),
            (neighbour.shop_id, OTHER_DOMAIN, "the neighbour's secret"),
        ):
            link_shopify(
                connection,
                shop_id,
                domain=domain,
                secret=secret,
                secret_key=secret_key(house.settings),
                now=now,
            )
        (apart,) = list_apart(connection, house.shop.shop_id)
        key_id = list_keys(connection, house.shop.shop_id)[0].key_id
    house.app.directory.forget()
    made = quick_desk.told("/segments", method="POST", json={"name": "Irish", "query": ""})
    ids = {
        "segment_id": made["segment_id"],
        "shop_id": str(house.shop.shop_id),
        "profile_id": str(house.profile_id("email:ann@x.example")),
        "second_id": str(house.profile_id("email:bob@y.example")),
        "candidate_id": quick_desk.page("/duplicates")["items"][0]["candidate_id"],
        "merge_id": quick_desk.page("/merges")["items"][0]["merge_id"],
        "alert_id": quick_desk.page("/alerts")["items"][0]["alert_id"],
        "decision_id": str(apart.decision_id),
        "dead_letter_id": quick_desk.page("/dead-letters")["items"][0]["dead_letter_id"],
        "key_id": str(key_id),
        "user_id": str(user.user_id),
    }
    walk = Walk(quick_desk, ids, *cookies)
    walk.ids["upload_id"], walk.ids["import_id"] = imported(walk)
    return walk


def imported(walk: Walk) -> tuple[str, str]:
    """A file that the shop has sent, and an import that is done."""
    house = walk.desk.house
    uploads = []
    for _ in range(2):
        answer = walk.post(
            f"/shops/{walk.shop_id}/imports",
            walk.own_session,
            {"kind": "customers"},
            files={"file": ("people.csv", b"Email\neve@z.example\n")},
        )
        uploads.append(answer.headers["location"])
    started = walk.post(uploads[1], walk.own_session, {"column-0": "email"}).headers["location"]
    import_id = int(started.rpartition("/")[2])
    deadline = time.monotonic() + 20
    state = "reading"
    while state == "reading" and time.monotonic() < deadline:
        time.sleep(0.02)
        with house.app.database.read() as connection:
            state = load_import(connection, house.shop.shop_id, import_id).state
    house.drain()
    return uploads[0].rpartition("/")[2], str(import_id)


def rows_of(desk: Desk) -> dict[str, list[Any]]:
    """Every row of the shop, table by table."""
    with desk.house.app.database.read() as connection:
        return {
            table.name: connection.execute(
                select(table).where(table.c.shop_id == desk.house.shop.shop_id)
            ).all()
            for table in metadata.sorted_tables
            if "shop_id" in table.c
        }


def test_no_route_leads_into_another_shop(walk: Walk) -> None:
    before = rows_of(walk.desk)
    found = sorted(doors(walk.desk.server.routes), key=lambda door: door[1] == "/sign-out")

    for method, path in found:
        rule = rule_of(path)
        if rule is None:
            walk.leaks.append(f"{method} {path} has no rule here: say who may come")
        else:
            rule(walk, method, path)

    assert not walk.leaks, "\n".join(walk.leaks)
    assert rows_of(walk.desk) == before
    assert len(found) > 80


def test_the_shop_itself_finds_what_the_neighbour_does_not(walk: Walk) -> None:
    """Else the walk above would prove nothing."""
    headers = {"Accept": "text/html", "Cookie": walk.own_session}
    for method, path in doors(walk.desk.server.routes):
        if method == "GET" and rule_of(path) is shows:
            params = asked_of(path)
            answer = walk.desk.client.get(walk.path(path), params=params, headers=headers)
            assert answer.status_code in (200, 303), path
        elif method == "GET" and rule_of(path) is answers:
            where = walk.path(path).removeprefix("/api/v1")
            assert walk.desk.ask(where, params=asked_of(path)).status_code == 200, path


def test_a_route_that_nobody_thought_of_has_no_rule() -> None:
    assert rule_of("/t/o/{token}.gif") is None
