"""Files of Segment calls, one JSON object a line, as Segment and RudderStack keep them."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import msgspec

from customer360.connectors.sources.files.row import check_readable, row_key
from customer360.connectors.sources.segment import translate as segment
from customer360.events.model import Event, ShopContext, Signal


def translate(signal: Signal, shop: ShopContext) -> Sequence[Event]:
    """The event of a line. Raises Unusable.

    A call is known by its messageId, so a file and the SDK tell of one call once. Equal lines without one all count.
    """
    check_readable(signal)
    key = row_key(signal)
    told = segment.translate(signal, shop)
    if "." not in key:
        return told
    nameless = f"segment:{blake2b(signal.body, digest_size=16).hexdigest()}"
    return tuple(
        msgspec.structs.replace(event, dedupe_key=f"row:{key}")
        if event.dedupe_key == nameless
        else event
        for event in told
    )
