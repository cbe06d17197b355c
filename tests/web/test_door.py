import re
from dataclasses import replace
from pathlib import Path

import pytest

from customer360.access.shops import uninstall_shop
from customer360.storage.flight import FlightClient
from customer360.warehouse.query import RemoteWarehouse
from customer360.web import routes
from tests.web.conftest import EMAIL, PASSWORD, Site, text_of

PAGES = (
    *("/customers", "/sources", "/dead-letters", "/imports", "/settings"),
    *("/settings/users", "/settings/keys", "/settings/shopify", "/settings/account"),
    "/settings/identity",
)


@pytest.fixture
def filled(site: Site) -> Site:
    """A shop that somebody has visited."""
    person = {"userId": "u1", "traits": {"email": "eve@people.example", "first_name": "Eve"}}
    site.house.segment({"type": "identify", **person}, {"type": "track", "event": 7})
    site.house.drain()
    return site


def every_page(site: Site) -> list[str]:
    profile = site.house.profile_id("email:eve@people.example")
    customer = f"{site.root}/customers/{profile}"
    tabs = ["", "/events", "/orders", "/identity", "/consents"]
    return [
        *(site.root + page for page in PAGES),
        *(customer + tab for tab in tabs),
        "/shops",
        "/nothing/here",
    ]


def test_every_page_allows_only_our_own_scripts_and_styles(filled: Site) -> None:
    for address in every_page(filled):
        policy = filled.owner.get(address).headers["content-security-policy"]
        assert "default-src 'none'" in policy, address
        assert "script-src 'self'" in policy, address
        assert "unsafe" not in policy, address
        assert "frame-ancestors 'none'" in policy, address


def test_no_page_is_kept_by_browsers_or_proxies(filled: Site) -> None:
    for address in every_page(filled):
        assert filled.owner.get(address).headers["cache-control"] == "no-store", address


def test_no_page_has_a_script_a_style_or_a_handler_inside_its_html(filled: Site) -> None:
    for address in every_page(filled):
        page = filled.owner.get(address).text
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:|hx-on", page), address
        assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", page)), address


def test_every_form_that_posts_has_a_token_and_every_field_a_label(filled: Site) -> None:
    for address in every_page(filled):
        page = filled.owner.get(address).text
        for form in re.findall(r'<form[^>]*method="post".*?</form>', page, re.DOTALL):
            assert 'name="csrf"' in form, address
        ids = set(re.findall(r'<label[^>]*for="([^"]+)"', page))
        for field in re.findall(r"<(?:input|select|textarea)[^>]*>", page):
            if 'type="hidden"' in field or 'type="radio"' in field or 'type="checkbox"' in field:
                continue
            named = re.search(r'id="([^"]+)"', field)
            assert "aria-label" in field or (named and named[1] in ids), (address, field)


def test_a_form_without_its_token_does_nothing(site: Site) -> None:
    answer = site.owner.send(f"{site.root}/settings/keys", {"kind": "api"})
    assert answer.status_code == 403
    assert "reload the page and try again" in text_of(answer.text)


def test_a_token_of_another_browser_is_none(site: Site) -> None:
    stolen = site.stranger.token()
    answer = site.owner.send(f"{site.root}/settings/keys", {"kind": "api", "csrf": stolen})
    assert answer.status_code == 403


def test_a_form_of_another_site_does_nothing_even_with_a_token(site: Site) -> None:
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
        answer = site.owner.post(f"{site.root}/settings/keys", {"kind": "api"}, headers=headers)
        assert answer.status_code == 403


def test_the_sign_in_form_is_bound_to_its_browser_too(site: Site) -> None:
    sent = {"email": EMAIL, "password": PASSWORD}
    assert site.nobody.send("/sign-in", sent).status_code == 403


def test_a_form_that_is_too_large_is_refused_before_it_is_read(site: Site) -> None:
    answer = site.owner.post(f"{site.root}/settings", {"name": "x" * 1_100_000})
    assert answer.status_code == 413


def test_a_form_that_claims_to_be_too_large_is_not_read_at_all(site: Site) -> None:
    headers = {"content-length": "99999999"}
    assert site.owner.send(f"{site.root}/settings", {}, headers=headers).status_code == 413


def test_a_form_that_does_not_say_how_large_it_is_is_read_up_to_the_limit(site: Site) -> None:
    body = (b"name=" if number == 0 else b"x" * 100_000 for number in range(20))
    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert site.owner.stream(f"{site.root}/settings", body, headers).status_code == 413


def test_who_may_not_come_is_told_before_the_form_is_read(site: Site) -> None:
    headers = {"content-length": "99999999"}
    assert site.nobody.send(f"{site.root}/imports", {}, headers=headers).status_code == 303
    assert site.stranger.send(f"{site.root}/imports", {}, headers=headers).status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "multipart/form-data"},
        {"content-type": "multipart/form-data; boundary=x"},
        {"content-length": "-1"},
    ],
)
def test_a_broken_form_is_answered_with_a_page(site: Site, headers: dict[str, str]) -> None:
    answer = site.owner.send(f"{site.root}/settings", {"csrf": "x"}, headers=headers)
    assert 400 <= answer.status_code < 500
    assert "Traceback" not in answer.text


def test_when_the_session_is_over_a_part_asks_for_the_whole_sign_in_page(site: Site) -> None:
    answer = site.nobody.get(f"{site.root}/customers", headers={"hx-request": "true"})
    assert answer.headers["hx-redirect"] == "/sign-in"
    assert not answer.text


def test_an_unknown_address_is_a_page_for_people_and_a_document_for_programs(site: Site) -> None:
    page = site.owner.get("/nothing/here")
    assert page.status_code == 404
    assert "There is nothing here" in page.text
    assert "<html" in page.text
    program = site.owner.get("/nothing/here", headers={"accept": "application/json"})
    assert program.status_code == 404
    assert "<html" not in program.text


def test_an_unforeseen_error_tells_nothing_about_itself(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the secret inside")

    monkeypatch.setattr("customer360.web.sources.balance", broken)
    answer = site.owner.get(f"{site.root}/sources")
    assert answer.status_code == 500
    assert "Something went wrong on our side" in answer.text
    assert "Try again; if it happens again, the server&#39;s log says where." in answer.text
    assert "secret inside" not in answer.text
    assert "secret inside" not in caplog.text
    assert "A page failed: RuntimeError at test_door.py:" in caplog.text


def test_without_a_worker_the_list_says_what_to_do_and_the_rest_works(filled: Site) -> None:
    house = filled.house
    alone = replace(
        house.app, warehouse=RemoteWarehouse(FlightClient(Path("/nowhere/worker.sock")))
    )
    owner = filled.owner_of(alone)
    answer = owner.get(f"{filled.root}/customers")
    assert answer.status_code == 503
    assert "No worker answers" in answer.text
    assert "Try again" in answer.text
    profile = house.profile_id("email:eve@people.example")
    assert owner.get(f"{filled.root}/customers/{profile}").status_code == 200


def test_a_shop_that_has_uninstalled_says_when_its_data_goes(site: Site) -> None:
    house = site.house
    with house.app.database.write() as connection:
        uninstall_shop(connection, house.shop.shop_id, house.clock.now())
    page = text_of(site.owner.get(f"{site.root}/sources").text)
    assert "All data of this shop is deleted on 15 Jul 2026, unless you link the shop again" in page


def test_the_theme_is_chosen_once_and_written_by_the_server(site: Site) -> None:
    site.owner.post("/theme", {"theme": "dark", "next": "/shops"})
    assert '<html lang="en" data-theme="dark">' in site.owner.get("/shops").text
    site.owner.post("/theme", {"theme": "system", "next": "/shops"})
    assert '<html lang="en">' in site.owner.get("/shops").text


def test_a_toast_is_told_once(site: Site) -> None:
    values = {"name": "Tea", "currency": "EUR", "timezone": "Europe/Dublin", "country": "IE"}
    shown = site.owner.post(f"{site.root}/settings", values, follow=True)
    assert "Saved." in shown.text
    assert "Saved." not in site.owner.get(f"{site.root}/settings").text


def test_a_toast_that_we_did_not_write_is_not_shown(site: Site) -> None:
    site.owner.cookies.set("c360_toast", "eyJ0ZXh0IjoiUGF5IHVzIiwia2luZCI6Imdvb2QifQ==.00")
    assert "Pay us" not in site.owner.get("/shops").text


def test_addresses_are_each_listed_once() -> None:
    paths = [address.path for address in routes.ADDRESSES]
    assert len(paths) == len(set(paths))
