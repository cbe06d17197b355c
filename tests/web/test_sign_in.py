from dataclasses import replace

import pytest

from customer360.access.sign_in import ATTEMPTS_PER_EMAIL
from customer360.clock import DAY, MINUTE
from tests.web.conftest import EMAIL, PASSWORD, Site, text_of


def test_the_right_password_signs_in(site: Site) -> None:
    answer = site.nobody.post("/sign-in", {"email": EMAIL, "password": PASSWORD, "next": "/"})
    assert answer.status_code == 303
    assert "All customers" in site.nobody.get("/", follow=True).text


def test_a_wrong_password_says_no_more_than_that(site: Site) -> None:
    wrong = site.nobody.post("/sign-in", {"email": EMAIL, "password": "guess"})
    unknown = site.nobody.post("/sign-in", {"email": "no@one.example", "password": "guess"})
    assert (wrong.status_code, unknown.status_code) == (401, 401)
    assert "The e-mail address or the password is wrong." in wrong.text
    assert text_of(wrong.text) == text_of(unknown.text)


def test_guessing_a_password_ends_after_some_tries(site: Site) -> None:
    for _ in range(ATTEMPTS_PER_EMAIL):
        site.nobody.post("/sign-in", {"email": EMAIL, "password": "guess"})
    answer = site.nobody.post("/sign-in", {"email": EMAIL, "password": PASSWORD})
    assert answer.status_code == 429
    assert "Too many wrong sign-ins" in answer.text


def test_looking_at_a_sign_in_link_does_not_use_it_up(site: Site) -> None:
    address = f"/sign-in/link/{site.link()}"
    assert site.nobody.get(address).status_code == 200
    assert site.nobody.get(address).status_code == 200
    assert site.nobody.post(address, token_from=address).status_code == 303
    assert site.nobody.get("/shops").status_code == 200


def test_a_sign_in_link_works_once(site: Site) -> None:
    address = f"/sign-in/link/{site.link()}"
    site.nobody.post(address, token_from=address)
    assert site.stranger.post(address).status_code == 401
    assert "has been used or is too old" in site.stranger.get(address).text


def test_a_sign_in_link_is_good_for_a_day(site: Site) -> None:
    address = f"/sign-in/link/{site.link()}"
    site.house.clock.advance(DAY + MINUTE)
    assert site.nobody.get(address).status_code == 410


def test_signing_out_ends_the_session(site: Site) -> None:
    token = site.owner.cookies["c360_session"]
    assert site.owner.post("/sign-out").headers["location"] == "/sign-in"
    site.owner.cookies.set("c360_session", token)
    assert site.owner.get("/shops").status_code == 303


def test_a_session_ends_after_its_days(site: Site) -> None:
    site.house.clock.advance(31 * DAY)
    assert site.owner.get(f"{site.root}/customers").headers["location"].startswith("/sign-in")


def test_after_signing_in_one_is_where_one_wanted_to_go(site: Site) -> None:
    wanted = f"{site.root}/sources?x=1"
    asked = site.nobody.get(wanted)
    assert (
        asked.headers["location"]
        == f"/sign-in?next=/shops/{site.house.shop.shop_id}/sources%3Fx%3D1"
    )
    answer = site.nobody.post("/sign-in", {"email": EMAIL, "password": PASSWORD, "next": wanted})
    assert answer.headers["location"] == wanted


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:1", "/\n/x"],
)
def test_signing_in_never_leads_to_another_site(site: Site, elsewhere: str) -> None:
    sent = {"email": EMAIL, "password": PASSWORD, "next": elsewhere}
    assert site.nobody.post("/sign-in", sent).headers["location"] == "/"


def test_a_new_session_has_a_new_cookie_that_scripts_and_other_sites_do_not_get(site: Site) -> None:
    before = site.owner.cookies["c360_session"]
    answer = site.owner.post("/sign-in", {"email": EMAIL, "password": PASSWORD})
    cookie = next(
        value
        for value in answer.headers.get_list("set-cookie")
        if value.startswith("c360_session=")
    )
    assert before not in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie


def test_over_https_cookies_are_bound_to_this_host_and_to_https(site: Site) -> None:
    from customer360.web.door import Door

    app = site.house.app
    secure = replace(app, settings=replace(app.settings, public_url="https://c360.example"))
    from starlette.responses import Response

    answer = Response()
    Door(secure).cookies.set_session(answer, "token", 30)
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-c360_session=token;")
    assert "Secure" in cookie


def test_an_installation_without_users_says_how_to_make_one(site: Site) -> None:
    from sqlalchemy import delete

    from customer360.access.tables import users

    with site.house.app.database.write() as connection:
        connection.execute(delete(users))
    page = site.nobody.get("/", follow=True)
    assert "c360 user create" in text_of(page.text)


def test_somebody_without_a_shop_learns_how_to_get_one(site: Site) -> None:
    from sqlalchemy import delete

    from customer360.access.tables import memberships

    with site.house.app.database.write() as connection:
        connection.execute(delete(memberships))
    assert "No shop yet" in site.owner.get("/").text
    assert site.owner.get(f"{site.root}/customers").status_code == 404


def test_with_several_shops_one_chooses(site: Site) -> None:
    from customer360.access.users import join_shop

    with site.house.app.database.write() as connection:
        join_shop(
            connection, site.user_id, site.other_shop.shop_id, "owner", site.house.clock.now()
        )
    assert site.owner.get("/").headers["location"] == "/shops"
    assert "Elsewhere" in site.owner.get("/shops").text
