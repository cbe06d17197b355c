"""May this message leave now? Consent, caps, fatigue, quiet hours, in this order; the first that fails decides. Pure.

A transactional message needs an address that receives and nothing else: no marketing consent, and none of the limits.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from customer360.clock import Instant, from_datetime, local_date, start_of_day, to_datetime, zone
from customer360.events.model import Channel
from customer360.gate.model import (
    Clock,
    Contact,
    Decision,
    GateRules,
    Heard,
    Hold,
    Purpose,
    QuietHours,
    Refuse,
    Send,
)


def decide(
    channel: Channel,
    purpose: Purpose,
    contact: Contact,
    heard: Heard,
    clock: Clock,
    rules: GateRules,
) -> Decision:
    """The decision, with the figures in its reason."""
    refused = _refused(channel, purpose, contact)
    if refused is not None or purpose == "transactional":
        return refused or Send()
    return (
        _capped(channel, heard, clock, rules)
        or _tired(heard, rules)
        or _quiet(channel, clock, rules)
        or Send()
    )


def _refused(channel: Channel, purpose: Purpose, contact: Contact) -> Refuse | None:
    if contact.address is None:
        return Refuse("no_address")
    if contact.is_suppressed:
        return Refuse("suppressed")
    if purpose == "transactional":
        return None
    if contact.is_unsubscribed:
        return Refuse("unsubscribed")
    return None if contact.consent == "granted" else Refuse(f"no_consent:{channel}")


def _capped(channel: Channel, heard: Heard, clock: Clock, rules: GateRules) -> Hold | None:
    cap = rules.global_cap
    if cap is not None and heard.today >= cap:
        return Hold(f"global_cap_reached:{heard.today}/{cap}", _tomorrow(clock, cap))
    cap = rules.channel_caps.get(channel)
    if cap is not None and heard.today_on_channel >= cap:
        reason = f"channel_cap_reached:{channel}:{heard.today_on_channel}/{cap}"
        return Hold(reason, _tomorrow(clock, cap))
    return None


def _tomorrow(clock: Clock, cap: int) -> Instant | None:
    """When the customer's next day begins; a cap of 0 opens on no day."""
    if cap == 0:
        return None
    return start_of_day(local_date(clock.now, clock.timezone) + timedelta(1), clock.timezone)


def _tired(heard: Heard, rules: GateRules) -> Hold | None:
    if heard.in_seven_days < rules.tired_from:
        return None
    return Hold("fatigue", heard.rested_at)


def _quiet(channel: Channel, clock: Clock, rules: GateRules) -> Hold | None:
    hours = rules.quiet_hours
    if hours is None or channel not in rules.rings or hours.begins == hours.ends:
        return None
    local = to_datetime(clock.now).astimezone(zone(clock.timezone))
    if not _is_quiet(local.time().replace(tzinfo=None), hours):
        return None
    goes_over_midnight = hours.ends < hours.begins and local.time() >= hours.begins
    day = local.date() + timedelta(1 if goes_over_midnight else 0)
    return Hold("quiet_hours", _moment(day, hours.ends, clock))


def _is_quiet(at: time, hours: QuietHours) -> bool:
    if hours.begins < hours.ends:
        return hours.begins <= at < hours.ends
    return at >= hours.begins or at < hours.ends


def _moment(day: date, at: time, clock: Clock) -> Instant:
    """When the customer's clock next shows this time; one that it leaves out goes by the offset before (RFC 5545)."""
    wall = datetime.combine(day, at, zone(clock.timezone))
    first = from_datetime(wall.astimezone(UTC))
    # Clocks that are put back show a time twice.
    return first if first > clock.now else from_datetime(wall.replace(fold=1).astimezone(UTC))
