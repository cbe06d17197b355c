"""Money, counts, ids and time ranges: the small values that every package shares."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from babel.numbers import get_currency_precision

from customer360.clock import Instant
from customer360.errors import InvalidMoney

Amount = int
"""Money as a whole number of ten-thousandths of the currency's unit: exact sums, rounded once, on output."""

AMOUNT_SCALE = 10_000
LARGEST_AMOUNT: Amount = 10**15
"""A hundred billion units is no order; nine thousand forged ones still sum to 64 bits."""
LARGEST_QUANTITY = 10**9
"""A thousand million screws may be one line of an order, and a float of JSON still holds them exactly."""
LIST_MARK = "\x1f"
"""Stands before, between and after the texts of a list where it is one text: ASCII's separator of units."""


def parse_amount(value: Any) -> Amount:
    """Read an amount from a decimal string, integer or float; raises InvalidMoney.

    More than four decimals are rounded half up. `None` is not an amount.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise InvalidMoney
    try:
        number = Decimal(value.strip() if isinstance(value, str) else repr(value))
        if not number.is_finite():
            raise InvalidMoney
        if number.adjusted() > 15:
            raise InvalidMoney
        scaled = (number * AMOUNT_SCALE).to_integral_value(ROUND_HALF_UP)
    except InvalidOperation as error:
        raise InvalidMoney from error
    amount = int(scaled)
    if abs(amount) > LARGEST_AMOUNT:
        raise InvalidMoney
    return amount


def to_decimal(amount: Amount) -> Decimal:
    """The exact decimal of an amount."""
    return Decimal(amount).scaleb(-4)


def round_amount(amount: Amount, currency: str) -> Decimal:
    """The amount rounded half up to the decimals of its currency."""
    places = Decimal(1).scaleb(-get_currency_precision(currency))
    return to_decimal(amount).quantize(places, ROUND_HALF_UP)


def money_text(amount: Amount | None, currency: str) -> str | None:
    """The amount as the API writes it: a decimal string such as "59.00"."""
    return None if amount is None else str(round_amount(amount, currency))


def counted(count: int, one: str, many: str = "") -> str:
    """A count with its word: "1 pair", "4,000 pairs"; `many` where that is not `one` with an s."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def listed(texts: Iterable[Any]) -> str:
    """A list as one text, which contains `listed([one])` exactly where the list has that one."""
    return LIST_MARK + "".join(f"{str(one).replace(LIST_MARK, ' ')}{LIST_MARK}" for one in texts)


def texts_in(text: str) -> list[str]:
    """The list that was made one text."""
    return text.split(LIST_MARK)[1:-1]


@dataclass(frozen=True, slots=True)
class TimeRange:
    """The half-open span [start, end)."""

    start: Instant
    end: Instant

    def __contains__(self, instant: Instant) -> bool:
        return self.start <= instant < self.end


class IdMaker:
    """Makes 64-bit, time-ordered ids without asking the database.

    41 bits of milliseconds since 2024, 10 bits drawn at random for this maker, 12 bits of sequence. When more
    than 4,096 are wanted in a millisecond the clock is run ahead, so ids never repeat and always rise.
    """

    _EPOCH_MS = 1_704_067_200_000

    def __init__(self) -> None:
        self._node = int.from_bytes(os.urandom(2), "big") & 0x3FF
        self._millisecond = 0
        self._sequence = 0
        self._lock = threading.Lock()

    def take(self, count: int) -> list[int]:
        """The next `count` ids, rising."""
        with self._lock:
            now = time.time_ns() // 1_000_000 - self._EPOCH_MS
            if now > self._millisecond:
                self._millisecond, self._sequence = now, 0
            ids = []
            for _ in range(count):
                if self._sequence > 0xFFF:
                    self._millisecond, self._sequence = self._millisecond + 1, 0
                ids.append(self._millisecond << 22 | self._node << 12 | self._sequence)
                self._sequence += 1
            return ids

    def next(self) -> int:
        """One new id."""
        return self.take(1)[0]


new_ids = IdMaker()


def parse_id(text: str) -> int | None:
    """The id written in a URL or cursor, or None when it cannot be one."""
    if not (text.isascii() and text.isdigit() and len(text) <= 19):
        return None
    number = int(text)
    return number if number < 1 << 63 else None
