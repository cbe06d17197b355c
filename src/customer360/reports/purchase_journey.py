"""What do people buy first, second and third? Each order counts for its dearest line, so everybody goes one way."""

from __future__ import annotations

from customer360.errors import NotFound
from customer360.reports.model import Answer, Choice, Column, Question, Report, Row, Who
from customer360.reports.sql import PURCHASE, Sql

ORDERS = 3
MOST = 6
"""So many products of each order are told apart; the rest are one."""
OTHER, NO_FURTHER, UNKNOWN = "*other", "*none", "*unknown"
WORDS = {OTHER: "Other", NO_FURTHER: "No further order", UNKNOWN: "Not told"}
BY = Choice("by", "By", (("product", "Product"), ("vendor", "Vendor")))
_KEYS = {
    "product": ("coalesce(l.product_id, l.title)", "coalesce(l.title, l.product_id)"),
    "vendor": ("l.vendor", "l.vendor"),
}


def _answer(question: Question) -> Answer:
    sql = Sql()
    found = question.ask(
        sql,
        f"""
        with {_journeys(question, sql)},
        flows as (
            select 1 as number, first as bought, coalesce(second, '{NO_FURTHER}') as next from journeys
            union all
            select 2, second, coalesce(third, '{NO_FURTHER}') from journeys where second is not null
        )
        select number, bought, next, count(*) as people, any_value(a.label) as title, any_value(b.label) as next_title
        from flows
        left join labels a on a.key = flows.bought
        left join labels b on b.key = flows.next
        group by number, bought, next
        order by number, people desc, bought, next
        """,
    )
    of_node: dict[tuple[int, str], int] = {}
    for row in found:
        node = (row["number"], row["bought"])
        of_node[node] = of_node.get(node, 0) + row["people"]
    rows = [_row(row, of_node[row["number"], row["bought"]]) for row in found]
    people = sum(count for (number, _), count in of_node.items() if number == 1)
    again = sum(count for (number, _), count in of_node.items() if number == 2)
    return Answer(rows, {"people": people, "share": again / people if people else None})


def _row(row: Row, people: int) -> Row:
    return {
        "order": row["number"],
        "product": row["bought"],
        "title": WORDS.get(row["bought"]) or row["title"] or row["bought"],
        "next_product": row["next"],
        "next_title": WORDS.get(row["next"]) or row["next_title"] or row["next"],
        "people": row["people"],
        "share": row["people"] / people,
    }


def _journeys(question: Question, sql: Sql) -> str:
    """Steps that end in `journeys`, a row a person with the key of each order, and `labels` of the keys."""
    chosen = question.filter
    key, label = _KEYS[chosen.choices[BY.name]]
    return f"""
        numbered as (
            select f.profile_id, o.order_id, min(o.placed_at) over (partition by f.profile_id) as first_at,
                row_number() over (partition by f.profile_id order by o.placed_at, o.order_id) as number
            from orders o
            join fragment_profiles f on f.fragment_id = o.fragment_id
            where {PURCHASE} and {sql.of_segment(chosen.segment_id, "f.profile_id")}
        ),
        wanted as (
            select profile_id, order_id, number
            from numbered
            where number <= {ORDERS} and {sql.within("first_at", chosen.first, chosen.last, chosen.timezone)}
        ),
        lines as (
            select l.order_id, {key} as key, {label} as label,
                row_number() over (
                    partition by l.order_id
                    order by l.unit_price * l.quantity desc nulls last, {key}
                ) as place
            from order_lines l
            where l.quantity > 0 and l.order_id in (select order_id from wanted)
        ),
        bought as (
            select w.profile_id, w.number, coalesce(l.key, '{UNKNOWN}') as key
            from wanted w
            left join lines l on l.order_id = w.order_id and l.place = 1
        ),
        ranked as (
            select number, key, row_number() over (partition by number order by count(*) desc, key) as place
            from bought
            group by number, key
        ),
        journeys as (
            select b.profile_id,
                max(case when r.place <= {MOST} then b.key else '{OTHER}' end) filter (where b.number = 1) as first,
                max(case when r.place <= {MOST} then b.key else '{OTHER}' end) filter (where b.number = 2) as second,
                max(case when r.place <= {MOST} then b.key else '{OTHER}' end) filter (where b.number = 3) as third
            from bought b
            join ranked r on r.number = b.number and r.key = b.key
            group by b.profile_id
        ),
        labels as (
            select key, mode(label) as label
            from lines
            where place = 1 and key is not null
            group by key
        )
        """


def _people(question: Question, sql: Sql, who: Who) -> str:
    number = {"1": 1, "2": 2, "3": 3}.get(who.get("order", "1"))
    if number is None or ("next_product" in who and number == ORDERS):
        raise NotFound
    steps = _journeys(question, sql)
    names = ("first", "second", "third")
    wanted = [f"{names[number - 1]} is not null"]
    if "product" in who:
        wanted.append(f"{names[number - 1]} = {sql.value(who['product'])}")
    if "next_product" in who:
        following = f"coalesce({names[number]}, '{NO_FURTHER}')"
        wanted.append(f"{following} = {sql.value(who['next_product'])}")
    return f"with {steps} select profile_id from journeys where {' and '.join(wanted)}"


REPORT = Report(
    name="purchase-journey",
    title="Purchase journey",
    asks="What do customers buy first, and what do they buy after it?",
    icon="arrow-long-right",
    chart="sankey",
    columns=(
        Column("order", "Order"),
        Column("product", "Product id", "text"),
        Column("title", "Bought", "text"),
        Column("next_product", "Next product id", "text"),
        Column("next_title", "Then bought", "text"),
        Column(
            "people",
            "Customers",
            help="Customers whose first counted order lies within the days, by what they bought with that order and"
            " the next two. An order counts for its dearest line (unit price × quantity). The six that most"
            " bought stand alone, the rest are Other.",
            who=("order", "product", "next_product"),
        ),
        Column("share", "Share", "share", help="Of those who bought the first of both."),
    ),
    choices=(BY,),
    headline=("people", "share"),
    usual_range="13m",
    answer=_answer,
    people=_people,
    rule=lambda _question, _who: None,
    empty="Journeys appear here with the first orders, from a shop system, the till or a file.",
)
