"""Nothing of one shop is reachable for somebody of another: every address is walked."""

import re
from typing import Any

import pytest

from customer360.access.keys import list_keys
from customer360.identities.alerts import list_alerts
from customer360.identities.apart import list_apart
from customer360.identities.candidates import list_candidates
from customer360.intake import merging
from customer360.intake.dead_letters import list_letters
from customer360.reports import REPORTS
from customer360.segments.ast import EVERYONE
from customer360.segments.store import create_segment
from customer360.web.routes import ADDRESSES, Address
from tests.web.conftest import Site

IN_A_SHOP = [address for address in ADDRESSES if address.needs == "shop"]
METHODS = [
    (address, method)
    for address in IN_A_SHOP
    for method, handler in (("GET", address.get), ("POST", address.post))
    if handler is not None
]


def fill(site: Site) -> dict[str, int]:
    """Something of everything in the shop, with the ids that addresses name."""
    house = site.house
    house.segment(
        {"type": "identify", "userId": "u1", "traits": {"email": "eve@people.example"}},
        {"type": "track", "event": 7},
        {"type": "identify", "userId": "u2", "traits": {"email": "ann@people.example"}},
        {"type": "identify", "userId": "u1", "traits": {"email": "ann@people.example"}},
        {"type": "identify", "userId": "u3"},
        {"type": "identify", "userId": "u4"},
        {"type": "identify", "userId": "u5"},
        {"type": "identify", "userId": "u6"},
        *({"type": "identify", "userId": "u7", "context": klaviyo(n)} for n in range(50)),
    )
    house.drain()
    form = {"kind": "customers", "csrf": site.owner.token()}
    upload = site.owner.send(
        f"{site.root}/imports", form, files={"file": ("a.csv", b"Email\neve@people.example\n")}
    )
    upload_id = upload.headers["location"].rpartition("/")[2]
    another = site.owner.send(
        f"{site.root}/imports", form, files={"file": ("a.csv", b"Email\neve@people.example\n")}
    )
    started = site.owner.post(another.headers["location"], {"column-0": "email"})
    with house.app.database.read() as connection:
        (letter,) = list_letters(connection, house.shop.shop_id)
        key = list_keys(connection, house.shop.shop_id)[0]
        (candidate,) = list_candidates(connection, house.shop.shop_id)
    pair = (house.profile_id("user_id:u3"), house.profile_id("user_id:u4"))
    with house.app.database.write() as connection:
        now = house.clock.now()
        merge = merging.merge(connection, house.shop.shop_id, pair, actor="ann", now=now)
        other = (house.profile_id("user_id:u5"), house.profile_id("user_id:u6"))
        undone = merging.merge(connection, house.shop.shop_id, other, actor="ann", now=now)
        merging.undo(
            connection, house.shop.shop_id, undone.merge_id, actor="ann", now=now, window=1
        )
        (said,) = list_apart(connection, house.shop.shop_id)
        (alert,) = list_alerts(connection, house.shop.shop_id)
        segment = create_segment(
            connection, house.shop.shop_id, "Everybody", EVERYONE, now, limit=None
        )
    # Only a segment whose members are found can be exported.
    house.drain()
    return {
        "segment_id": segment.segment_id,
        "decision_id": said.decision_id,
        "alert_id": alert.alert_id,
        "candidate_id": candidate.candidate_id,
        "merge_id": merge.merge_id,
        "shop_id": house.shop.shop_id,
        "profile_id": house.profile_id("email:eve@people.example"),
        "dead_letter_id": letter.dead_letter_id,
        "upload_id": int(upload_id),
        "import_id": int(started.headers["location"].rpartition("/")[2]),
        "key_id": key.key_id,
        "user_id": site.user_id,
    }


def klaviyo(number: int) -> dict[str, Any]:
    return {"externalIds": [{"type": "klaviyo_id", "id": f"k{number}"}]}


QUESTIONS = {
    "/reports/stage-flow/people": "?was=new&became=new",
    "/reports/reorders/people": "?product=7&week=0",
    **{
        f"/reports/{report.name}/people": "?of="
        + next(column.name for column in report.columns if column.who is not None)
        for report in REPORTS
    },
}
"""What an address that is about a number has to be asked."""


def path_of(address: Address, ids: dict[str, int]) -> str:
    path = re.sub(r"{(\w+)}", lambda match: str(ids[match[1]]), address.path)
    return path + QUESTIONS.get(address.path.removeprefix("/shops/{shop_id}"), "")


def test_no_address_of_a_shop_answers_somebody_of_another_shop(site: Site) -> None:
    ids = fill(site)
    for address, method in METHODS:
        path = path_of(address, ids)
        answer = site.stranger.get(path) if method == "GET" else site.stranger.post(path)
        assert answer.status_code == 404, (method, path)
        assert "eve@people.example" not in answer.text
        assert site.house.shop.name not in re.sub(r"Shops?\b.*?<", "", answer.text)


def test_no_id_of_a_shop_answers_under_the_address_of_another(site: Site) -> None:
    ids = fill(site) | {"shop_id": site.other_shop.shop_id}
    for address, method in METHODS:
        if address.path.count("{") < 2:
            continue
        path = path_of(address, ids)
        answer = site.stranger.get(path) if method == "GET" else site.stranger.post(path)
        assert answer.status_code == 404, (method, path)


def test_what_the_owner_sees_is_really_there(site: Site) -> None:
    """Else the walk above would prove nothing."""
    ids = fill(site)
    for address, method in METHODS:
        if method == "GET" and address.path != "/shops/{shop_id}":
            answer = site.owner.get(path_of(address, ids))
            assert answer.status_code == 200, (method, address.path)


def test_nobody_sees_anything_without_signing_in(site: Site) -> None:
    ids = fill(site)
    for address, method in METHODS:
        path = path_of(address, ids)
        answer = site.nobody.get(path) if method == "GET" else site.nobody.post(path)
        assert answer.status_code == 303, (method, path)
        assert answer.headers["location"].startswith("/sign-in")


@pytest.mark.parametrize("odd", ["0", "-1", "abc", "9" * 30, "%00", "1%27"])
def test_an_id_that_is_none_is_not_found(site: Site, odd: str) -> None:
    for address in IN_A_SHOP:
        if address.get is not None:
            path = re.sub(r"{\w+}", odd, address.path)
            assert site.owner.get(path).status_code == 404, path
            path = re.sub(r"{\w+}", odd, address.path.replace("{shop_id}", site.root[7:]))
            if path.count("/") > 3 and odd in path.removeprefix(site.root):
                assert site.owner.get(path).status_code == 404, path
