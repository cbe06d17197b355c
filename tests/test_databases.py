"""What conftest.py promises: databases of one's own, a recent PostgreSQL, a browser that works."""

from contextlib import closing

import pytest
from playwright.sync_api import sync_playwright
from sqlalchemy import create_engine, insert, select

from customer360.storage.database import Database
from customer360.storage.metadata import shop_clock


@pytest.mark.parametrize("turn", ["first", "second"])
def test_a_profile_store_holds_nothing_of_another_test(database_url: str, turn: str) -> None:
    with closing(Database(database_url)) as database:
        with database.read() as connection:
            before = connection.execute(select(shop_clock.c.shop_id)).all()
        with database.write() as connection:
            connection.execute(insert(shop_clock).values(shop_id=1))

    assert before == []


def test_postgresql_is_one_that_we_support(postgres_url: str) -> None:
    engine = create_engine(postgres_url)
    with engine.connect() as connection:
        version = connection.dialect.server_version_info
    engine.dispose()

    assert version is not None
    assert version >= (15,)


def test_the_browser_shows_a_page(chromium: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.set_content("<title>Customer 360</title>")
        title = page.title()
        browser.close()

    assert title == "Customer 360"
