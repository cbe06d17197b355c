"""What an event tells of its person beside its properties, as it is kept: whoever folds it again needs it."""

from __future__ import annotations

import msgspec

from customer360.events.model import Event, Page, Place, Traits


class Told(msgspec.Struct, array_like=True, frozen=True):
    """The part of an event that only folding reads."""

    dedupe_key: str
    traits: Traits | None = None
    landing: Page | None = None
    place: Place = "online"


def encode_told(event: Event) -> str | None:
    """As it is stored; None where the event tells nothing."""
    if event.traits is None and event.landing is None and event.place != "in_store":
        return None
    told = Told(event.dedupe_key, event.traits, event.landing, event.place)
    return _encoder.encode(told).decode()


def decode_told(text: str | None) -> Told:
    """As it was told."""
    return _decoder.decode(text) if text else _NOTHING


_NOTHING = Told("")
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Told)
