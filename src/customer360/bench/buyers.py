"""An invented shop of many buyers: who order and leave as the models say, with what else they did, in its warehouse."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from customer360.bench.segment_shop import run_all
from customer360.clock import DAY, Instant, to_iso
from customer360.enrichment.model import Orders
from customer360.storage.engines.engine import Engine

DAYS = 730
"""The shop is two years old."""
_RATE_SHAPE, _RATE_WEEKS, _LEAVE, _STAY = 0.5, 8.0, 0.8, 2.5
"""r, alpha, a and b of BG/NBD: a shop of whose buyers most order once."""

# By day, from nine in the morning: the same calendar day wherever the shop is in Europe.
_AT = "timestamp '{opened}' + to_days(cast(day as int)) + to_seconds(cast(32400 + u(n, 1) * 36000 as bigint))"
_PEOPLE = """
create table person as
select i, ident(min(at_time), i) as profile_id, min(at_time) as first_at from purchase group by i
"""
_PURCHASES = f"create table purchase as select n, i, {_AT} as at_time from bought"
_MAP = """
insert into fragment_profiles (fragment_id, profile_id)
select profile_id, profile_id from person order by profile_id
"""
_PROFILES = """
insert into profiles (profile_id, kind)
select profile_id, 'customer' from person order by profile_id
"""
# Half of what people buy is one of the few things that they always buy.
_LINES = """
insert into order_lines (order_id, fragment_id, product_id, title, quantity, unit_price, discount)
select ident(at_time, n), profile_id, 'p' || product, 'Product no. ' || product, 1, 5 + product % 95, 0
from (
    select *, cast(floor(2000 * power(case when u(n * 2 + x, 2) < .5 then u(i * 2 + x, 3) else u(n * 2 + x, 4) end, 3))
        as bigint) as product
    from (select *, unnest(range(1 + (u(n, 5) < .4)::int)) as x from purchase join person using (i))
)
order by at_time
"""
_ORDERS = """
insert into orders (order_id, fragment_id, order_key, source, placed_at, test, currency, foreign_currency, total)
select ident(at_time, n), profile_id, 'shopify:' || n, 'webhook', at_time, false, 'EUR', false,
    round((10 - 40 * ln(1 - u(i, 6))) * (0.5 + u(n, 7)), 2)
from purchase join person using (i) order by at_time
"""
_EVENTS = """
insert into event_facts (event_id, fragment_id, type, source, occurred_at)
select ident(at_time, i * 8 + k), profile_id,
    ['page_viewed', 'product_viewed', 'product_viewed', 'email_received', 'email_opened', 'email_clicked'][1 + k % 6],
    'pixel', at_time
from (
    select *, first_at + to_seconds(cast(u(i * 8 + k, 8) * date_diff('second', first_at, timestamp '{now}') as bigint))
        as at_time
    from (select *, unnest(range({events})) as k from person)
)
order by at_time
"""
_EVENTS_A_BUYER = 5


def made_up(buyers: int) -> Orders:
    """Orders of buyers who order at a rate and leave with a chance of their own, over two years; all on the last day.

    Days count from the shop's first; the totals are 1.
    """
    chance = np.random.default_rng(1)
    rate = chance.gamma(_RATE_SHAPE, 1 / _RATE_WEEKS, buyers)
    leaves = chance.beta(_LEAVE, _STAY, buyers)
    begin = DAYS - chance.integers(1, DAYS, buyers)
    week, there = np.zeros(buyers), np.arange(buyers)
    who, days = [there], [begin]
    while len(there):
        week[there] += chance.exponential(1 / rate[there])
        there = there[begin[there] + week[there] * 7 < DAYS]
        who.append(there)
        days.append(begin[there] + (week[there] * 7).astype(np.int64))
        there = there[chance.random(len(there)) > leaves[there]]
    buyer = np.concatenate(who)
    return Orders(buyers, buyer, np.concatenate(days), np.ones(len(buyer)))


def fill_with_buyers(engine: Engine, shop_id: int, *, buyers: int, now: Instant) -> None:
    """So many buyers, what they ordered until yesterday, and five times as many events."""
    orders = made_up(buyers)
    bought = {"n": np.arange(len(orders.day)), "i": orders.buyer, "day": orders.day}
    sizes: dict[str, int | str] = {
        "opened": f"{to_iso(now // DAY * DAY - DAYS * DAY)}",
        "now": f"{to_iso(now)}",
        "events": _EVENTS_A_BUYER,
    }
    with engine.transaction(shop_id) as transaction:
        transaction.execute("create table bought (n bigint, i bigint, day bigint)")
        transaction.append("bought", pa.table(bought))
        run_all(
            transaction, (_PURCHASES, _PEOPLE, _MAP, _PROFILES, _LINES, _ORDERS, _EVENTS), sizes
        )
        for table in ("bought", "purchase", "person"):
            transaction.execute(f"drop table {table}")
    engine.rest()
