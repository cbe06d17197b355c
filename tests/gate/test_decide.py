"""The gate's decision, case by case: every reason, every boundary, every odd night of the clock."""

from __future__ import annotations

from datetime import time, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as some

from customer360.clock import local_date, parse_instant, start_of_day, to_datetime, to_iso, zone
from customer360.gate.decide import decide
from customer360.gate.model import (
    Clock,
    Contact,
    Decision,
    GateRules,
    Heard,
    Hold,
    QuietHours,
    Refuse,
    Send,
)

DUBLIN = "Europe/Dublin"
NOON = "2026-06-15T12:00:00Z"
TOMORROW = "2026-06-15T23:00:00Z"
GRANTED = Contact(address="ann@x.example", consent="granted")
USUAL = GateRules()
CHANNELS = ("email", "sms", "whatsapp", "push")
STATES = ("never", "pending", "granted", "withdrawn")


def ask(
    channel: str = "email",
    contact: Contact = GRANTED,
    heard: Heard = Heard(),  # noqa: B008 (frozen)
    at: str = NOON,
    timezone: str = DUBLIN,
    rules: GateRules = USUAL,
    purpose: str = "marketing",
) -> Decision:
    clock = Clock(now=parse_instant(at), timezone=timezone)
    return decide(channel, purpose, contact, heard, clock, rules)  # type: ignore[arg-type]


def held(reason: str, until: str | None) -> Hold:
    return Hold(reason, None if until is None else parse_instant(until))


@pytest.mark.parametrize(("channel", "state"), [*product(CHANNELS, STATES)])
def test_only_what_was_granted_is_sent(channel: str, state: str):
    contact = Contact(address="x", consent=state)  # type: ignore[arg-type]
    expected = Send() if state == "granted" else Refuse(f"no_consent:{channel}")
    assert ask(channel, contact) == expected


@pytest.mark.parametrize(
    ("contact", "reason"),
    [
        (Contact(address=None), "no_address"),
        (Contact(address=None, consent="granted", is_suppressed=True), "no_address"),
        (Contact(address="x", is_suppressed=True), "suppressed"),
        (Contact(address="x", consent="granted", is_suppressed=True), "suppressed"),
        (
            Contact(address="x", consent="granted", is_suppressed=True, is_unsubscribed=True),
            "suppressed",
        ),
        (Contact(address="x", consent="granted", is_unsubscribed=True), "unsubscribed"),
        (Contact(address="x", is_unsubscribed=True), "unsubscribed"),
    ],
)
@pytest.mark.parametrize("channel", CHANNELS)
def test_the_first_thing_that_forbids_is_the_reason(channel: str, contact: Contact, reason: str):
    assert ask(channel, contact) == Refuse(reason)


@pytest.mark.parametrize(
    ("contact", "decision"),
    [
        (Contact(address="x"), Send()),
        (Contact(address="x", consent="withdrawn"), Send()),
        (Contact(address="x", is_unsubscribed=True), Send()),
        (Contact(address="x", is_suppressed=True), Refuse("suppressed")),
        (Contact(address=None), Refuse("no_address")),
    ],
)
@pytest.mark.parametrize("channel", CHANNELS)
def test_a_transactional_message_needs_an_address_that_receives_and_nothing_else(
    channel: str, contact: Contact, decision: Decision
):
    heard = Heard(today=9, today_on_channel=9, in_seven_days=99)
    at = "2026-06-15T22:30:00Z"
    assert ask(channel, contact, heard, at, purpose="transactional") == decision


@pytest.mark.parametrize(
    ("today", "decision"),
    [
        (0, Send()),
        (2, Send()),
        (3, held("global_cap_reached:3/3", TOMORROW)),
        (4, held("global_cap_reached:4/3", TOMORROW)),
    ],
)
@pytest.mark.parametrize("channel", CHANNELS)
def test_the_global_cap_holds_until_the_customers_next_day(
    channel: str, today: int, decision: Decision
):
    assert ask(channel, heard=Heard(today=today)) == decision


@pytest.mark.parametrize(
    ("channel", "cap"), [("email", 5), ("sms", 1), ("whatsapp", 2), ("push", 3)]
)
@pytest.mark.parametrize("over", [-1, 0, 1])
def test_each_channel_has_its_own_cap(channel: str, cap: int, over: int):
    count = cap + over
    rules = GateRules(global_cap=None)
    decision = ask(channel, heard=Heard(today_on_channel=count), rules=rules)
    reason = f"channel_cap_reached:{channel}:{count}/{cap}"
    assert decision == (Send() if over < 0 else held(reason, TOMORROW))


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_cap_of_nothing_blocks_for_good_and_no_cap_never_does(channel: str):
    nothing = GateRules(global_cap=None, channel_caps={channel: 0})  # type: ignore[dict-item]
    assert ask(channel, rules=nothing) == held(f"channel_cap_reached:{channel}:0/0", None)
    assert ask(channel, rules=GateRules(global_cap=0)) == held("global_cap_reached:0/0", None)
    unlimited = GateRules(global_cap=None, channel_caps={})
    assert ask(channel, heard=Heard(today=999, today_on_channel=999), rules=unlimited) == Send()


@pytest.mark.parametrize(
    ("timezone", "at", "until"),
    [
        ("America/New_York", NOON, "2026-06-16T04:00:00Z"),
        ("Asia/Kolkata", NOON, "2026-06-15T18:30:00Z"),
        ("Australia/Lord_Howe", NOON, "2026-06-15T13:30:00Z"),
        # The day of the shorter and of the longer night, and a midnight that the clocks leave out.
        (DUBLIN, "2026-03-28T12:00:00Z", "2026-03-29T00:00:00Z"),
        (DUBLIN, "2026-03-29T12:00:00Z", "2026-03-29T23:00:00Z"),
        (DUBLIN, "2026-10-24T12:00:00Z", "2026-10-24T23:00:00Z"),
        (DUBLIN, "2026-10-25T12:00:00Z", "2026-10-26T00:00:00Z"),
        ("Africa/Cairo", "2026-04-23T12:00:00Z", "2026-04-23T22:00:00Z"),
    ],
)
def test_a_day_is_the_customers_own(timezone: str, at: str, until: str):
    decision = ask(heard=Heard(today=3), at=at, timezone=timezone)
    assert decision == held("global_cap_reached:3/3", until)


@pytest.mark.parametrize(
    ("count", "is_tired"), [(0, False), (6, False), (7, True), (8, True), (10, True), (50, True)]
)
@pytest.mark.parametrize("channel", CHANNELS)
def test_seven_messages_in_seven_days_are_fatigue(channel: str, count: int, is_tired: bool):
    rested = parse_instant("2026-06-17T08:00:00Z")
    decision = ask(channel, heard=Heard(in_seven_days=count, rested_at=rested))
    assert decision == (Hold("fatigue", rested) if is_tired else Send())


SUMMER_NIGHT = [
    ("2026-06-15T19:59:59Z", None),
    ("2026-06-15T20:00:00Z", "2026-06-16T08:00:00Z"),
    ("2026-06-15T22:59:59Z", "2026-06-16T08:00:00Z"),
    ("2026-06-15T23:00:00Z", "2026-06-16T08:00:00Z"),
    ("2026-06-16T07:59:59Z", "2026-06-16T08:00:00Z"),
    ("2026-06-16T08:00:00Z", None),
]
ODD_NIGHTS = [
    # An hour shorter, an hour longer.
    ("2026-03-28T21:00:00Z", "2026-03-29T08:00:00Z"),
    ("2026-03-28T20:59:59Z", None),
    ("2026-03-29T07:59:59Z", "2026-03-29T08:00:00Z"),
    ("2026-10-24T20:00:00Z", "2026-10-25T09:00:00Z"),
    ("2026-10-25T08:00:00Z", "2026-10-25T09:00:00Z"),
    ("2026-10-25T09:00:00Z", None),
]


@pytest.mark.parametrize(("at", "until"), SUMMER_NIGHT + ODD_NIGHTS)
@pytest.mark.parametrize("channel", CHANNELS)
def test_nine_in_the_evening_is_quiet_and_nine_in_the_morning_is_not(
    channel: str, at: str, until: str | None
):
    quiet = until is not None and channel != "email"
    assert ask(channel, at=at) == (held("quiet_hours", until) if quiet else Send())


@pytest.mark.parametrize(
    ("begins", "ends", "at", "until"),
    [
        (time(13), time(15), "2026-06-15T12:00:00Z", "2026-06-15T14:00:00Z"),
        (time(13), time(15), "2026-06-15T11:59:59Z", None),
        (time(13), time(15), "2026-06-15T14:00:00Z", None),
        (time(0), time(9), "2026-06-14T23:00:00Z", "2026-06-15T08:00:00Z"),
        (time(9), time(9), "2026-06-15T08:00:00Z", None),
        # A time that the clocks leave out, and one that they show twice.
        (time(22), time(1, 30), "2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"),
        (time(22), time(1, 30), "2026-10-25T00:15:00Z", "2026-10-25T00:30:00Z"),
        (time(22), time(1, 30), "2026-10-25T01:15:00Z", "2026-10-25T01:30:00Z"),
    ],
)
def test_a_shop_has_its_own_quiet_hours(begins: time, ends: time, at: str, until: str | None):
    rules = GateRules(quiet_hours=QuietHours(begins, ends))
    assert ask("sms", at=at, rules=rules) == (held("quiet_hours", until) if until else Send())


def test_without_quiet_hours_the_night_is_as_the_day():
    assert ask("sms", at="2026-06-15T23:30:00Z", rules=GateRules(quiet_hours=None)) == Send()


TIRED = Heard(today=3, today_on_channel=9, in_seven_days=9, rested_at=1)


@pytest.mark.parametrize(
    ("contact", "heard", "rules", "reason"),
    [
        (Contact(address="x"), TIRED, USUAL, "no_consent:sms"),
        (GRANTED, TIRED, USUAL, "global_cap_reached:3/3"),
        (GRANTED, TIRED, GateRules(global_cap=None), "channel_cap_reached:sms:9/1"),
        (GRANTED, TIRED, GateRules(global_cap=None, channel_caps={}), "fatigue"),
        (GRANTED, Heard(), USUAL, "quiet_hours"),
    ],
)
def test_the_first_check_that_fails_decides(
    contact: Contact, heard: Heard, rules: GateRules, reason: str
):
    decision = ask("sms", contact, heard, "2026-06-15T23:30:00Z", rules=rules)
    assert isinstance(decision, Hold | Refuse)
    assert decision.reason == reason


@given(
    at=some.integers(parse_instant("2025-01-01"), parse_instant("2027-01-01")),
    timezone=some.sampled_from([DUBLIN, "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]),
)
def test_a_message_that_waits_for_the_morning_may_leave_then_and_not_before(at: int, timezone: str):
    decision = ask("sms", at=to_iso(at) or "", timezone=timezone)
    local = to_datetime(at).astimezone(zone(timezone))
    if 9 <= local.hour < 21:
        assert decision == Send()
        return
    assert isinstance(decision, Hold)
    assert decision.until is not None
    then = to_datetime(decision.until).astimezone(zone(timezone))
    assert (then.hour, then.minute, then.second) == (9, 0, 0)
    assert timedelta(0) < then - local <= timedelta(hours=13)
    assert ask("sms", at=to_iso(decision.until) or "", timezone=timezone) == Send()


@given(some.integers(parse_instant("2025-01-01"), parse_instant("2027-01-01")))
def test_a_cap_opens_with_the_next_day(at: int):
    decision = ask(heard=Heard(today=3), at=to_iso(at) or "")
    assert isinstance(decision, Hold)
    assert decision.until == start_of_day(local_date(at, DUBLIN) + timedelta(1), DUBLIN)
