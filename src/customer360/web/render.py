"""Turns a template and values into a page."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

import heroicons.jinja
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from customer360.clock import DAY, Instant
from customer360.web import formats, words
from customer360.web.assets import Assets
from customer360.web.navigation import navigation
from customer360.web.visit import Visit

_KEPT_AFTER_UNINSTALL: Instant = 30 * DAY


class Renderer:
    """Every template with the filters, icons and addresses it may use; templates format, they never compute."""

    def __init__(self, assets: Assets) -> None:
        self._assets = assets

    def page(self, visit: Visit, template: str, **values: Any) -> str:
        """The page as HTML."""
        return (
            _environment()
            .get_template(template)
            .render(
                asset=self._assets.url,
                visit=visit,
                shop=visit.here,
                now=visit.now,
                zone=visit.here.timezone if visit.here else "UTC",
                currency=visit.here.currency if visit.here else "",
                navigation=navigation(visit),
                goes_at=_goes_at(visit),
                **values,
            )
        )


def _goes_at(visit: Visit) -> Instant | None:
    """When the data of a shop that has uninstalled the app will be deleted."""
    left_at = visit.here.uninstalled_at if visit.here else None
    return None if left_at is None else left_at + _KEPT_AFTER_UNINSTALL


@cache
def _environment() -> Environment:
    """One for all, as it keeps the templates that it has compiled."""
    environment = Environment(
        loader=PackageLoader("customer360.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(formats.FILTERS | words.FILTERS)
    environment.globals.update(icon=icon)
    return environment


@lru_cache(maxsize=256)
def icon(name: str, size: int = 18) -> Markup:
    """A heroicon as inline SVG, hidden from screen readers: the word beside it says the same."""
    return Markup(heroicons.jinja.heroicon_outline(name, size=size, aria_hidden="true"))
