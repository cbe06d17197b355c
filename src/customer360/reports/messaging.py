"""What becomes of messages, by channel: who opens and clicks, who unsubscribes, and what recipients buy."""

from __future__ import annotations

from typing import Any

from customer360.reports.model import Answer, Column, Question, Report, Row, Who
from customer360.reports.sql import AMOUNT, PURCHASE, Sql
from customer360.values import AMOUNT_SCALE

# Push messages are pressed or dismissed, and an SMS tells nobody that it was read.
_OPENED = ("email_opened", "whatsapp_read")
CHANNELS = ("email", "sms", "whatsapp", "push")
_EVENTS = {"open_rate": "opened", "click_rate": "clicked", "unsubscribe_rate": "unsubscribed"}
"""Whose event a rate counts."""
_DAYS_A_WEEK = 7


def _answer(question: Question) -> Answer:
    chosen, sql = question.filter, Sql()
    found = question.ask(
        sql,
        f"""
        with did as ({_did(question, sql)}),
        people as (
            select channel, profile_id, sum(sent) as sent, sum(opened) as opened, sum(clicked) as clicked,
                sum(unsubscribed) as unsubscribed
            from did
            group by grouping sets ((channel, profile_id), (profile_id))
        ),
        spent as ({_spent(question, sql)})
        select p.channel, sum(p.sent) as sent, count(*) filter (p.sent > 0) as recipients,
            sum(p.opened) as opened, sum(p.clicked) as clicked, sum(p.unsubscribed) as unsubscribed,
            coalesce(sum(s.amount) filter (p.sent > 0), 0) as revenue
        from people p
        left join spent s on s.profile_id = p.profile_id
        group by p.channel
        """,
    )
    weeks = ((chosen.last - chosen.first).days + 1) / _DAYS_A_WEEK
    by_channel = {row["channel"]: _figures(row, weeks) for row in found}
    rows = [by_channel[channel] for channel in CHANNELS if channel in by_channel]
    nothing = dict.fromkeys(
        ("sent", "recipients", "opened", "clicked", "unsubscribed", "revenue"), 0
    )
    return Answer(rows, by_channel.get(None) or _figures({"channel": None, **nothing}, weeks))


def _did(question: Question, sql: Sql) -> str:
    """What happened on each channel, one row for each event of somebody."""
    chosen = question.filter
    return f"""
        select split_part(e.type, '_', 1) as channel, f.profile_id,
            cast(e.type like '%\\_sent' escape '\\' as integer) as sent,
            cast(e.type in {_OPENED} as integer) as opened,
            cast(e.type like '%\\_clicked' escape '\\' as integer) as clicked,
            cast(e.type = 'email_unsubscribed' as integer) as unsubscribed
        from event_facts e
        join fragment_profiles f on f.fragment_id = e.fragment_id
        where e.type in {_types()}
            and {sql.within("e.occurred_at", chosen.first, chosen.last, chosen.timezone)}
            and {sql.of_segment(chosen.segment_id, "f.profile_id")}
        """


def _types() -> tuple[str, ...]:
    sent = (f"{channel}_sent" for channel in CHANNELS)
    clicked = (f"{channel}_clicked" for channel in ("email", "sms", "push"))
    return (*sent, *_OPENED, *clicked, "email_unsubscribed")


def _spent(question: Question, sql: Sql) -> str:
    """What each person ordered within the days."""
    chosen = question.filter
    return f"""
        select f.profile_id, sum({AMOUNT}) as amount
        from orders o
        join fragment_profiles f on f.fragment_id = o.fragment_id
        where {PURCHASE} and {sql.within("o.placed_at", chosen.first, chosen.last, chosen.timezone)}
        group by f.profile_id
        """


def _figures(row: Row, weeks: float) -> Row:
    sent, recipients = int(row["sent"]), int(row["recipients"])
    # A rate of all channels would mix those that tell of it with those that cannot.
    opens = row["channel"] in ("email", "whatsapp")
    clicks = row["channel"] in ("email", "sms", "push")
    unsubscribes = row["channel"] == "email"
    revenue = round(row["revenue"] * AMOUNT_SCALE)
    return {
        "channel": row["channel"],
        "sent": sent,
        "recipients": recipients,
        "open_rate": int(row["opened"]) / sent if sent and opens else None,
        "click_rate": int(row["clicked"]) / sent if sent and clicks else None,
        "unsubscribe_rate": int(row["unsubscribed"]) / sent if sent and unsubscribes else None,
        "weekly_messages": sent / recipients / weeks if recipients else None,
        "revenue": revenue,
        "revenue_per_recipient": round(revenue / recipients) if recipients else None,
    }


def _people(question: Question, sql: Sql, who: Who) -> str:
    of_channel = f"channel = {sql.value(who['channel'])}" if "channel" in who else "true"
    did, event = _did(question, sql), _EVENTS.get(who["of"], "sent")
    return f"select profile_id from ({did}) where {of_channel} and {event} > 0"


def _rule(question: Question, who: Who) -> dict[str, Any] | None:
    chosen = question.filter
    if who["of"] not in ("sent", "recipients") or chosen.timezone != question.calendar.timezone:
        return None
    within = {"from": chosen.first.isoformat(), "to": chosen.last.isoformat()}
    channels = (who["channel"],) if "channel" in who else CHANNELS
    sent = [{"event": f"{channel}_sent", "within": within} for channel in channels]
    return chosen.rule({"any": sent}, visitors=True)


REPORT = Report(
    name="messaging",
    title="Messaging",
    asks="Who opens and clicks, who unsubscribes, and what do recipients buy?",
    icon="envelope-open",
    chart="table",
    columns=(
        Column("channel", "Channel", "word"),
        Column(
            "sent",
            "Messages",
            help="Messages sent in the period, by whatever tool told us.",
            who=("channel",),
        ),
        Column(
            "recipients",
            "Recipients",
            help="Different people to whom a message was sent in the period.",
            who=("channel",),
        ),
        Column(
            "open_rate",
            "Open rate",
            "share",
            help="E-mails opened and WhatsApp messages read in the period / messages sent in it. Each time counts.",
            who=("channel",),
        ),
        Column(
            "click_rate",
            "Click rate",
            "share",
            help="Clicks in the period / messages sent in it. Each time counts.",
            who=("channel",),
        ),
        Column(
            "unsubscribe_rate",
            "Unsubscribes per send",
            "share",
            help="E-mail unsubscribes in the period / messages sent in it.",
            who=("channel",),
            better="less",
        ),
        Column(
            "weekly_messages",
            "Messages a week",
            "decimal",
            help="Messages / recipients / weeks of the period: what a recipient gets in a week.",
            better="",
        ),
        Column(
            "revenue",
            "Revenue",
            "money",
            help="What recipients ordered in the period, whether for a message or not.",
        ),
        Column(
            "revenue_per_recipient",
            "Revenue per recipient",
            "money",
            help="Revenue / recipients. It tells what recipients are worth, not what messages caused.",
        ),
    ),
    headline=(
        "sent",
        "recipients",
        "open_rate",
        "click_rate",
        "unsubscribe_rate",
        "weekly_messages",
        "revenue",
        "revenue_per_recipient",
    ),
    compares=True,
    answer=_answer,
    people=_people,
    rule=_rule,
    empty="Messages appear here once a tool tells of its sends, opens and clicks.",
)
