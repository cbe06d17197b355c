"""What is compared, in which steps from equal to different, and what each step weighs where nothing was learned.

Pure. Every step has its condition twice: as SQL over the columns of `Features` of a left and a right person for
DuckDB, and in Python with rapidfuzz, whose distance functions DuckDB carries itself; a test holds them together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter

from rapidfuzz.distance import DamerauLevenshtein, JaroWinkler

from customer360.identities.similarity.features import Features
from customer360.identities.similarity.model import DIFFERS

Holds = Callable[[Features, Features], bool]


@dataclass(frozen=True, slots=True)
class Word:
    """A thing of a person that many may share: its column, and where it is in `Features`."""

    column: str
    of: Callable[[Features], str | None]


@dataclass(frozen=True, slots=True)
class Step:
    """One level of agreement. `m` is how often pairs of one person are on it, `u` how often other pairs are."""

    word: str
    sql: str
    holds: Holds
    m: float
    u: float
    adjusted_by: Word | None = None
    """What says less on this step where many have the same, and more where few have."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One thing that is compared; the first step that holds counts, and the last one always holds."""

    name: str
    about: str
    untold_sql: str
    untold: Holds
    """Whether a side tells nothing, so that nothing can be said."""
    steps: tuple[Step, ...]
    personal: bool = False
    """Whether it tells people of one household apart."""
    given: bool = False
    """Whether people cannot teach what it weighs."""

    def step(self, left: Features, right: Features) -> int | None:
        """The index of the step that two people are on; None where a side tells nothing."""
        if self.untold(left, right):
            return None
        for index, step in enumerate(self.steps):
            if step.holds(left, right):
                return index
        return len(self.steps) - 1


# Jaro-Winkler: 0.88 takes in one slip of a short name, two of a long one.
_NAME_LIKENESS = 0.88
_SLIPS = 2
_LONG = 6


def comparisons(traits: Sequence[str]) -> tuple[Comparison, ...]:
    """All that is compared; the traits' columns are named trait_1, trait_2 and so on."""
    return (
        _FIRST_NAME,
        _LAST_NAME,
        _STREET,
        _AREA,
        _PHONE,
        _MAILBOX,
        _ACCOUNT,
        *(_trait(number, name) for number, name in enumerate(traits, start=1)),
    )


def trait_column(number: int) -> str:
    """Where the values of the n-th trait are, counted from 1."""
    return f"trait_{number}"


def _otherwise(m: float, u: float) -> Step:
    return Step(DIFFERS, "else", lambda _left, _right: True, m, u)


def _alike_sql(one: str, other: str) -> str:
    return f"jaro_winkler_similarity({one}, {other}) >= {_NAME_LIKENESS}"


def _alike(one: str | None, other: str | None) -> bool:
    if one is None or other is None:
        return False
    return JaroWinkler.similarity(one, other, score_cutoff=_NAME_LIKENESS) >= _NAME_LIKENESS


def _close_sql(one: str, other: str) -> str:
    return (
        f"(least(length({one}), length({other})) >= {_LONG}"
        f" and damerau_levenshtein({one}, {other}) <= {_SLIPS})"
    )


def _close(one: str | None, other: str | None) -> bool:
    """At most two slips in a long word."""
    if one is None or other is None or min(len(one), len(other)) < _LONG:
        return False
    return DamerauLevenshtein.distance(one, other, score_cutoff=_SLIPS) <= _SLIPS


def _same(column: str, left: Features, right: Features) -> bool:
    value = getattr(left, column)
    return value is not None and value == getattr(right, column)


def _first(values: Sequence[str]) -> str | None:
    return values[0] if values else None


def _share(column: str, left: Features, right: Features) -> bool:
    return not set(getattr(left, column)).isdisjoint(getattr(right, column))


def _in_common(column: str, m: float, u: float) -> Step:
    return Step("same", f"list_has_any({column}_l, {column}_r)", partial(_share, column), m, u)


def _untold(column: str, left: Features, right: Features) -> bool:
    return not getattr(left, column) or not getattr(right, column)


def _word(column: str) -> Word:
    return Word(column, attrgetter(column))


def _untold_sql(column: str) -> str:
    return f"{column}_l is null or {column}_r is null"


def _swapped(left: Features, right: Features) -> bool:
    return _alike(left.first_name, right.last_name) and _alike(left.last_name, right.first_name)


_SWAPPED_SQL = (
    f"{_alike_sql('first_name_l', 'last_name_r')} and {_alike_sql('last_name_l', 'first_name_r')}"
)


def _initial(left: Features, right: Features) -> bool:
    one, other = left.first_name or "", right.first_name or ""
    return min(len(one), len(other)) == 1 and one[0] == other[0]


_INITIAL_SQL = (
    "least(length(first_name_l), length(first_name_r)) = 1"
    " and left(first_name_l, 1) = left(first_name_r, 1)"
)


_FIRST_NAME = Comparison(
    "first_name",
    "first_name",
    _untold_sql("first_name"),
    partial(_untold, "first_name"),
    (
        Step("same", "first_name_l = first_name_r", partial(_same, "first_name"), 0.70, 0.005, _word("first_name")),
        Step("swapped", _SWAPPED_SQL, _swapped, 0.03, 0.0001),
        Step(
            "similar",
            _alike_sql("first_name_l", "first_name_r"),
            lambda left, right: _alike(left.first_name, right.first_name),
            0.12,
            0.008,
        ),
        Step("initial", _INITIAL_SQL, _initial, 0.02, 0.002),
        _otherwise(0.13, 0.985),
    ),
    personal=True,
)  # fmt: skip

_LAST_NAME = Comparison(
    "last_name",
    "last_name",
    _untold_sql("last_name"),
    partial(_untold, "last_name"),
    (
        Step("same", "last_name_l = last_name_r", partial(_same, "last_name"), 0.75, 0.002, _word("last_name")),
        Step("swapped", _SWAPPED_SQL, _swapped, 0.03, 0.0001),
        Step(
            "similar",
            _alike_sql("last_name_l", "last_name_r"),
            lambda left, right: _alike(left.last_name, right.last_name),
            0.12,
            0.005,
        ),
        _otherwise(0.10, 0.993),
    ),
)  # fmt: skip


def _same_house(left: Features, right: Features) -> bool:
    return _share("places", left, right) or (
        _same("street", left, right) and left.house == right.house
    )


def _like_streets(left: Features, right: Features) -> bool:
    """The street, or the lines of the address in another order."""
    return any(
        _same_word(one, other) or _close(one, other)
        for one, other in (
            (left.street, right.street),
            (left.street, right.street2),
            (left.street2, right.street),
        )
    )


def _same_word(one: str | None, other: str | None) -> bool:
    return one is not None and one == other


_LIKE_STREETS_SQL = " or ".join(
    f"{one} = {other} or {_close_sql(one, other)}"
    for one, other in (
        ("street_l", "street_r"),
        ("street_l", "street2_r"),
        ("street2_l", "street_r"),
    )
)

_STREET = Comparison(
    "street",
    "street",
    _untold_sql("street"),
    partial(_untold, "street"),
    (
        Step(
            "same",
            "list_has_any(places_l, places_r) or (street_l = street_r and house_l is not distinct from house_r)",
            _same_house,
            0.50,
            0.0002,
        ),
        Step(
            "similar",
            f"house_l = house_r and ({_LIKE_STREETS_SQL})",
            lambda left, right: _same("house", left, right) and _like_streets(left, right),
            0.12,
            0.0001,
        ),
        Step("other_number", _LIKE_STREETS_SQL, _like_streets, 0.12, 0.002, _word("street")),
        Step(
            "only_number", "house_l = house_r", partial(_same, "house"), 0.06, 0.01, _word("house")
        ),
        _otherwise(0.20, 0.9877),
    ),
)


def _same_area(left: Features, right: Features) -> bool:
    return _share("places", left, right) or (
        _same("zip", left, right) and _same("city", left, right)
    )


def _like_area(left: Features, right: Features) -> bool:
    return (_same("zip", left, right) and _alike(left.city, right.city)) or (
        _same("city", left, right) and _slip(left.zip, right.zip)
    )


def _slip(one: str | None, other: str | None) -> bool:
    if one is None or other is None:
        return False
    return DamerauLevenshtein.distance(one, other, score_cutoff=1) <= 1


_AREA = Comparison(
    "area",
    "area",
    "(zip_l is null or zip_r is null) and (city_l is null or city_r is null)",
    lambda left, right: _untold("zip", left, right) and _untold("city", left, right),
    (
        Step(
            "same",
            "list_has_any(places_l, places_r) or (zip_l = zip_r and city_l = city_r)",
            _same_area,
            0.60,
            0.002,
            _word("zip"),
        ),
        Step(
            "similar",
            f"(zip_l = zip_r and {_alike_sql('city_l', 'city_r')})"
            " or (city_l = city_r and damerau_levenshtein(zip_l, zip_r) <= 1)",
            _like_area,
            0.12,
            0.002,
        ),
        Step(
            "partly",
            "zip_l = zip_r or city_l = city_r",
            lambda left, right: _same("zip", left, right) or _same("city", left, right),
            0.10,
            0.01,
            _word("city"),
        ),
        _otherwise(0.18, 0.986),
    ),
)

_PHONE = Comparison(
    "phone",
    "phone",
    _untold_sql("phones"),
    partial(_untold, "phones"),
    (
        _in_common("phones", 0.50, 0.00005),
        Step(
            "similar",
            "damerau_levenshtein(phones_l[1], phones_r[1]) <= 1",
            lambda left, right: _slip(left.phones[0], right.phones[0]),
            0.05,
            0.00005,
        ),
        _otherwise(0.45, 0.9999),
    ),
)

_MAILBOX = Comparison(
    "mailbox",
    "mailbox",
    _untold_sql("mailboxes"),
    partial(_untold, "mailboxes"),
    (
        _in_common("mailboxes", 0.40, 0.0002),
        Step(
            "similar",
            _close_sql("nicknames_l[1]", "nicknames_r[1]"),
            lambda left, right: _close(_first(left.nicknames), _first(right.nicknames)),
            0.10,
            0.0003,
        ),
        _otherwise(0.50, 0.9995),
    ),
    personal=True,
)


# Somebody's second profile is mostly of an address or a device, and one in ten has an account of its own; of two
# people each has one.
_ACCOUNT = Comparison(
    "account",
    "account",
    _untold_sql("accounts"),
    partial(_untold, "accounts"),
    (_in_common("accounts", 0.90, 0.00005), _otherwise(0.10, 0.99995)),
    # Linking has made one of all who share an account.
    given=True,
)


def _trait(number: int, name: str) -> Comparison:
    column = trait_column(number)
    word = Word(column, lambda features: features.traits.get(name))

    def untold(left: Features, right: Features) -> bool:
        return not left.traits.get(name) or not right.traits.get(name)

    def same(left: Features, right: Features) -> bool:
        return left.traits[name] == right.traits[name]

    def similar(left: Features, right: Features) -> bool:
        return _close(left.traits[name], right.traits[name])

    return Comparison(
        column,
        name,
        _untold_sql(column),
        untold,
        (
            Step("same", f"{column}_l = {column}_r", same, 0.80, 0.0005, word),
            Step("similar", _close_sql(f"{column}_l", f"{column}_r"), similar, 0.07, 0.01),
            _otherwise(0.13, 0.9895),
        ),
        personal=True,
    )
