"""Settings, Stages and scores: after how many days people are at risk or churned here, and who changed that."""

from __future__ import annotations

from typing import Any, NamedTuple

from starlette.responses import Response

from customer360.access.shops import get_shop
from customer360.errors import Conflict, InvalidInput
from customer360.profiles.stages import (
    MOST_WINDOW_DAYS,
    Windows,
    as_settings,
    windows_of,
)
from customer360.profiles.windows import change_windows, window_changes
from customer360.web.deciding import actor_of
from customer360.web.door import Door, Page
from customer360.web.settings import settings_page
from customer360.web.visit import Visit

_LABELS = {
    "at_risk_days": (
        "At risk after days",
        "Who did nothing for so many days is at risk, if they ever ordered, came twice or agreed to messages.",
    ),
    "churned_days": (
        "Churned after days",
        "Who did nothing for so many days is churned. Churn risk is told for a span of this length.",
    ),
    "rfm_recency_days": (
        "Recency limits in days",
        "A last order up to so many days ago scores 5, 4, 3 or 2 in RFM, an older one 1: four rising numbers.",
    ),
}
_NAMES = tuple(_LABELS)
# In characters: longer ones are far out of every range.
_LONGEST = 100


class Field(NamedTuple):
    """A window as the form shows it."""

    name: str
    label: str
    help: str
    value: str


class Changed(NamedTuple):
    """A change in words."""

    label: str
    before: str
    after: str
    actor: str
    at: int


def show(_door: Door, visit: Visit) -> Page:
    """The shop's windows in a form, and every change of them."""
    return _page(visit, {})


def change(door: Door, visit: Visit) -> Page | Response:
    """Saves them; stages follow at once, as they are told when somebody asks."""
    told = {name: visit.field(name) for name in _NAMES}
    try:
        seen = _read({name: visit.field(f"seen_{name}") for name in _NAMES})
        with visit.app.database.write() as connection:
            held = change_windows(
                connection,
                visit.shop.shop_id,
                as_settings(_read(told)),
                seen=seen,
                actor=actor_of(visit),
                now=visit.now,
            )
    except InvalidInput as error:
        return _page(visit, told, str(error), error.path, 422)
    except Conflict as error:
        return _page(visit, {}, str(error), "", 409)
    visit.app.directory.forget()
    said = "Saved. All stages follow at once, RFM with the next run."
    return door.redirect(
        f"{visit.root}/settings/stages", "Nothing was changed." if held == seen else said
    )


def _read(told: dict[str, str]) -> Windows:
    days = {name: [_number(part, name) for part in text.split(",")] for name, text in told.items()}
    for name, wanted in (("at_risk_days", 1), ("churned_days", 1), ("rfm_recency_days", 4)):
        if len(days[name]) != wanted:
            raise InvalidInput("Write four numbers with commas." if wanted > 1 else _WHOLE, name)
    first, second, third, fourth = days["rfm_recency_days"]
    return Windows(days["at_risk_days"][0], days["churned_days"][0], (first, second, third, fourth))


_WHOLE = f"Write a whole number of days from 1 to {MOST_WINDOW_DAYS:,}."


def _number(text: str, name: str) -> int:
    if not text.strip().isdecimal() or len(text) > _LONGEST:
        raise InvalidInput(_WHOLE, name)
    return int(text)


def _page(
    visit: Visit, told: dict[str, str], error: str = "", error_field: str = "", status: int = 200
) -> Page:
    with visit.app.database.read() as connection:
        # Not as the directory remembers it: somebody may have saved a moment ago.
        windows = windows_of(get_shop(connection, visit.shop.shop_id).settings)
        changes = window_changes(connection, visit.shop.shop_id)
    present = {name: _text(value) for name, value in as_settings(windows).items()}
    return settings_page(
        "settings/stages.html",
        visit,
        status,
        fields=[Field(name, *_LABELS[name], (present | told)[name]) for name in _NAMES],
        present=present,
        changes=[
            Changed(_LABELS[one.name][0], _text(one.before), _text(one.after), one.actor, one.at)
            for one in changes
        ],
        error=error,
        error_field=error_field,
    )


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
