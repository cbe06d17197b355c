"""What does a call say of consent to messages?

Either a field such as `email_consent` among traits or properties, or an event such as "Consent Granted" with
`channel`, `state`, `text` and, where it is about one address, `address`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import get_args

from customer360.clock import Instant
from customer360.connectors.sources.payload import Json, first_text, record, text
from customer360.events.model import Channel, ConsentReport, ConsentState, Identifier

CHANNELS: tuple[Channel, ...] = get_args(Channel)
CONSENT_FIELDS: dict[str, Channel] = {
    name: channel
    for channel in CHANNELS
    for name in (f"{channel}_consent", f"consent_{channel}", f"{channel}_marketing_consent")
}
"""Fields that tell the consent of a channel."""
_FIELDS = frozenset(CONSENT_FIELDS)

CONSENT_TEXTS = frozenset({"consent_text", *(f"{name}_text" for name in CONSENT_FIELDS)})
"""Fields that tell what the person saw."""

_STATES: dict[str, ConsentState] = {
    **dict.fromkeys(("granted", "subscribed", "opted_in", "opt_in", "yes", "true", "1"), "granted"),
    **dict.fromkeys(("withdrawn", "unsubscribed", "opted_out", "opt_out", "revoked"), "withdrawn"),
    **dict.fromkeys(("denied", "no", "false", "0"), "withdrawn"),
    "pending": "pending",
    **dict.fromkeys(("never", "never_subscribed", "not_subscribed"), "never"),
}
_STATE_OF_EVENT: dict[str, tuple[Channel | None, ConsentState]] = {
    "consent_granted": (None, "granted"),
    "consent_withdrawn": (None, "withdrawn"),
    "email_unsubscribed": ("email", "withdrawn"),
    "email_resubscribed": ("email", "granted"),
}
CONSENT_TYPES = frozenset(_STATE_OF_EVENT)
"""Events that are about consent."""

_CHANNEL_NAMES: dict[str, Channel] = {
    **{channel: channel for channel in CHANNELS},
    "e-mail": "email",
    "mail": "email",
    "text": "sms",
    "whats_app": "whatsapp",
    "push_notification": "push",
}
_ADDRESS_TYPES: dict[Channel, tuple[str, ...]] = {
    "email": ("email",),
    "sms": ("phone",),
    "whatsapp": ("whatsapp", "phone"),
    "push": (),
}


def consents_in(
    bag: Json, identifiers: Sequence[Identifier], at: Instant
) -> tuple[ConsentReport, ...]:
    """The consents among traits or properties: true, "subscribed", or {"state", "text"}, for each channel.

    A plain no withdraws: whoever unticks a box must not be written to.
    """
    if _FIELDS.isdisjoint(bag):
        return ()
    told = {CONSENT_FIELDS[name]: (name, bag[name]) for name in CONSENT_FIELDS if name in bag}
    reports = (
        _report(channel, value, f"{name}_text", bag, identifiers, at)
        for channel, (name, value) in told.items()
    )
    return tuple(report for report in reports if report)


def type_by_state(type_: str, properties: Json) -> str:
    """An event about consent, called by what its `state` says; other events keep their type."""
    if type_ not in ("consent_granted", "consent_withdrawn"):
        return type_
    state = _state(properties.get("state"))
    return f"consent_{state}" if state in ("granted", "withdrawn") else type_


def consents_of_event(
    type_: str, properties: Json, identifiers: Sequence[Identifier], at: Instant
) -> tuple[ConsentReport, ...]:
    """The consents that an event is about, one for each channel that it names."""
    if type_ not in _STATE_OF_EVENT:
        return ()
    channel, state = _STATE_OF_EVENT[type_]
    state = _state(properties["state"]) or state if "state" in properties else state
    channels = [channel] if channel else list(_channels(properties))
    return tuple(
        ConsentReport(
            channel=one,
            address=first_text(properties, "address") or _address(one, identifiers),
            state=state,
            text=first_text(properties, "text", "consent_text"),
            occurred_at=at,
            evidence=first_text(properties, "source", "evidence"),
        )
        for one in channels
    )


def _report(
    channel: Channel,
    value: object,
    text_field: str,
    bag: Json,
    identifiers: Sequence[Identifier],
    at: Instant,
) -> ConsentReport | None:
    details = record(value)
    state = _state(details.get("state") if details else value)
    if state is None:
        return None
    return ConsentReport(
        channel=channel,
        address=first_text(details, "address") or _address(channel, identifiers),
        state=state,
        text=first_text(details, "text") or first_text(bag, text_field, "consent_text"),
        occurred_at=at,
        evidence=first_text(details, "source", "evidence"),
    )


def _state(value: object) -> ConsentState | None:
    """The state, or None where none can be read."""
    if type(value) is bool:
        return "granted" if value else "withdrawn"
    return _STATES.get(text(value).lower().replace(" ", "_").replace("-", "_"))


def _channels(properties: Json) -> Iterator[Channel]:
    named = properties.get("channel", properties.get("channels"))
    for one in named if type(named) is list else [named]:
        if channel := _CHANNEL_NAMES.get(text(one).lower().replace(" ", "_")):
            yield channel


def _address(channel: Channel, identifiers: Sequence[Identifier]) -> str:
    """The first address of the channel among the identifiers; empty stands for all that the person has."""
    types = _ADDRESS_TYPES[channel]
    return next((one.value for type_ in types for one in identifiers if one.type == type_), "")
