"""An invented shop's warehouse, filled by SQL within it: people, visits, events, orders, messages, with their skew.

Twenty million events through the real pipeline would take an hour; rules read the warehouse alone. Everything follows
from hashes of running numbers, so the same sizes give the same rows.
"""

from __future__ import annotations

from collections.abc import Mapping

from customer360.bench.store import Progress
from customer360.clock import DAY, Instant, to_iso
from customer360.storage.engines.engine import Engine, Transaction
from customer360.values import LIST_MARK

_AGE_DAYS = 730
"""The shop is two years old."""
_EVENTS_A_VISIT = 6.68
"""What a visit brings on average, messages included."""
_EVENTS_AT_ONCE = 1_000_000

_MACROS = (
    # Two draws of one number are independent only if their salts are mixed into it.
    "create or replace temp macro u(a, salt) as hash(a % 1000000000039 * 64 + salt) / 18446744073709551616.0",
    "create or replace temp macro moment(share) as"
    f" timestamp '{{opened}}' + to_seconds(cast({_AGE_DAYS * 86400} * sqrt(share) as bigint))",
    # As ids are made: milliseconds since 2024, and what tells those of one apart.
    "create or replace temp macro ident(t, n) as ((epoch_ms(t) - 1704067200000) << 22) + n % 4194304",
    "create or replace temp macro listed(words) as"
    f" chr({ord(LIST_MARK)}) || translate(words, ' ', chr({ord(LIST_MARK)}))",
)

_PEOPLE = """
create table base as
select i, moment((i + 0.5) / {profiles}) as seen, u(i, 2) < 0.6 as customer,
    1 + (u(i, 1) >= .25)::int + (u(i, 1) >= .55)::int + (u(i, 1) >= .75)::int + (u(i, 1) >= .88)::int
    + (u(i, 1) >= .96)::int as fragments
from range({profiles}) as r(i)
"""
_FRAGMENTS = """
create table fragment as
select i, j, ident(seen + to_seconds(cast(j * u(i * 8 + j, 3) * 2592000 as bigint)), i * 8 + j) as fragment_id,
    ident(seen, i) as profile_id
from (select i, seen, unnest(range(fragments)) as j from base)
"""
_MAP = """
insert into fragment_profiles (fragment_id, profile_id)
select fragment_id, profile_id from fragment order by fragment_id
"""
# A few people make most visits, none before they were first seen.
_VISITS = """
create table visit as
with drawn as (
    select v, cast(floor({profiles} * power(u(v, 4), 2)) as bigint) * 48271 % {profiles} as i,
        cast(floor({profiles} * ((v + 0.5) / {visits})) as bigint) as newest
    from range({visits}) as r(v)
)
select v, i, moment((v + 0.5) / {visits}) as began, cast(hash(v, 5) % fragments as bigint) as j, customer,
    least(1 + cast(floor(-5.0 * ln(1 - u(v, 6))) as bigint), 60) as events, u(v, 7) as origin, u(v, 8) as ending
from (select v, case when i <= newest then i else i % (newest + 1) end as i from drawn) join base using (i)
order by v
"""
_EVENTS = """
insert into event_facts (event_id, fragment_id, type, source, occurred_at, session_id, url, referrer, product_id,
    title, vendor, category, price, currency, quantity, total, search_term, collection_id, collection_title, properties)
with happened as (
    select v, i, j, began, origin, k, began + to_seconds(k * 40) as at_time, u(v * 64 + k, 9) as kind, hash(v, k) as h,
        cast(floor(2000 * power(u(v * 64 + k, 10), 3)) as bigint) as product
    from (select *, unnest(range(events)) as k from visit where v >= {first} and v < {last})
), typed as (
    select *, case when kind < .38 then 'page_viewed' when kind < .70 then 'product_viewed'
        when kind < .80 then 'collection_viewed' when kind < .85 then 'searched' when kind < .92 then 'added_to_cart'
        when kind < .94 then 'removed_from_cart' when kind < .96 then 'cart_viewed'
        when kind < .985 then 'checkout_started' else 'Quiz finished' end as type,
        kind between .38 and .70 or kind between .85 and .94 as of_product
    from happened
)
select ident(at_time, v * 64 + k), fragment_id, type, 'pixel', at_time, ident(began, v),
    case when of_product then '/products/' || product when type <> 'Quiz finished' then '/pages/' || h % 500 end,
    case when k = 0 and origin < .4 then 'www.google.com' when k = 0 and origin < .5 then 'www.facebook.com' end,
    case when of_product then 'p' || product end, case when of_product then 'Product no. ' || product end,
    case when of_product then 'Vendor ' || product % 40 end, case when of_product then 'Category ' || product % 25 end,
    case when of_product then 5 + product % 195 end, case when of_product then 'EUR' end,
    case when type in ('added_to_cart', 'checkout_started') then 1 + h % 3 end,
    case when type in ('added_to_cart', 'checkout_started') then (5 + product % 195) * (1 + h % 3) end,
    case when type = 'searched' then 'term ' || h % 300 end,
    case when type = 'collection_viewed' then 'c' || h % 60 end,
    case when type = 'collection_viewed' then 'Collection ' || h % 60 end,
    case when type = 'Quiz finished' then '{{"score": ' || h % 10 || ', "result": "r' || h % 5 || '"}}' end
from typed join fragment using (i, j)
order by v, k
"""
_MESSAGES = """
insert into event_facts (event_id, fragment_id, type, source, occurred_at, campaign, campaign_id, subject)
select ident(sent + to_minutes(x * 30), v * 4 + x), fragment_id,
    ['email_sent', 'email_received', 'email_opened', 'email_clicked'][x + 1], 'server', sent + to_minutes(x * 30),
    'Campaign ' || campaign, 'c' || campaign, 'Subject ' || campaign
from (
    select v, i, j, began + to_hours(5) as sent, cast(100 * v / {visits} as bigint) as campaign,
        unnest(range(case when u(v, 11) < .1 then 4 when u(v, 11) < .3 then 3 else 2 end)) as x
    from visit where v >= {first} and v < {last} and u(v, 12) < .5
) join fragment using (i, j)
order by v, x
"""
_SESSIONS = """
insert into sessions (session_id, fragment_id, first_at, last_at, events, touched_at, touch_source, touch_medium,
    touch_url)
select ident(began, v), fragment_id, began, began + to_seconds(events * 40), events, began,
    case when origin < .4 then 'google' when origin < .5 then 'facebook' when origin < .6 then 'newsletter' end,
    case when origin < .2 then 'cpc' when origin < .4 then 'organic' when origin < .5 then 'social' end,
    '/pages/' || v % 500
from visit join fragment using (i, j) order by v
"""
_CHECKOUTS = """
insert into checkouts (checkout_id, fragment_id, started_at, abandoned_at, total, quantity, currency)
select ident(began, v), fragment_id, began, began + to_hours(1), 5 + v % 200, 1 + v % 3, 'EUR'
from visit join fragment using (i, j) where ending >= .9 order by v
"""
_LINES = """
insert into order_lines (order_id, fragment_id, product_id, variant, title, vendor, sku, quantity, unit_price, discount)
select ident(began, v), fragment_id, 'p' || product, 'Size ' || product % 5, 'Product no. ' || product,
    'Vendor ' || product % 40, 'S' || product, 1 + cast(floor(3 * power(u(v * 8 + x, 14), 4)) as bigint),
    5 + product % 195, 0
from (
    select *, cast(floor(2000 * power(u(v * 8 + x, 15), 3)) as bigint) as product
    from (select *, unnest(range(cast(1 + floor(5 * power(u(v, 13), 2)) as bigint))) as x from visit
        where customer and ending < .35)
) join fragment using (i, j)
order by v, x
"""
_ORDERS = """
insert into orders (order_id, fragment_id, order_key, source, placed_at, cancelled_at, test, currency,
    foreign_currency, total, discount, items_count, place, location, status, promo_codes, order_ref)
with bought as (
    select order_id, any_value(fragment_id) as fragment_id, sum(quantity * unit_price) as total, sum(quantity) as items,
        make_timestamp(((order_id >> 22) + 1704067200000) * 1000) as placed_at
    from order_lines group by order_id
)
select order_id, fragment_id, 'shopify:' || order_id % 100000000, 'webhook', placed_at,
    case when u(order_id, 16) < .03 then placed_at + to_days(1) end, false, 'EUR', false, total,
    case when u(order_id, 17) < .2 then 5 else 0 end, items,
    case when u(order_id, 18) < .85 then 'online' else 'in_store' end,
    case when u(order_id, 18) >= .85 then 'Store ' || order_id % 12 end, 'paid',
    listed(case when u(order_id, 17) < .2 then 'SAVE5 ' else '' end), order_id
from bought order by order_id
"""
_PROFILES = """
insert into profiles (profile_id, kind, orders_count, items_count, total_spend, net_spend, average_order_value,
    first_order_at, last_order_at, first_seen_at, last_seen_at, sessions_count, events_count, last_touch_source,
    country, city, language, tags, has_email, email_domain, email_sent_count, consent_email, last_acted_at,
    opted_in_at, product_views, first_touch_source, first_touch_medium)
with bought as (
    select profile_id, count(*) as n, sum(items_count) as items, sum(total) as total, min(placed_at) as first_at,
        max(placed_at) as last_at
    from orders join fragment_profiles using (fragment_id) where cancelled_at is null group by profile_id
), visited as (
    select profile_id, count(*) as n, sum(events) as events, min(first_at) as first_at, max(last_at) as last_at,
        arg_max(touch_source, first_at) as source, arg_min(touch_source, first_at) as first_source,
        arg_min(touch_medium, first_at) as first_medium
    from sessions join fragment_profiles using (fragment_id) group by profile_id
)
select p.profile_id, case when customer then 'customer' else 'visitor' end, coalesce(b.n, 0), coalesce(b.items, 0),
    coalesce(b.total, 0), coalesce(b.total, 0), b.total / b.n, b.first_at, b.last_at, coalesce(s.first_at, seen),
    coalesce(s.last_at, seen), coalesce(s.n, 0), coalesce(s.events, 0), s.source,
    case when u(i, 20) < .5 then 'IE' when u(i, 20) < .75 then 'GB' when u(i, 20) < .85 then 'US'
        else ['DE', 'FR', 'ES', 'NL', 'IT'][1 + i % 5] end,
    case when u(i, 21) < .7 then 'City ' || i % 900 end, case when u(i, 22) < .8 then 'en' else 'de' end,
    listed(case when not customer then '' when u(i, 23) < .05 then 'VIP newsletter '
        when u(i, 23) < .4 then 'newsletter ' when u(i, 23) < .6 then 'wholesale blue ' else '' end),
    customer,
    case when customer then ['gmail.com', 'outlook.com', 'yahoo.com', 'shop.example'][1 + i % 4] end, i % 30,
    case when not customer then 'never' when u(i, 27) < .6 then 'granted' when u(i, 27) < .8 then 'withdrawn'
        else 'never' end,
    greatest(s.last_at, b.last_at), case when customer and u(i, 27) < .6 then seen end,
    cast(coalesce(s.events, 0) * .32 as bigint), s.first_source, s.first_medium
from (select i, seen, customer, ident(seen, i) as profile_id from base) as p
left join bought as b using (profile_id) left join visited as s using (profile_id)
order by i
"""


_SCORES = """
insert into scores (profile_id, tier, rfm_group, churn_risk, ltv)
select profile_id, case when orders_count = 1 then 'new' else 'regular' end,
    case when orders_count > 2 then 'champions' else 'promising' end, 1 / (1 + orders_count), total_spend * 1.2
from profiles where orders_count > 0 order by profile_id
"""


def fill_warehouse(
    engine: Engine, shop_id: int, *, profiles: int, events: int, now: Instant, progress: Progress
) -> None:
    """So many profiles and about so many events until now; about one profile in four has ordered."""
    sizes: dict[str, int | str] = {
        "profiles": profiles,
        "visits": int(events / _EVENTS_A_VISIT),
        "opened": f"{to_iso(now - _AGE_DAYS * DAY)}",
    }
    with engine.transaction(shop_id) as transaction:
        run_all(transaction, (_PEOPLE, _FRAGMENTS, _MAP, _VISITS), sizes)
    chunks, step = -(-events // _EVENTS_AT_ONCE), int(_EVENTS_AT_ONCE / _EVENTS_A_VISIT) + 1
    for number in range(chunks):
        progress("Inventing events", number, chunks)
        part = sizes | {"first": number * step, "last": (number + 1) * step}
        with engine.transaction(shop_id) as transaction:
            run_all(transaction, (_EVENTS, _MESSAGES), part)
    progress("Inventing events", chunks, chunks)
    for statements in ((_SESSIONS, _CHECKOUTS), (_LINES, _ORDERS), (_PROFILES, _SCORES)):
        with engine.transaction(shop_id) as transaction:
            run_all(transaction, statements, sizes)
    with engine.transaction(shop_id) as transaction:
        for table in ("base", "fragment", "visit"):
            transaction.execute(f"drop table {table}")
    engine.rest()


def run_all(
    transaction: Transaction, statements: tuple[str, ...], sizes: Mapping[str, int | str]
) -> None:
    """Run statements that know our macros; `sizes` has `opened`, the shop's first instant."""
    for statement in (*_MACROS, *statements):
        transaction.execute(statement.format(**sizes))
