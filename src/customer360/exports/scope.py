"""How many people would a file hold, and how many would be left out? Asked of the warehouse before the download."""

from __future__ import annotations

from dataclasses import dataclass

from customer360.exports.members import member_ids_sql
from customer360.exports.model import Format
from customer360.profiles.browse import WarehouseQuery

_MATCHED = (60, 80)
"""Per cent of the people with an e-mail address that advertising platforms typically know."""

_CONTACTS = {
    "email": ("p.has_email", "p.consent_email = 'granted'"),
    "phone": ("p.has_phone", "p.consent_sms = 'granted'"),
}
"""How the warehouse says that somebody has such a contact, and one that marketing may use."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What an export will come to: `written` rows, and the members that are left out by reason."""

    members: int
    written: int
    without_consent: int
    """They have a contact that the format could use, and none that marketing may use."""
    without_contact: int
    with_email: int
    """Rows with an e-mail address, which platforms match best by."""
    match_rate: tuple[int, int] | None
    """Per cent of the rows that an advertising platform will probably know, from and to; None elsewhere."""

    @property
    def left_out(self) -> int:
        """Members without a row."""
        return self.members - self.written


def scope(
    warehouse: WarehouseQuery,
    shop_id: int,
    segment_id: int,
    format: Format,
    *,
    everybody: bool = False,
) -> Scope:
    """What an export of a segment would hold now; `everybody`: also those without consent."""
    ids, bound = member_ids_sql(segment_id)
    consented = format.needs_consent and not everybody
    known = " or ".join(_CONTACTS[kind][0] for kind in format.contacts) or "true"
    usable = " or ".join(_CONTACTS[kind][consented] for kind in format.contacts) or "true"
    counts = warehouse.query(
        shop_id,
        f"""
        select
            count(*) as members,
            count(*) filter (where {known}) as known,
            count(*) filter (where {usable}) as written,
            count(*) filter (where {_CONTACTS["email"][consented]}) as with_email
        from profiles p
        where p.profile_id in ({ids})
        """,
        bound,
    ).to_pylist()[0]
    members, known_count, written = counts["members"], counts["known"], counts["written"]
    return Scope(
        members=members,
        written=written,
        without_consent=known_count - written,
        without_contact=members - known_count,
        with_email=counts["with_email"],
        match_rate=_match_rate(format, written, counts["with_email"]),
    )


def _match_rate(format: Format, written: int, with_email: int) -> tuple[int, int] | None:
    if format.purpose != "advertising" or not written:
        return None
    low, high = (round(share * with_email / written) for share in _MATCHED)
    return low, high
