"""The parameters of an event in a rule's text: which properties, when, how often, how much. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from customer360.errors import InvalidRule
from customer360.segments.ast import Count, EventDid, PropertyIs, Sum
from customer360.segments.catalogue import (
    COUNT_OPERATORS,
    PROPERTY_BY_NAME,
    event_of,
    nearest,
    operators_of,
)
from customer360.segments.conditions import count_is, property_is, property_type, sum_is, within
from customer360.segments.reader import Reader
from customer360.segments.shopify import BOUNDS, bounds_of, why_not
from customer360.segments.tokens import Token

DATE, COUNT, SUM, PROPERTY = "date", "count", "sum", "property"
_DATED = (*BOUNDS, "in_last_days")


class Parameters:
    """What has been said of an event so far. `names` are Shopify's words for properties, where it is Shopify's."""

    def __init__(self, reader: Reader, event: str, names: Mapping[str, str]) -> None:
        self._reader = reader
        self._event = event
        self._names = names
        self._where: list[PropertyIs] = []
        self._count: Count | None = None
        self._sum: Sum | None = None
        self._bounds: dict[str, str] = {}

    def read(self) -> None:
        """One parameter."""
        reader, name = self._reader, self._reader.take()
        said = self._names.get(name.written, name.written)
        if name.kind != "name":
            reader.fail("The name of a property is wanted here", name)
        elif said == DATE:
            self._date(name)
        elif said == COUNT:
            found = reader.comparison(said, "number", COUNT_OPERATORS, colon=True)
            self._once(name, self._count)
            self._count = reader.make(name, count_is, found)
        elif said == SUM or said.startswith(f"{SUM}_"):
            self._summed(name, said)
        else:
            self._property(name, said)

    def event_did(self, did: bool) -> EventDid:
        """The condition that has been said."""
        return EventDid(
            event=self._event,
            did=did,
            where=tuple(self._where),
            count=self._count,
            sum=self._sum,
            within=within(**self._bounds),
        )

    def _date(self, name: Token) -> None:
        found = self._reader.comparison(DATE, "time", _DATED, colon=True)
        if found.op == "in_last_days":
            found = found._replace(op="gte", value=f"-{found.value}d")
        told = self._reader.make(name, bounds_of, found)
        if told.keys() & self._bounds.keys():
            self._reader.fail("This end of the time is told twice", name)
        self._bounds |= told
        self._reader.make(name, lambda _op, _value: within(**self._bounds), found)

    def _summed(self, name: Token, said: str) -> None:
        summed = (
            self._reader.name_in_quotes("The name of a property")
            if said == SUM
            else said.removeprefix(f"{SUM}_")
        )
        self._check_known(name, summed, custom=said == SUM)
        found = self._reader.comparison(name.written, "number", COUNT_OPERATORS, colon=True)
        self._once(name, self._sum)
        self._sum = self._reader.make(name, partial(sum_is, self._event, summed), found)

    def _property(self, name: Token, said: str) -> None:
        known = self._reader.name_in_quotes("The name of a property") if said == PROPERTY else said
        self._check_known(name, known, custom=said == PROPERTY)
        kind = property_type(self._event, known)
        asked_by_shopify = said != name.written
        operators = operators_of(kind)
        if kind == "list" and asked_by_shopify:
            operators = (*operators, "eq")
        found = self._reader.comparison(name.written, kind, operators, colon=True)
        if kind == "list" and found.op == "eq":
            found = found._replace(op="contains")
        self._where.append(self._reader.make(name, partial(property_is, self._event, known), found))

    def _check_known(self, token: Token, name: str, *, custom: bool) -> None:
        """A name without quotes is one of the catalogue: what is not, is a typing error."""
        if custom or name in PROPERTY_BY_NAME:
            try:
                property_type(self._event, name)
            except InvalidRule as error:
                self._reader.fail(str(error), token)
            return
        if reason := why_not(token.written):
            self._reader.fail(f"{token.written} is not supported: {reason}", token)
        entry = event_of(self._event)
        names = (*entry.properties, *entry.lines, *self._names, DATE, COUNT)
        self._reader.fail(
            f"{self._event} has no property {token.written}{nearest(token.written, names)}", token
        )

    def _once(self, name: Token, before: object) -> None:
        if before is not None:
            self._reader.fail(f"{name.written} is told twice", name)
