"""Saved views of All customers: kept, marked, deleted and taken back, each user's own."""

import html
import re

import pytest

from customer360.access.users import ensure_user, join_shop
from customer360.access.views import MOST_VIEWS, SavedView, save_view, views_of
from tests.web.conftest import Site, Visitor, pages_of, sign_in, text_of

QUERY = "?country=IE&column=ltv&sort=-total_spend"


@pytest.fixture
def views(site: Site) -> str:
    """The address of the views of a shop with one customer."""
    site.house.segment({"type": "identify", "userId": "u1", "traits": {"name": "Ann Lee"}})
    site.house.drain()
    return f"{site.root}/customers/views"


def kept(site: Site) -> list[SavedView]:
    with site.house.app.database.read() as connection:
        return views_of(connection, site.house.shop.shop_id, site.user_id)


def test_a_view_keeps_filters_columns_and_order_and_is_marked(site: Site, views: str) -> None:
    answer = site.owner.post(views, {"name": " Irish  spenders ", "query": QUERY + "&page=3"})
    address = f"{site.root}/customers{QUERY}"
    page = site.owner.get(address).text

    assert answer.headers["location"] == address
    assert "The view Irish spenders is saved." in text_of(page)
    shown = html.escape(QUERY)
    link = f'href="{site.root}/customers{shown}" aria-current="true">Irish spenders</a>'
    assert link in page
    assert 'aria-current="true">Irish' not in site.owner.get(f"{site.root}/customers").text


def test_a_view_keeps_no_search_as_that_names_a_customer(site: Site, views: str) -> None:
    site.owner.post(views, {"name": "Irish", "query": "?q=ann%40people.example&country=IE"})

    assert kept(site) == [("Irish", "?country=IE")]
    assert "The search is not saved." in text_of(site.owner.get(f"{site.root}/customers?q=a").text)


def test_a_view_saved_under_its_name_again_is_what_the_list_shows_now(
    site: Site, views: str
) -> None:
    for query in (QUERY, "?tier=vip&nonsense=1"):
        site.owner.post(views, {"name": "Mine", "query": query})

    assert kept(site) == [("Mine", "?tier=vip")]


def test_a_deleted_view_comes_back_by_the_toast(site: Site, views: str) -> None:
    site.owner.post(views, {"name": "Mine", "query": QUERY})
    answer = site.owner.post(f"{views}/delete", {"name": "Mine", "query": "?q=ann&kind=any"})
    page = site.owner.get(answer.headers["location"]).text
    form = re.search(r'action="([^"]+/restore)".*?name="kept" value="([^"]+)"', page, re.S)

    assert answer.headers["location"] == f"{site.root}/customers?q=ann&kind=any"
    assert "The view Mine is deleted." in text_of(page)
    assert kept(site) == []
    assert form
    site.owner.post(form[1], {"kept": html.unescape(form[2])})
    assert kept(site) == [("Mine", QUERY)]


@pytest.mark.parametrize(
    ("path", "fields", "told"),
    [
        ("", {"name": " "}, "Give the view a name of 1 to 80 characters."),
        ("", {"name": "one more"}, f"You have {MOST_VIEWS} views already; delete one first."),
        ("/delete", {"name": "of nobody"}, "You have no view of this name."),
    ],
)
def test_what_cannot_be_is_told_by_the_toast(
    site: Site, views: str, path: str, fields: dict[str, str], told: str
) -> None:
    shop_id = site.house.shop.shop_id
    with site.house.app.database.write() as connection:
        for number in range(MOST_VIEWS):
            save_view(connection, shop_id, site.user_id, SavedView(f"view {number}", ""))
    page = site.owner.post(views + path, fields, follow=True).text

    assert told in text_of(page)
    assert len(kept(site)) == MOST_VIEWS


def test_what_a_toast_never_kept_is_not_saved(site: Site, views: str) -> None:
    for told in ("", "{}", "[]", '"x"', '{"name": "Mine"}'):
        assert site.owner.post(f"{views}/restore", {"kept": told}).status_code == 422
    assert kept(site) == []


def test_views_are_of_one_user(site: Site, views: str) -> None:
    house = site.house
    with house.app.database.write() as connection:
        colleague = ensure_user(connection, "eve@shop.example", house.clock.now()).user_id
        join_shop(connection, colleague, house.shop.shop_id, "owner", house.clock.now())
    visitor = Visitor(pages_of(house.app), site.portal)
    sign_in(house, visitor, colleague)
    site.owner.post(views, {"name": "Mine", "query": QUERY})

    assert "Mine" not in text_of(visitor.get(f"{site.root}/customers").text)
    told = visitor.post(f"{views}/delete", {"name": "Mine"}, follow=True).text
    assert "You have no view of this name." in text_of(told)
    assert site.stranger.post(views, {"name": "Mine", "query": ""}).status_code == 404
    assert kept(site) == [("Mine", QUERY)]
