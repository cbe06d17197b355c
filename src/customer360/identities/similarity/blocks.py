"""Who is compared with whom? Pure: SQL over the scratch tables.

Two people are compared only when they share a key, as comparing everybody with everybody would take days. Each key
takes other parts of what is told, so that a typo leaves some as they are. A key that many share says little and costs
much: the commonest are left out until the rest fits the budget.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from customer360.identities.similarity.comparisons import trait_column

_NAMES = ("first_name", "last_name")
_LINES = ("street", "street2")
_BEGIN = 4
"""Letters of a name that a key takes: typos are likelier further on."""


def keys_sql(traits: int) -> str:
    """Select of (key, person_id) over `people`: the keys of everybody, by which they meet."""
    columns = [trait_column(number) for number in range(1, traits + 1)]
    parts = [
        _listed("place", "places"),
        _listed("phone", "phones"),
        _listed("mailbox", "mailboxes"),
        # Names may be swapped, so both are used alike.
        _joined("names", (_sorted("first_name", "last_name"),)),
        _joined("begin", (_sorted(_begin("first_name"), _begin("last_name")),)),
        *(
            _joined(about, (_begin(name), near))
            for name in _NAMES
            for about, near in (("zip", "zip"), ("city", "left(city, 5)"), ("house", "house"))
        ),
        *(_joined("street zip", (f"left({line}, 6)", "zip")) for line in _LINES),
        *(_joined("street house", (f"left({line}, 8)", "house")) for line in _LINES),
        *(_joined("trait", (column,)) for column in columns),
        *(
            _joined("name trait", (_begin(name), f"left({column}, {_BEGIN})"))
            for name in _NAMES
            for column in columns
        ),
    ]
    # A number in place of the text: a third of the memory; two texts with one number are compared for nothing.
    return f"select distinct hash(key) as key, person_id\nfrom ({_union(parts)})\nwhere key is not null"


SIZES_SQL = """
select size, count(*) as keys
from (
    select count(*) as size
    from keys
    group by key
    having count(*) > 1
)
group by size
order by size
"""
"""How many keys are shared by how many people."""


def largest_size(sizes: Iterable[tuple[int, int]], budget: int) -> int:
    """The largest number of people that a key may bring together, so that all make at most `budget` pairs.

    sizes: (people, keys) in ascending order of people.
    """
    largest = pairs = 0
    for people, keys in sizes:
        pairs += keys * people * (people - 1) // 2
        if pairs > budget:
            break
        largest = people
    return largest


MEETINGS_SQL = """
create or replace table meetings as
select key, person_id
from keys
where key in (
    select key
    from keys
    group by key
    having count(*) between 2 and ?
)
"""
"""The keys that bring people together."""

PAIRS_SQL = """
create or replace table pairs as
select distinct
    one.person_id as join_key_l,
    other.person_id as join_key_r,
    '0' as match_key
from meetings as one
join meetings as other on other.key = one.key and other.person_id > one.person_id
where hash(one.person_id) % ? = ?
"""
"""A share of the pairs that meet, each in one share only; columns as Splink calls them."""


def _listed(about: str, column: str) -> str:
    return f"select '{about} ' || unnest({column}) as key, person_id from people"


def _joined(about: str, parts: Sequence[str]) -> str:
    text = " || ' ' || ".join((f"'{about}'", *parts))
    return f"select {text} as key, person_id from people"


def _sorted(one: str, other: str) -> str:
    # least() and greatest() leave nulls out, which would make half a name a name.
    return (
        f"case when {one} is not null and {other} is not null"
        f" then least({one}, {other}) || ' ' || greatest({one}, {other}) end"
    )


def _begin(column: str) -> str:
    return f"left({column}, {_BEGIN})"


def _union(parts: Sequence[str]) -> str:
    return "\nunion all\n".join(parts)
