"""The sample shop: filled through the real intake, found again, and never doubled."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from customer360.access.shops import list_shops
from customer360.access.sign_in import use_link
from customer360.access.users import shops_of
from customer360.app import App, build_app
from customer360.clock import FixedClock
from customer360.demo.history import Plan, history
from customer360.demo.script import Webhook
from customer360.demo.shop import DemoShop, fill, find_or_make, sign_in_path
from customer360.intake.balance import balance
from customer360.profiles.hydrate import find_by_identifier
from customer360.settings import Settings

CUSTOMERS = 8


@pytest.fixture
def app(database_url: str, clock: FixedClock, tmp_path: Path) -> Iterator[App]:
    settings = Settings(data_dir=tmp_path, database_url=database_url, sync_interval_ms=60_000)
    with closing(build_app(settings, clock=clock, role="cli")) as app:
        yield app


def found(app: App, seed: int = 1) -> DemoShop:
    with app.database.write() as connection:
        return find_or_make(connection, Plan(app.clock.now(), CUSTOMERS, seed))


def quiet(_step: str, _done: int, _total: int) -> None:
    """No progress bar."""


def test_every_signal_of_the_history_is_stored(app: App):
    demo = found(app)
    fill(app, demo, quiet)
    with app.database.read() as connection:
        total = balance(connection, demo.shop.shop_id).total
    signals = len(list(history(demo.plan)))
    assert (total.received, total.stored, total.waiting) == (signals, signals, 0)
    assert found(app).complete


def test_filling_a_shop_again_adds_nothing(app: App):
    demo = found(app)
    fill(app, demo, quiet)
    fill(app, demo, quiet)
    with app.database.read() as connection:
        total = balance(connection, demo.shop.shop_id).total
    assert total.duplicate == total.stored
    assert total.waiting == 0


def test_the_shop_is_made_once_whatever_is_asked_for_later(app: App, clock: FixedClock):
    first = found(app)
    clock.advance(10**12)
    again = found(app, seed=99)
    assert (again.shop.shop_id, again.plan) == (first.shop.shop_id, first.plan)
    with app.database.read() as connection:
        assert len(list_shops(connection)) == 1


def test_progress_is_told_for_both_steps_and_ends_at_the_whole(app: App):
    told: list[tuple[str, int, int]] = []
    fill(app, found(app), lambda *step: told.append(step))
    steps = list(dict.fromkeys(step for step, _, _ in told))
    assert steps == ["Sending", "Making profiles"]
    last = {step: (done, total) for step, done, total in told}
    assert all(done == total for done, total in last.values())


def test_all_addresses_of_a_customers_orders_lead_to_one_profile(app: App):
    demo = found(app)
    fill(app, demo, quiet)
    orders = [
        one.body
        for one in history(demo.plan)
        if isinstance(one, Webhook) and one.topic == "orders/create" and "customer" in one.body
    ]
    shop = demo.shop
    with app.database.read() as connection:
        for order in orders:
            named = {
                find_by_identifier(connection, shop.shop_id, shop.country, type_, value)
                for type_, value in (
                    ("shopify_customer_id", str(order["customer"]["id"])),
                    ("email", order["customer"]["email"]),
                    ("email", order["email"]),
                    ("cart_token", order.get("cart_token") or ""),
                )
                if value
            }
            assert len(named) == 1
            assert None not in named


def test_the_link_signs_its_user_in_to_the_shop(app: App):
    demo = found(app)
    with app.database.write() as connection:
        path = sign_in_path(connection, demo.shop, app.clock.now())
        user = use_link(connection, path.rpartition("/")[2], app.clock.now())
        assert demo.shop in shops_of(connection, user.user_id)
