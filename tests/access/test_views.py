"""Saved views are of one user in one shop."""

import pytest

from customer360.access.shops import NewShop
from customer360.access.users import ensure_user, join_shop, leave_shop
from customer360.access.views import MOST_VIEWS, SavedView, delete_view, save_view, views_of
from customer360.clock import FixedClock
from customer360.errors import Conflict, InvalidName, NotFound
from customer360.storage.database import Database
from tests.access.conftest import make_shop

VIPS = SavedView("VIPs", "?tier=vip")


def test_views_are_listed_by_name_and_one_of_the_same_name_takes_its_place(
    database: Database,
) -> None:
    with database.write() as connection:
        for name, query in (("VIPs", "?tier=vip"), ("all, by spend", ""), (" VIPs ", "?tier=new")):
            save_view(connection, 1, 7, SavedView(name, query))
        assert views_of(connection, 1, 7) == [("all, by spend", ""), ("VIPs", "?tier=new")]


def test_nobody_sees_or_changes_a_view_of_another_user_or_shop(database: Database) -> None:
    with database.write() as connection:
        save_view(connection, 1, 7, VIPS)
        for shop_id, user_id in ((1, 8), (2, 7)):
            assert views_of(connection, shop_id, user_id) == []
            with pytest.raises(NotFound):
                delete_view(connection, shop_id, user_id, "VIPs")
            save_view(connection, shop_id, user_id, SavedView("VIPs", "?tier=new"))
            delete_view(connection, shop_id, user_id, "VIPs")
        assert views_of(connection, 1, 7) == [VIPS]


def test_a_deleted_view_is_given_back_as_it_was(database: Database) -> None:
    with database.write() as connection:
        save_view(connection, 1, 7, VIPS)
        assert delete_view(connection, 1, 7, "VIPs") == VIPS
        assert views_of(connection, 1, 7) == []


@pytest.mark.parametrize("name", ["", "  ", "x" * 81, "a\x00b"])
def test_a_view_needs_a_name_that_fits(database: Database, name: str) -> None:
    with pytest.raises(InvalidName), database.write() as connection:
        save_view(connection, 1, 7, SavedView(name, ""))


def test_there_is_an_end_to_new_views_but_not_to_changing_them(database: Database) -> None:
    with database.write() as connection:
        for number in range(MOST_VIEWS):
            save_view(connection, 1, 7, SavedView(f"view {number}", ""))
        with pytest.raises(Conflict):
            save_view(connection, 1, 7, VIPS)
        save_view(connection, 1, 7, SavedView("view 3", "?tier=vip"))
        assert len(views_of(connection, 1, 7)) == MOST_VIEWS


def test_views_go_with_the_work_for_the_shop(
    database: Database, new_shop: NewShop, clock: FixedClock
) -> None:
    here, there = new_shop.shop, make_shop(database, clock).shop
    with database.write() as connection:
        for email in ("ann@x.com", "bob@x.com"):
            user_id = ensure_user(connection, email, clock.now()).user_id
            for shop in (here, there):
                join_shop(connection, user_id, shop.shop_id, "owner", clock.now())
                save_view(connection, shop.shop_id, user_id, VIPS)
        leave_shop(connection, user_id, here)
        join_shop(connection, user_id, here.shop_id, "owner", clock.now())
        assert views_of(connection, here.shop_id, user_id) == []
        assert views_of(connection, there.shop_id, user_id) == [VIPS]
