"""How far does evidence link people in this shop, who said so, and does it hold for everybody yet?"""

from __future__ import annotations

from typing import Annotated

from fastapi import Body
from pydantic import BaseModel, ConfigDict, Field, StrictInt

from customer360.api.v1.asked import Asking
from customer360.api.v1.fields import Text
from customer360.api.v1.identity_models import RuleChange, RulesAnswer
from customer360.api.v1.merges import ACTOR
from customer360.clock import to_iso
from customer360.identities.rules import (
    Choice,
    Version,
    change_rules,
    changes_of,
    present_version,
    versions_of,
)


class AskedRules(BaseModel):
    """The rules to set; what is left out stays as it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    limits: dict[str, StrictInt] | None = Field(
        None, description="By type of identifier, how many of it one profile may have"
    )
    known_identifiers: StrictInt | None = Field(None, description="All of them together")
    hub_customer_ids: StrictInt | None = Field(
        None, description="Above so many customer ids an identifier is shared"
    )
    hub_profiles: StrictInt | None = Field(None, description="The same in known profiles")
    stale_months: StrictInt | None = Field(
        None, description="After such a silence a phone or cookie is nobody's"
    )
    placeholders: list[Text] | None = Field(
        None, max_length=500, description="Values that identify nobody in this shop"
    )


def get_rules(asked: Asking) -> RulesAnswer:
    """How far evidence links people by itself, and every change of it, newest first."""
    with asked.doors.database.read() as connection:
        return _answer(versions_of(connection, asked.shop_id))


def set_rules(asked: Asking, told: Annotated[AskedRules, Body()]) -> RulesAnswer:
    """Change rules; the worker then resolves everybody anew."""
    with asked.doors.database.write() as connection:
        before = present_version(connection, asked.shop_id).choice
        change_rules(
            connection,
            asked.shop_id,
            _choice(before, told),
            asked.shop.country,
            actor=ACTOR,
            now=asked.doors.clock.now(),
        )
        return _answer(versions_of(connection, asked.shop_id))


def _choice(before: Choice, told: AskedRules) -> Choice:
    given = told.model_dump(exclude_none=True)
    limits = before.limits | given.pop("limits", {})
    placeholders = tuple(given.pop("placeholders", before.placeholders))
    return Choice(
        limits=limits,
        placeholders=placeholders,
        **{
            name: given.get(name, getattr(before, name))
            for name in ("known_identifiers", "hub_customer_ids", "hub_profiles", "stale_months")
        },
    )


def _answer(versions: list[Version]) -> RulesAnswer:
    present, choice = versions[0], versions[0].choice
    return RulesAnswer(
        limits=choice.limits,
        known_identifiers=choice.known_identifiers,
        hub_customer_ids=choice.hub_customer_ids,
        hub_profiles=choice.hub_profiles,
        stale_months=choice.stale_months,
        placeholders=list(choice.placeholders),
        resolved=present.resolved_at is not None,
        changes=[
            RuleChange(
                name=change.name,
                before=change.before,
                after=change.after,
                by=change.actor,
                at=str(to_iso(change.at)),
            )
            for change in changes_of(versions)
        ],
    )
