"""Every report as JSON: its parameters, its answer and their schema follow from what the report declares."""

from collections.abc import Callable, Iterable
from datetime import date
from typing import Annotated, Any, Literal, cast

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field, create_model

from customer360.api.v1.asked import Asking
from customer360.api.v1.fields import Answer, Id, Money
from customer360.profiles.stages import shop_calendar
from customer360.reports import REPORTS
from customer360.reports.ask import ask, check_segment
from customer360.reports.asking import read_filter, sorts
from customer360.reports.model import Answer as ReportAnswer
from customer360.reports.model import Column, Kind, Question, Report, Row
from customer360.reports.periods import COMPARES, RANGES
from customer360.segments.store import list_segments
from customer360.values import money_text

_TYPES: dict[Kind, Any] = {
    "count": int,
    "decimal": float,
    "share": float,
    "money": Money,
    "text": str,
    "word": str,
    "day": date,
}


class Asked(BaseModel):
    """Which days, by whose calendar, of whom; others are refused by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    first: str | None = Field(None, alias="from", description="The first day, as 2026-01-31")
    last: str | None = Field(None, alias="to", description="The last day; today unless told")
    range: Literal[tuple(RANGES)] | None = Field(  # type: ignore[valid-type]
        None, description="A preset in place of days"
    )
    timezone: str | None = Field(
        None, description="Whose calendar counts days; the shop's unless told", max_length=64
    )
    segment: Id | None = Field(None, description="Its members alone", max_length=20)


def endpoint_of(report: Report) -> Callable[..., object]:
    """What answers `GET /reports/<name>`."""
    asked_model, answer_model = _asked_model(report), _answer_model(report)

    def answer(asked, told):  # type: ignore[no-untyped-def]
        return answer_model(**_answer(report, asked, told))

    # Annotations made here cannot be written as text, which this module's would otherwise be.
    answer.__annotations__ = {
        "asked": Asking,
        "told": Annotated[asked_model, Query()],
        "return": answer_model,
    }
    answer.__name__ = f"get_{report.name.replace('-', '_')}"
    answer.__doc__ = f"{report.title}: {report.asks[0].lower()}{report.asks[1:-1]}."
    return answer


def _asked_model(report: Report) -> type[BaseModel]:
    own: dict[str, Any] = {
        one.name: (
            Literal[tuple(name for name, _ in one.options)],
            Field(one.options[0][0], description=one.label),
        )
        for one in report.choices
    }
    if report.usual_sort:
        own["sort"] = (
            Literal[tuple(dict.fromkeys(sorts(report)))],
            Field(report.usual_sort, description="A column; largest first with a `-` before it"),
        )
    if report.compares:
        own["compare"] = (
            Literal[tuple(COMPARES)],
            Field("none", description="Another period to answer for as well"),
        )
    return cast(
        type[BaseModel],
        create_model(f"{_camel(report)}Asked", __base__=Asked, __doc__=Asked.__doc__, **own),
    )


def _answer_model(report: Report) -> type[BaseModel]:
    fields = {
        one.name: (_TYPES[one.kind] | None, Field(description=one.help or one.label))
        for one in report.columns
    }
    row = create_model(
        f"{_camel(report)}Row",
        __base__=Answer,
        __doc__=f"A row of {report.title}.",
        **cast(Any, fields),
    )
    totals = create_model(
        f"{_camel(report)}Totals",
        __base__=Answer,
        __doc__=f"What holds for all of {report.title}.",
        **cast(Any, {name: fields[name] for name in report.headline}),
    )
    rows = {
        report.rows: (list[row], Field(description="The rows, as on the page")),
        "totals": (totals, Field(description="What holds for all rows together")),
    }
    days: dict[str, Any] = {
        "first": (date, Field(serialization_alias="from", description="The first day")),
        "last": (date, Field(serialization_alias="to", description="The last day")),
    }
    more: dict[str, Any] = {}
    if report.compares:
        other = create_model(
            f"{_camel(report)}Compared",
            __base__=Answer,
            __doc__="Another period.",
            **days,
            **cast(Any, rows),
        )
        more["compared"] = (
            other | None,
            Field(description="The other period, if one was asked for"),
        )
    return create_model(
        f"{_camel(report)}Answer",
        __base__=Answer,
        __doc__=report.asks,
        **days,
        timezone=(str, Field(description="Whose calendar counts the days")),
        currency=(str, Field(description="Of every amount")),
        **cast(Any, rows),
        **more,
    )


def _answer(report: Report, asked: Asking, told: Any) -> dict[str, Any]:
    shop = asked.shop
    words = told.model_dump(by_alias=True, exclude_none=True)
    now = asked.doors.clock.now()
    chosen = read_filter(words, report, now, shop.timezone)
    with asked.doors.database.read() as connection:
        check_segment(list_segments(connection, asked.shop_id), chosen.segment_id)
    calendar = shop_calendar(shop.timezone, shop.settings)
    question = Question(asked.doors.warehouse, asked.shop_id, calendar, now, chosen)
    found = ask(report, question)
    answer = {
        **_side(report, question, found.answer, shop.currency),
        "timezone": chosen.timezone,
        "currency": shop.currency,
    }
    if report.compares:
        answer["compared"] = (
            _side(report, found.compared, found.before, shop.currency)
            if found.compared and found.before
            else None
        )
    return answer


def _side(
    report: Report, question: Question, answer: ReportAnswer, currency: str
) -> dict[str, Any]:
    headline = [one for one in report.columns if one.name in report.headline]
    return {
        "first": question.filter.first,
        "last": question.filter.last,
        report.rows: [_told(report.columns, row, currency) for row in answer.rows],
        "totals": _told(headline, answer.totals, currency),
    }


def _told(columns: Iterable[Column], row: Row, currency: str) -> dict[str, Any]:
    return {one.name: _value(one, row.get(one.name), currency) for one in columns}


def _value(column: Column, value: Any, currency: str) -> Any:
    return money_text(value, currency) if column.kind == "money" else value


def _camel(report: Report) -> str:
    return report.name.title().replace("-", "")


ANSWERS: dict[str, Callable[..., object]] = {one.name: endpoint_of(one) for one in REPORTS}
"""Who answers for each report, by its name."""
