"""The directory answers from memory for a few seconds, never longer, and for many threads at once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection

from customer360.access.directory import Directory
from customer360.access.keys import list_keys, revoke_key
from customer360.access.shopify import link_shopify
from customer360.access.shops import NewShop, change_shop, close_shop
from customer360.clock import FixedClock
from customer360.storage.database import Database
from tests.access.conftest import make_shop


class Counted(Database):
    """A profile store that counts how often it is read."""

    reads = 0

    @contextmanager
    def read(self) -> Iterator[Connection]:
        self.reads += 1
        with super().read() as connection:
            yield connection


class Watch:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def database(database_url: str) -> Iterator[Counted]:
    opened = Counted(database_url)
    yield opened
    opened.close()


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def directory(database: Counted, watch: Watch) -> Directory:
    return Directory(database, ttl_seconds=5, elapsed_seconds=watch)


def test_a_key_is_read_once_and_again_after_its_time(
    database: Counted, directory: Directory, watch: Watch, new_shop: NewShop
) -> None:
    for seconds, reads in ((0, 1), (4.9, 1), (0.2, 2)):
        watch.seconds += seconds
        assert directory.by_key(new_shop.write_key) == (new_shop.shop, "write")
        assert database.reads == reads


def test_a_revoked_key_opens_nothing_once_its_time_is_over(
    database: Counted,
    directory: Directory,
    watch: Watch,
    new_shop: NewShop,
    clock: FixedClock,
) -> None:
    assert directory.by_key(new_shop.write_key) is not None
    with database.write() as connection:
        for key in list_keys(connection, new_shop.shop.shop_id):
            revoke_key(connection, new_shop.shop.shop_id, key.key_id, clock.now())
    watch.seconds += 5
    assert directory.by_key(new_shop.write_key) is None


@pytest.mark.parametrize("key", ["", "nonsense", "wk_" + "x" * 10_000, "\udc80", "wk_\x00"])
def test_a_wrong_key_opens_nothing(directory: Directory, new_shop: NewShop, key: str) -> None:
    assert directory.by_key(key) is None


def test_wrong_keys_are_remembered_but_not_without_limit(
    database: Counted, directory: Directory, monkeypatch: pytest.MonkeyPatch, new_shop: NewShop
) -> None:
    monkeypatch.setattr("customer360.access.directory._MOST_REMEMBERED", 10)
    for number in (*range(20), 19, 18, 11):
        assert directory.by_key(f"wrong-{number}") is None
    assert database.reads == 20
    directory.by_key("wrong-0")
    assert database.reads == 21


def test_a_shop_is_found_by_its_id_and_changes_are_seen_when_told(
    database: Counted, directory: Directory, new_shop: NewShop
) -> None:
    shop_id = new_shop.shop.shop_id
    assert directory.by_id(shop_id) == new_shop.shop
    assert directory.by_id(1) is None
    with database.write() as connection:
        renamed = change_shop(connection, shop_id, name="Tea & Co")
    assert directory.by_id(shop_id) == new_shop.shop
    directory.forget()
    assert directory.by_id(shop_id) == renamed


def test_a_shop_is_found_by_its_shopify_domain(
    database: Counted, directory: Directory, new_shop: NewShop, clock: FixedClock
) -> None:
    with database.write() as connection:
        link_shopify(
            connection,
            new_shop.shop.shop_id,
            domain="tea.myshopify.com",
            secret="s1",
            secret_key="k",
            now=clock.now(),
        )
    found = directory.by_shopify_domain("Tea.myshopify.com", clock.now(), "k")
    assert found == (new_shop.shop, ("s1",))
    assert directory.by_shopify_domain("other.myshopify.com", clock.now(), "k") is None


def test_the_keys_of_a_deleted_shop_open_nothing(
    database: Counted, directory: Directory, new_shop: NewShop
) -> None:
    with database.write() as connection:
        close_shop(connection, new_shop.shop.shop_id)
    assert directory.by_key(new_shop.write_key) is None


def test_an_answer_read_before_a_change_is_not_remembered_after_it(
    database: Counted, directory: Directory, new_shop: NewShop
) -> None:
    original = Directory._read_key

    class Racing(Directory):
        def _read_key(self, key: str):  # type: ignore[no-untyped-def]
            answer = original(self, key)
            with database.write() as connection:
                close_shop(connection, new_shop.shop.shop_id)
            self.forget()
            return answer

    racing = Racing(database)
    assert racing.by_key(new_shop.write_key) is not None
    Racing._read_key = original  # type: ignore[method-assign]
    assert racing.by_key(new_shop.write_key) is None


def test_many_threads_get_the_same_answers(
    database: Counted, directory: Directory, new_shop: NewShop, clock: FixedClock
) -> None:
    other = make_shop(database, clock)
    expected = {
        new_shop.write_key: (new_shop.shop, "write"),
        other.api_key: (other.shop, "api"),
        "wrong": None,
    }
    asked = list(expected) * 200
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(directory.by_key, asked))
    assert answers == [expected[key] for key in asked]
