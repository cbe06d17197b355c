"""`c360 enrich`: compute the scores of everybody anew."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer

from customer360.cli.opening import (
    AnyShopOption,
    JsonOption,
    named_shops,
    opened_app,
    read_settings,
)
from customer360.cli.output import print_json, progress_bar
from customer360.cli.processes import become_child
from customer360.errors import RunUnderWay

if TYPE_CHECKING:
    from customer360.access.shops import Shop
    from customer360.enrichment.run import Report


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("enrich")(enrich)


def enrich(
    shop: AnyShopOption = None,
    as_json: JsonOption = False,
    night: Annotated[int | None, typer.Option(hidden=True)] = None,
    parent: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Compute everybody's scores: RFM, tier, churn, lifetime value, next order, engagement."""
    settings = read_settings()
    if parent is not None:
        become_child(settings, parent)
    told: list[tuple[Shop, Report]] = []
    with opened_app("cli", settings) as app:
        with app.database.read() as connection:
            shops = named_shops(connection, shop)
        for each in shops:
            # Of two machines one computes in a night, and the other lets it.
            with (
                suppress(*(() if night is None else (RunUnderWay,))),
                progress_bar(each.name, quiet=as_json or parent is not None) as show,
            ):
                told.append((each, app.enrichment.run(each, night=night, progress=show)))
    if as_json:
        print_json([_described(*one) for one in told])
    elif parent is None:
        for one in told:
            _say(*one)


def _say(shop: Shop, report: Report) -> None:
    from customer360.values import counted

    buyers = counted(report.card.data.buyers, "buyer")
    typer.echo(
        f"{shop.name}: scores of {counted(report.people, 'person', 'people')}, {buyers} among them;"
        f" {report.written:,} written, {report.removed:,} removed."
    )


def _described(shop: Shop, report: Report) -> dict[str, Any]:
    import msgspec

    return {"shop_id": str(shop.shop_id), "name": shop.name, **msgspec.to_builtins(report)}
