"""In which currency does a payload speak, and how much does a field of it say?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from customer360.connectors.sources.payload import Json, amount, currency_code, record
from customer360.events.model import ShopContext
from customer360.values import Amount, money_text


def shop_money(money_set: Any) -> tuple[Amount | None, str]:
    """Amount and currency of the `shop_money` of a `*_set`; presentment money is never looked at."""
    money = record(record(money_set).get("shop_money"))
    code = currency_code(money.get("currency_code")) or currency_code(money.get("currency"))
    return amount(money.get("amount")), code


@dataclass(frozen=True, slots=True)
class Purse:
    """Reads the amounts of one payload, all in one currency.

    reads: where an amount is looked for, first to last: the plain field, or the set beside it.
    """

    currency: str
    reads: tuple[Literal["plain", "set"], ...] = ("plain", "set")

    def amount(self, body: Json, field: str) -> Amount | None:
        """The amount of a field such as `total_price`, or None where nothing tells it in this currency."""
        for read in self.reads:
            if read == "plain":
                told, code = amount(body.get(field)), self.currency
            else:
                told, code = shop_money(body.get(f"{field}_set"))
            if told is not None and code == self.currency:
                return told
        return None

    def text(self, value: Amount | None) -> str | None:
        """The amount as a property of an event, such as "59.00"."""
        return money_text(value, self.currency)


def purse_of(body: Json, money_set: Any, shop: ShopContext) -> Purse:
    """The purse of a payload, whose `money_set` shows what its sets speak.

    The shop's own currency wherever the payload tells it; else the payload's, to be flagged and not summed.
    """
    declared = currency_code(body.get("currency"))
    in_sets = shop_money(money_set)[1]
    if declared == shop.currency or not (declared or in_sets):
        return Purse(shop.currency)
    if in_sets == shop.currency:
        # Plain fields beside sets may speak the customer's currency; where it is declared, they surely do.
        return Purse(shop.currency, ("set",) if declared else ("set", "plain"))
    return Purse(declared or in_sets)
