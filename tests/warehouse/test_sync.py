"""The warehouse follows the profile store: each change once, whatever dies on the way."""

import shutil
from contextlib import closing
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, update

from customer360.errors import ShopNotFound
from customer360.events.tables import events
from customer360.events.warehouse import EVENTS_MIRROR
from customer360.identities.tables import fragments
from customer360.identities.warehouse import FRAGMENTS_MIRROR
from customer360.profiles.ledger import REFUNDS_MIRROR
from customer360.profiles.sessions import SESSIONS_MIRROR
from customer360.profiles.tables import checkouts, orders, refunds, sessions
from customer360.profiles.warehouse import CHECKOUTS_MIRROR, ORDERS_MIRROR
from customer360.storage.database import Database
from customer360.storage.metadata import profile_changes, shop_clock, tombstones
from customer360.storage.mirror import Field, Kind, Mirror, Schema
from customer360.values import listed
from customer360.warehouse.sync import sync
from tests.warehouse.store import (
    AT,
    SCHEMA,
    Copied,
    Store,
    checkout_row,
    fragment_row,
    open_engine,
    order_row,
    refund_row,
    session_row,
)

# The warehouse's times are in UTC and say no zone.
NOON = datetime.fromisoformat("2026-06-15T12:00:00")


def test_events_enter_with_their_properties_as_columns(store: Store, copied: Copied) -> None:
    properties = {
        "product_id": 8209829119461,
        "title": "Shirt",
        "price": "19.90",
        "quantity": "2",
        "rating": 4.5,
        "url": "https://shop.example/p/shirt?utm_source=x",
        "referrer": "https://www.google.com/search?q=shirt",
        "items": [{"product_id": "p1"}],
        "cart_token": "t1",
        "color": "red",
        "sizes": ["S", "M"],
    }
    (event_id,) = store.add_events(fragment_id=5, session_id=9, properties=properties)
    copied.sync()
    (row,) = copied.rows("from event_facts")
    told = {name: value for name, value in row.items() if value is not None}
    assert told == {
        "event_id": event_id,
        "fragment_id": 5,
        "type": "page_viewed",
        "source": "segment",
        "occurred_at": NOON,
        "session_id": 9,
        "product_id": "8209829119461",
        "title": "Shirt",
        "price": Decimal("19.9000"),
        "quantity": 2,
        "rating": 4.5,
        "url": "/p/shirt",
        "referrer": "www.google.com",
        "properties": '{"color":"red","sizes":["S","M"]}',
    }


@pytest.mark.parametrize(
    ("properties", "column"),
    [
        ({"price": "a lot"}, "price"),
        ({"price": "1e30"}, "price"),
        ({"price": [1]}, "price"),
        ({"price": True}, "price"),
        ({"total": 10**15}, "total"),
        ({"quantity": 1e300}, "quantity"),
        ({"quantity": 1.5}, "quantity"),
        ({"quantity": "many"}, "quantity"),
        ({"rating": "inf"}, "rating"),
        ({"rating": {"stars": 5}}, "rating"),
        ({"title": {"en": "Shirt"}}, "title"),
        ({"title": ["Shirt"]}, "title"),
        ({"title": True}, "title"),
        ({"title": ""}, "title"),
        ({"title": None}, "title"),
        ({"search_term": "ann@x.com"}, "search_term"),
    ],
)
def test_a_property_of_the_wrong_shape_is_null(
    store: Store, copied: Copied, properties: dict[str, Any], column: str
) -> None:
    store.add_events(properties=properties)
    store.add_events(properties={"title": "A good one"})
    copied.sync()
    assert copied.column(f"select {column} from event_facts order by event_id")[0] is None
    assert copied.column("select title from event_facts order by event_id")[1] == "A good one"


def test_orders_enter_with_lines_and_money_to_four_decimals(store: Store, copied: Copied) -> None:
    line = {"unit_price": 123456, "quantity": -2, "title": "Cup"}
    store.put_order(
        7, [line, {"sku": "s2"}], total=-1, discount=10**18 - 1, promo_codes='["A","B"]'
    )
    store.put(refunds, **refund_row(8, "key-7"))
    copied.sync()
    (order,) = copied.rows("from orders")
    assert order["total"] == Decimal("-0.0001")
    assert order["discount"] == Decimal("99999999999999.9999")
    assert order["promo_codes"] == listed(["A", "B"])
    assert copied.column("select coupon from events_all where type = 'order_placed'") == ["A"]
    assert order["placed_at"] == NOON
    assert order["cancelled_at"] is None
    lines = copied.rows("select title, unit_price, quantity, sku from order_lines order by title")
    assert lines[0] == {
        "title": "Cup",
        "unit_price": Decimal("12.3456"),
        "quantity": -2,
        "sku": None,
    }
    joined = "select o.order_id from refunds r join orders o on o.order_ref = r.order_ref"
    assert copied.column(joined) == [7]


def test_an_order_that_changes_takes_its_lines_along(store: Store, copied: Copied) -> None:
    store.put_order(7, [{"title": "Cup"}, {"title": "Mug"}])
    store.put_order(8, [{"title": "Pot"}])
    copied.sync()
    store.put_order(7, [{"title": "Jug"}])
    copied.sync()
    assert copied.column("select title from order_lines order by title") == ["Jug", "Pot"]
    store.put_order(7)
    copied.sync()
    assert copied.column("select title from order_lines order by title") == ["Pot"]
    store.bury(orders, ORDERS_MIRROR, 8)
    copied.sync()
    assert copied.rows("from order_lines") == []
    assert copied.column("select order_id from orders") == [7]


def test_an_order_whose_lines_come_in_several_batches_keeps_all(
    store: Store, copied: Copied, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("customer360.storage.mirror.BATCH_ROWS", 3)
    for order_id in (7, 8):
        store.put_order(order_id, [{"title": f"{n}"} for n in range(8)])
    copied.sync()
    for order_id in (7, 8):
        store.put_order(order_id, [{"title": f"{n}"} for n in range(7)])
    copied.sync()
    counts = "select count(*) from order_lines group by order_id order by order_id"
    assert copied.column(counts) == [7, 7]


@pytest.mark.parametrize(
    ("table", "row", "mirror", "name"),
    [
        (sessions, session_row(5), SESSIONS_MIRROR, "sessions"),
        (refunds, refund_row(5), REFUNDS_MIRROR, "refunds"),
        (checkouts, checkout_row(5), CHECKOUTS_MIRROR, "checkouts"),
        (fragments, fragment_row(5, 6), FRAGMENTS_MIRROR, "fragment_profiles"),
        (orders, order_row(5), ORDERS_MIRROR, "orders"),
    ],
)
def test_a_row_that_left_leaves_the_warehouse_and_may_come_back(
    store: Store, copied: Copied, table: Any, row: dict[str, Any], mirror: int, name: str
) -> None:
    store.put(table, **row)
    copied.sync()
    assert len(copied.rows(f"from {name}")) == 1
    store.bury(table, mirror, 5)
    copied.sync()
    assert copied.rows(f"from {name}") == []
    store.put(table, **row)
    copied.sync()
    assert len(copied.rows(f"from {name}")) == 1


def test_an_event_that_was_buried_and_came_back_within_one_sync_stays(
    store: Store, copied: Copied
) -> None:
    (event_id,) = store.add_events()
    copied.sync()
    store.bury(events, EVENTS_MIRROR, event_id)
    store.put(
        events,
        event_id=event_id,
        fragment_id=3,
        type="searched",
        source="segment",
        rank=1,
        occurred_at=AT,
        session_id=None,
        properties=None,
    )
    copied.sync()
    assert copied.rows("select type, fragment_id from event_facts") == [
        {"type": "searched", "fragment_id": 3}
    ]


def test_relabelled_events_are_replaced_not_doubled(store: Store, copied: Copied) -> None:
    ids = store.add_events(10, fragment_id=1)
    copied.sync()
    store.add_events(5, fragment_id=1)
    store.move_events(ids[:4], 2)
    copied.sync()
    counts = "select fragment_id, count(*) as n from event_facts group by all order by all"
    assert copied.rows(counts) == [{"fragment_id": 1, "n": 11}, {"fragment_id": 2, "n": 4}]


def test_all_events_of_a_timeline_are_in_one_view(store: Store, copied: Copied) -> None:
    store.add_events(2, properties={"title": "Shirt"})
    store.put(sessions, **session_row(1))
    store.put_order(2, items_count=3, cancelled_at=AT, promo_codes='["SUMMER"]')
    store.put_order(3, test=True)
    store.put_order(4, placed_at=None)
    store.put(refunds, **refund_row(5))
    store.put(checkouts, **checkout_row(6))
    store.put(checkouts, **{**checkout_row(7), "abandoned_at": None})
    copied.sync()
    counts = "select type, count(*) as n from events_all group by all order by all"
    assert {row["type"]: row["n"] for row in copied.rows(counts)} == {
        "page_viewed": 2,
        "visited_site": 1,
        "order_placed": 1,
        "order_refunded": 1,
        "checkout_abandoned": 1,
    }
    (visit,) = copied.rows("from events_all where type = 'visited_site'")
    assert (visit["touch_source"], visit["url"], visit["campaign"]) == ("google", "/sale", "summer")
    (placed,) = copied.rows("from events_all where type = 'order_placed'")
    assert (placed["total"], placed["quantity"], placed["coupon"]) == (
        Decimal("59.0000"),
        3,
        "SUMMER",
    )
    (left,) = copied.rows("from events_all where type = 'checkout_abandoned'")
    assert (left["total"], left["quantity"]) == (Decimal("59.0000"), 2)
    assert left["occurred_at"] == NOON + timedelta(hours=1)


def test_a_sync_says_what_it_did_and_a_second_does_nothing(store: Store, copied: Copied) -> None:
    store.add_events(3)
    store.add_events(2)
    first, second = copied.sync(), copied.sync()
    assert (first.after, first.change, first.rows, first.chunks) == (0, 2, 5, 1)
    assert (second.after, second.change, second.rows, second.chunks) == (2, 2, 0, 0)
    assert synced(store) == 2


def test_a_new_shop_has_empty_tables(copied: Copied) -> None:
    copied.sync()
    assert copied.rows("from events_all") == []


def test_a_shop_that_is_not_there_cannot_be_synced(store: Store, copied: Copied) -> None:
    with pytest.raises(ShopNotFound):
        sync(store.database, copied.engine, 99, SCHEMA)


def test_one_shop_never_sees_the_rows_of_another(database: Database, copied: Copied) -> None:
    other = Store(database, shop_id=2)
    other.add_events(7)
    other.put_order(1, [{}])
    copied.store.add_events(1)
    copied.sync()
    assert copied.column("select count(*) from events_all") == [1]
    assert copied.rows("from order_lines") == []


# Twelve changes bring 1, 2, 3, 4, 1, … events; of seven rows a chunk the first is 1 + 2 + 3, then 4 + 1 + 2.
@pytest.mark.parametrize(("chunk_rows", "chunks"), [(1, 13), (3, 10), (7, 5), (1000, 1)])
def test_a_long_catch_up_is_taken_in_chunks(
    store: Store, copied: Copied, chunk_rows: int, chunks: int
) -> None:
    for number in range(12):
        store.add_events(number % 4 + 1)
    store.put(sessions, **session_row(1))
    store.put_order(7, [{}])
    result = copied.sync(chunk_rows=chunk_rows)
    assert copied.column("select count(*) from event_facts") == [30]
    assert result.rows == 30 + 3
    assert result.change == 14
    assert result.chunks == chunks


def test_a_catch_up_that_dies_between_chunks_goes_on_where_it_was(
    store: Store, copied: Copied
) -> None:
    for _ in range(10):
        store.add_events(3)
    dying = Dying(store.database.engine.url.render_as_string(hide_password=False), reads_left=4)
    with closing(dying), pytest.raises(Died):
        sync(dying, copied.engine, store.shop_id, SCHEMA, chunk_rows=3)
    assert copied.column("select count(*) from event_facts") == [12]
    assert copied.sync(chunk_rows=3).after == 4
    assert copied.column("select count(distinct event_id) from event_facts") == [30]
    assert copied.column("select count(*) from event_facts") == [30]


def test_a_process_that_dies_between_the_two_commits_copies_nothing_twice(
    store: Store, copied: Copied
) -> None:
    store.add_events(3)
    dying = Dying(store.database.engine.url.render_as_string(hide_password=False), writes_left=0)
    with closing(dying), pytest.raises(Died):
        sync(dying, copied.engine, store.shop_id, SCHEMA)
    assert synced(store) == 0, "the profile store was not told"
    assert copied.column("select count(*) from event_facts") == [3], "but the warehouse has it"
    store.add_events(2)
    result = copied.sync()
    assert (result.after, result.rows) == (1, 2)
    assert copied.column("select count(*) from event_facts") == [5]


def test_the_profile_stores_own_note_never_decides(store: Store, copied: Copied) -> None:
    store.add_events(3)
    copied.sync()
    with store.database.write() as connection:
        connection.execute(update(shop_clock).values(synced=0))
    store.add_events(1)
    assert copied.sync().rows == 1
    with store.database.write() as connection:
        connection.execute(update(shop_clock).values(synced=99))
    store.add_events(1)
    assert copied.sync().rows == 1
    assert copied.column("select count(*) from event_facts") == [5]


def test_a_warehouse_that_was_lost_fills_again(store: Store, copied: Copied) -> None:
    store.add_events(3)
    copied.sync()
    copied.engine.delete(store.shop_id)
    assert copied.sync().rows == 3


def test_a_profile_store_from_a_backup_rebuilds_the_warehouse(store: Store, copied: Copied) -> None:
    store.add_events(3)
    gone = store.add_events(2)
    copied.sync()
    with store.database.write() as connection:
        connection.execute(events.delete().where(events.c.event_id.in_(gone)))
        connection.execute(update(shop_clock).values(change=1))
    copied.sync()
    assert copied.column("select count(*) from event_facts") == [3]
    assert synced(store) == 1


def test_what_the_warehouse_has_heard_of_is_no_longer_noted(store: Store, copied: Copied) -> None:
    store.put(sessions, **session_row(5))
    copied.sync()
    store.bury(sessions, SESSIONS_MIRROR, 5)
    note_change(store, profile_id=7)
    assert notes(store) == [(2, "tombstones"), (3, "profile_changes")]
    copied.sync()
    assert notes(store) == []


def test_a_warehouse_from_before_what_is_still_noted_is_rebuilt(
    store: Store, copied: Copied, tmp_path: Path
) -> None:
    store.put(sessions, **session_row(5))
    copied.sync()
    copied.engine.close()
    shutil.copytree(tmp_path / "warehouse", tmp_path / "backup")
    with closing(open_engine(tmp_path / "warehouse")) as engine:
        store.bury(sessions, SESSIONS_MIRROR, 5)
        Copied(store, engine).sync()
    shutil.rmtree(tmp_path / "warehouse")
    (tmp_path / "backup").rename(tmp_path / "warehouse")
    with closing(open_engine(tmp_path / "warehouse")) as engine:
        restored = Copied(store, engine)
        assert len(restored.rows("from sessions")) == 1
        assert restored.sync().after == 0
        assert restored.rows("from sessions") == []


def note_change(store: Store, profile_id: int) -> None:
    """What a batch notes of a profile that it changed."""
    with store.changing() as (connection, change):
        row = {"shop_id": store.shop_id, "change": change, "profile_id": profile_id}
        connection.execute(insert(profile_changes).values(row))


def notes(store: Store) -> list[tuple[int, str]]:
    """What is noted for the warehouse: change number and table."""
    with store.database.read() as connection:
        return sorted(
            (change, table.name)
            for table in (tombstones, profile_changes)
            for change in connection.scalars(
                select(table.c.change).where(table.c.shop_id == store.shop_id)
            )
        )


def test_a_new_version_of_the_schema_fills_the_warehouse_anew(
    store: Store, copied: Copied, tmp_path: Path
) -> None:
    store.add_events(3)
    copied.sync()
    copied.engine.close()
    old = SCHEMA.mirrors[0]
    more = Mirror(
        table="event_facts",
        number=old.number,
        fields=(*old.fields, Field("more", Kind.TEXT)),
        key=old.key,
        changed_in=old.changed_in,
        rows=lambda *of: (
            type(rows)(rows.keys, [*rows.columns, ["x"] * len(rows.keys)]) for rows in old.rows(*of)
        ),
    )
    schema = Schema((more, *SCHEMA.mirrors[1:]), SCHEMA.views)
    with closing(open_engine(tmp_path / "warehouse", schema)) as engine:
        assert sync(store.database, engine, store.shop_id, schema).rows == 3
        found = engine.query(store.shop_id, "select more from event_facts")
    assert found.column("more").to_pylist() == ["x"] * 3


def test_a_rebuild_equals_what_was_there(store: Store, copied: Copied) -> None:
    store.add_events(5, properties={"title": "Shirt"})
    store.put_order(7, [{}, {}])
    copied.sync()
    before = copied.everything()
    result = copied.rebuild()
    assert copied.everything() == before
    assert (result.after, result.rows) == (0, 8)
    store.add_events(1)
    assert copied.sync().rows == 1


def test_a_rebuild_in_chunks_equals_what_was_there(store: Store, copied: Copied) -> None:
    for number in range(6):
        store.add_events(number % 3 + 1)
    note_change(store, profile_id=7)
    copied.sync()
    before = copied.everything()
    assert copied.rebuild(chunk_rows=2).chunks > 1
    assert copied.everything() == before
    # A warehouse that was lost fills in chunks as well.
    copied.engine.delete(store.shop_id)
    assert copied.sync(chunk_rows=2).chunks > 1
    assert copied.everything() == before


CHANGES = st.one_of(
    st.tuples(st.just("events"), st.integers(1, 4), st.integers(0, 3)),
    st.tuples(st.just("move"), st.integers(0, 50), st.integers(0, 3)),
    st.tuples(st.just("bury event"), st.integers(0, 50), st.just(0)),
    st.tuples(st.just("order"), st.integers(1, 4), st.integers(0, 3)),
    st.tuples(st.just("bury order"), st.integers(1, 4), st.just(0)),
    st.tuples(st.just("session"), st.integers(1, 4), st.integers(0, 3)),
    st.tuples(st.just("bury session"), st.integers(1, 4), st.just(0)),
    st.tuples(st.just("refund"), st.integers(1, 4), st.integers(0, 3)),
    st.tuples(st.just("map"), st.integers(1, 4), st.integers(1, 3)),
    st.tuples(st.just("sync"), st.integers(1, 5), st.just(0)),
    st.tuples(st.just("die"), st.integers(0, 3), st.integers(0, 1)),
)

_shop_ids = iter(range(1000, 1_000_000))


# The stores last for all examples; each has a shop of its own.
@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(history=st.lists(CHANGES, max_size=30))
def test_any_history_of_changes_and_deaths_ends_like_a_rebuild(
    database: Database, copied: Copied, history: list[tuple[str, int, int]]
) -> None:
    mine = Copied(Store(database, next(_shop_ids)), copied.engine)
    ids: list[int] = []
    for name, one, other in history:
        live(mine, ids, name, one, other)
    mine.sync(chunk_rows=3)
    synced_state = mine.everything()
    mine.rebuild()
    assert synced_state == mine.everything()
    with database.read() as connection:
        query = select(events.c.event_id).where(events.c.shop_id == mine.store.shop_id)
        kept = sorted(connection.scalars(query))
    assert sorted(row[0] for row in synced_state["event_facts"]) == kept


def live(mine: Copied, ids: list[int], name: str, one: int, other: int) -> None:
    """One thing that happens to a shop."""
    store = mine.store
    if name == "events":
        ids += store.add_events(one, fragment_id=other, properties={"title": f"{other}"})
    elif name == "move":
        store.move_events(ids[one : one + 3], other)
    elif name == "bury event" and ids:
        store.bury(events, EVENTS_MIRROR, ids.pop(one % len(ids)))
    elif name == "order":
        store.put_order(one, [{"title": f"{n}"} for n in range(other)], fragment_id=other)
    elif name == "bury order":
        store.bury(orders, ORDERS_MIRROR, one)
    elif name == "session":
        store.put(sessions, **{**session_row(one), "fragment_id": other})
    elif name == "bury session":
        store.bury(sessions, SESSIONS_MIRROR, one)
    elif name == "refund":
        store.put(refunds, **{**refund_row(one), "fragment_id": other})
    elif name == "map":
        store.put(fragments, **fragment_row(one, profile_id=other))
    elif name == "sync":
        mine.sync(chunk_rows=one)
    elif name == "die":
        url = store.database.engine.url.render_as_string(hide_password=False)
        with closing(Dying(url, reads_left=one, writes_left=other)) as dying:
            try:
                sync(dying, mine.engine, store.shop_id, SCHEMA, chunk_rows=2)
            except Died:
                return


class Died(BaseException):
    """As if the process had ended here."""


class Dying(Database):
    """A profile store at which the process dies after so many reads or writes."""

    def __init__(self, url: str, *, reads_left: int = 1000, writes_left: int = 1000) -> None:
        super().__init__(url)
        self.reads_left = reads_left
        self.writes_left = writes_left

    def read(self) -> Any:
        self.reads_left -= 1
        if self.reads_left < 0:
            raise Died
        return super().read()

    def write(self) -> Any:
        self.writes_left -= 1
        if self.writes_left < 0:
            raise Died
        return super().write()


def synced(store: Store) -> int:
    with store.database.read() as connection:
        query = select(shop_clock.c.synced).where(shop_clock.c.shop_id == store.shop_id)
        return int(connection.execute(query).scalar_one())
