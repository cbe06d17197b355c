"""How far does evidence link people in this shop, who said so, and does it hold for everybody yet?"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

import msgspec
from fastapi import Body, Query
from pydantic import BaseModel, ConfigDict, Field, GetPydanticSchema
from pydantic_core import core_schema

from customer360.api.v1.asked import Asking
from customer360.api.v1.cursors import cut_page, decode_cursor
from customer360.api.v1.fields import Paging, Text
from customer360.api.v1.identity_models import (
    RuleChange,
    RulesAnswer,
    RulesVersion,
    RulesVersionList,
)
from customer360.api.v1.merges import ACTOR
from customer360.clock import to_iso
from customer360.errors import InvalidInput
from customer360.identities.rules import (
    LIMIT_RANGE,
    RANGES,
    Choice,
    Range,
    Version,
    change_rules,
    changes_of,
    present_version,
    versions_of,
    wanted,
)


def _within(allowed: Range) -> GetPydanticSchema:
    """A whole number of a range; what is none is answered with all of the range."""
    least, most = allowed
    whole = core_schema.custom_error_schema(
        core_schema.int_schema(strict=True, ge=least, le=most),
        custom_error_type="range",
        custom_error_message=wanted(allowed),
    )
    return GetPydanticSchema(lambda _source, _handler: whole)


class AskedRules(BaseModel):
    """The rules to set; what is left out stays as it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    limits: dict[str, Annotated[int, _within(LIMIT_RANGE)]] | None = Field(
        None, description="By type of identifier, how many of it one profile may have"
    )
    known_identifiers: Annotated[int, _within(RANGES["known_identifiers"])] | None = Field(
        None, description="All of them together"
    )
    hub_customer_ids: Annotated[int, _within(RANGES["hub_customer_ids"])] | None = Field(
        None, description="Above so many customer ids an identifier is shared"
    )
    hub_profiles: Annotated[int, _within(RANGES["hub_profiles"])] | None = Field(
        None, description="The same in known profiles"
    )
    stale_months: Annotated[int, _within(RANGES["stale_months"])] | None = Field(
        None, description="After such a silence a phone or cookie is nobody's"
    )
    placeholders: list[Text] | None = Field(
        None, max_length=500, description="Values that identify nobody in this shop"
    )


def get_rules(asked: Asking) -> RulesAnswer:
    """How far evidence links people by itself."""
    with asked.doors.database.read() as connection:
        return _answer(present_version(connection, asked.shop_id))


def list_rules_versions(asked: Asking, paging: Annotated[Paging, Query()]) -> RulesVersionList:
    """Every change of the rules and who made it, newest first."""
    before = decode_cursor(paging.cursor, int)[0] if paging.cursor is not None else None
    with asked.doors.database.read() as connection:
        total = present_version(connection, asked.shop_id).version
        found = versions_of(connection, asked.shop_id, before=before, limit=paging.limit + 1)
    page, next_cursor = cut_page([*pairwise(found)], lambda pair: (pair[0].version,), paging.limit)
    items = [_version(newer, older) for newer, older in page]
    return RulesVersionList(items=items, next_cursor=next_cursor, total=total)


def set_rules(asked: Asking, told: Annotated[AskedRules, Body()]) -> RulesAnswer:
    """Change rules; the worker then resolves everybody anew."""
    with asked.doors.database.write() as connection:
        before = present_version(connection, asked.shop_id).choice
        made = change_rules(
            connection,
            asked.shop_id,
            _choice(before, told),
            asked.shop.country,
            actor=ACTOR,
            now=asked.doors.clock.now(),
        )
    return _answer(made)


def _choice(before: Choice, told: AskedRules) -> Choice:
    given = told.model_dump(exclude_none=True)
    limits = given.pop("limits", {})
    for name in sorted(limits.keys() - before.limits.keys()):
        raise InvalidInput(f"There are limits of {', '.join(before.limits)}.", f"limits.{name}")
    placeholders = tuple(given.pop("placeholders", before.placeholders))
    return msgspec.structs.replace(
        before, limits=before.limits | limits, placeholders=placeholders, **given
    )


def _answer(present: Version) -> RulesAnswer:
    choice = present.choice
    return RulesAnswer(
        limits=choice.limits,
        known_identifiers=choice.known_identifiers,
        hub_customer_ids=choice.hub_customer_ids,
        hub_profiles=choice.hub_profiles,
        stale_months=choice.stale_months,
        placeholders=list(choice.placeholders),
        resolved=present.resolved_at is not None,
    )


def _version(newer: Version, older: Version) -> RulesVersion:
    return RulesVersion(
        version=newer.version,
        by=newer.actor,
        at=str(to_iso(newer.made_at)),
        changes=[
            RuleChange(name=change.name, before=change.before, after=change.after)
            for change in changes_of((newer, older))
        ],
    )
