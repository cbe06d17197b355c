"""Who agreed to marketing messages, and how?"""

from __future__ import annotations

from typing import Any

from customer360.clock import Instant
from customer360.connectors.sources.payload import Json, record, text
from customer360.connectors.sources.shopify import people
from customer360.connectors.sources.shopify.webhook import Webhook
from customer360.events.model import (
    Channel,
    ConsentReport,
    ConsentState,
    Event,
    Identifier,
    IdentifierType,
    Unusable,
)

# "redacted" and "invalid" say nothing of what the person wants.
STATES: dict[str, ConsentState] = {
    "subscribed": "granted",
    "unsubscribed": "withdrawn",
    "not_subscribed": "never",
    "pending": "pending",
}
_EVENT_OF_STATE = {"granted": "consent_granted", "withdrawn": "consent_withdrawn"}


def email_consent_event(webhook: Webhook) -> tuple[Event, ...]:
    """customers_email_marketing_consent/update: the customer is `customer_id`."""
    body = webhook.body
    address = text(body.get("email_address")) or text(body.get("email"))
    told = body.get("email_marketing_consent")
    found = people.identifiers(IdentifierType.EMAIL, address)
    return _consent_event(
        webhook, "customer_id", found, consent_of("email", address, told, webhook)
    )


def sms_consent_event(webhook: Webhook) -> tuple[Event, ...]:
    """customers_marketing_consent/update: the customer is `id`."""
    body = webhook.body
    address, told = text(body.get("phone")), body.get("sms_marketing_consent")
    found = people.identifiers(IdentifierType.PHONE, address)
    return _consent_event(webhook, "id", found, consent_of("sms", address, told, webhook))


def customer_consents(webhook: Webhook) -> tuple[ConsentReport, ...]:
    """The consents inside a customer object, as API versions before 2025-01 have them.

    They repeat a standing state with every change of the customer. One that does not say since when counts from
    the customer's creation, so that repeating a grant never overrules a withdrawal given since; only a
    withdrawal counts from the change.
    """
    body = webhook.body
    told = (
        consent_of("email", text(body.get("email")), body.get("email_marketing_consent"), webhook),
        consent_of("sms", text(body.get("phone")), body.get("sms_marketing_consent"), webhook),
    )
    return tuple(consent for consent in told if consent is not None)


def consent_of(channel: Channel, address: str, told: Any, webhook: Webhook) -> ConsentReport | None:
    """One consent; None where nothing is told, or where only a withdrawal could do without an address."""
    consent = record(told)
    state = STATES.get(text(consent.get("state")).lower())
    if state is None or not (address or state == "withdrawn"):
        return None
    return ConsentReport(
        channel=channel,
        address=address,
        state=state,
        occurred_at=_decided_at(consent, state, webhook),
        evidence=_evidence(consent),
    )


def _decided_at(consent: Json, state: ConsentState, webhook: Webhook) -> Instant:
    told = webhook.at(consent.get("consent_updated_at"))
    if told is not None:
        return told
    fields = ("updated_at", "created_at") if state == "withdrawn" else ("created_at", "updated_at")
    return webhook.time(*fields)


def _evidence(consent: Json) -> str:
    """How it was given, such as "confirmed_opt_in, collected from shopify"."""
    where = text(consent.get("consent_collected_from"))
    parts = (text(consent.get("opt_in_level")), f"collected from {where}" if where else "")
    return ", ".join(filter(None, parts))


def _consent_event(
    webhook: Webhook,
    id_field: str,
    addresses: tuple[Identifier, ...],
    consent: ConsentReport | None,
) -> tuple[Event, ...]:
    found = people.account(webhook.body.get(id_field)) + addresses
    if not found:
        raise Unusable("missing_id", "The consent names neither a customer nor an address.")
    name = _EVENT_OF_STATE.get(consent.state, "contact_updated") if consent else "contact_updated"
    properties = {"channel": consent.channel, "state": consent.state} if consent else {}
    event = webhook.event(
        name,
        consent.occurred_at if consent else webhook.told_at,
        identifiers=found,
        properties=properties,
        consents=(consent,) if consent else (),
    )
    return (event,)
