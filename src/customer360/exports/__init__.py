"""The registry of formats in which a segment's members leave: one line each, in the order in which they are offered."""

from __future__ import annotations

from customer360.exports import (
    basic,
    csv_excel,
    email,
    extended,
    google,
    klaviyo,
    meta,
    pinterest,
    plain_csv,
    tiktok,
)
from customer360.exports.model import Format

FORMATS: tuple[Format, ...] = (
    csv_excel.FORMAT,
    plain_csv.FORMAT,
    basic.FORMAT,
    extended.FORMAT,
    email.FORMAT,
    meta.FORMAT,
    google.FORMAT,
    tiktok.FORMAT,
    pinterest.FORMAT,
    klaviyo.FORMAT,
)
