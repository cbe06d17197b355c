"""From the stores to the file: who is in it, who is left out, and that the log tells."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import insert, update

from customer360.errors import InvalidInput
from customer360.exports import FORMATS, export, members
from customer360.exports.export import format_named
from customer360.exports.store import ExportRow, list_exports
from customer360.identities.tables import profiles
from customer360.segments.model import all_customers
from customer360.segments.tables import segment_members
from customer360.storage.database import next_change
from tests.exports.conftest import Exporter
from tests.exports.test_formats import hashed

ADDRESS = {"street": "1 Quay", "city": "Cork", "postalCode": "01234", "country": "IE"}
CONSENTS: list[tuple[dict[str, Any], str, str]] = [
    # What somebody agreed to, and the e-mail address and phone number that then leave.
    ({"email_consent": True, "sms_consent": True}, "ann@x.example", "+353861000009"),
    ({"email_consent": True}, "ann@x.example", ""),
    ({"email_consent": True, "sms_consent": "unsubscribed"}, "ann@x.example", ""),
    ({"email_consent": "pending", "sms_consent": True}, "", "+353861000009"),
    ({"email_consent": "unsubscribed", "sms_consent": "pending"}, "", ""),
    ({}, "", ""),
]


@pytest.mark.parametrize(("consents", "email", "phone"), CONSENTS)
def test_each_contact_leaves_with_its_own_consent_alone(
    quick: Exporter, consents: dict[str, Any], email: str, phone: str
) -> None:
    quick.person("u1", email="ann@x.example", phone="086 100 0009", firstName="Ann", **consents)
    quick.house.drain()

    rows = quick.rows("klaviyo")
    assert [(row["Email"], row["Phone Number"]) for row in rows] == (
        [(email, phone)] if email or phone else []
    )
    assert [(row["E-mail"], row["Phone"]) for row in quick.rows("email")] == (
        [(email, phone)] if email or phone else []
    )
    for platform, column in (("meta", "email"), ("google", "Email"), ("tiktok", "Email_SHA256")):
        mails = [row[column] for row in quick.rows(platform)]
        assert mails == ([hashed(email) if email else ""] if email or phone else [])
    assert len(quick.rows("pinterest")) == bool(email)
    for format in ("csv", "csv_excel", "basic", "extended"):
        assert len(quick.rows(format)) == 1


def test_told_so_everybody_with_a_contact_leaves(quick: Exporter) -> None:
    quick.person("u1", email="ann@x.example", email_consent="unsubscribed", phone="086 100 0009")
    quick.person("u2", firstName="Bea")
    quick.house.drain()

    (row,) = quick.rows("klaviyo", everybody=True)
    assert row["Email"] == "ann@x.example"
    assert row["Email Marketing Consent"] == "Unsubscribed"
    assert row["SMS Marketing Consent"] == ""


def test_of_several_addresses_the_one_with_consent_comes_first(quick: Exporter) -> None:
    quick.person("u1", email="old@x.example", email_consent=True)
    quick.person("u1", email="new@x.example")
    quick.house.drain()

    (row,) = quick.rows("csv")
    assert (row["E-mail"], row["E-mail consent"]) == ("old@x.example", "granted")
    (cells,) = quick.table("google", everybody=True)[1:]
    assert cells[:3] == [hashed("old@x.example"), hashed("new@x.example"), ""]
    (cells,) = quick.table("google")[1:]
    assert cells[:3] == [hashed("old@x.example"), "", ""]


def test_the_numbers_of_a_file_are_counted_noted_and_known_before(exporter: Exporter) -> None:
    exporter.person("u1", email="ann@x.example", email_consent=True)
    exporter.person("u2", phone="086 100 0010", sms_consent=True)
    exporter.person("u3", email="cy@x.example")
    exporter.person("u4", firstName="Dee", email_consent=True)
    exporter.house.segment({"type": "page", "anonymousId": "c1"})
    exporter.house.drain()

    for format in FORMATS:
        for everybody in (False, True):
            one = exporter.export(format.name, everybody=everybody)
            rows = b"".join(one.pieces()).count(b"\r\n") - 1
            found = (one.written, one.without_consent, one.without_contact)
            assert rows == one.written
            scope = exporter.scope(format.name, everybody=everybody)
            assert found == (scope.written, scope.without_consent, scope.without_contact)
            assert scope.members == 4
            assert scope.left_out == 4 - one.written
    assert exporter.scope("meta").without_consent == 1
    assert exporter.scope("meta").without_contact == 1
    assert exporter.scope("pinterest").written == 1
    assert exporter.scope("basic").written == 4


def test_the_match_rate_to_expect_follows_the_share_of_e_mails(quick: Exporter) -> None:
    assert quick.scope("meta").match_rate is None
    quick.person("u1", email="ann@x.example", email_consent=True)
    quick.house.drain()
    assert quick.scope("meta").match_rate == (60, 80)
    assert quick.scope("email").match_rate is None
    quick.person("u2", phone="086 100 0010", sms_consent=True)
    quick.house.drain()
    assert quick.scope("meta").match_rate == (30, 40)
    assert quick.scope("pinterest").match_rate == (60, 80)


def test_a_segment_leaves_with_its_members_alone(exporter: Exporter) -> None:
    for name in ("ann", "bea", "cy"):
        exporter.person(name, email=f"{name}@x.example", email_consent=name != "cy")
    exporter.house.drain()
    shop_id, segment = exporter.house.shop.shop_id, replace(all_customers(), segment_id=77)
    with exporter.house.app.database.write() as connection:
        change = next_change(connection, shop_id)
        for number, name in enumerate(("bea", "cy")):
            row = {
                "segment_id": 77,
                "profile_id": exporter.house.profile_id(f"email:{name}@x.example"),
            }
            row |= {"shop_id": shop_id, "member_id": number, "entered_at": 0, "change": change}
            connection.execute(insert(segment_members).values(row))
    exporter.house.app.warehouse.sync(shop_id)

    assert [row["E-mail"] for row in exporter.rows("email", segment=segment)] == ["bea@x.example"]
    found = exporter.scope("email", segment_id=77)
    assert (found.members, found.written, found.without_consent) == (2, 1, 1)


def log_of(exporter: Exporter, **options: Any) -> list[ExportRow]:
    with exporter.house.app.database.read() as connection:
        return list_exports(connection, exporter.house.shop.shop_id, **options)


def test_the_log_names_who_took_what(exporter: Exporter) -> None:
    exporter.person("u1", email="ann@x.example", email_consent=True)
    exporter.person("u2", email="bea@x.example")
    exporter.house.drain()
    exporter.file("meta")
    exporter.file("csv")

    latest, first = log_of(exporter)
    assert (latest.format, latest.written, latest.everybody) == ("csv", 2, True)
    assert first.actor == "ann@shop.example"
    assert (first.segment_id, first.segment_name, first.format) == (1, "All customers", "meta")
    assert (first.written, first.without_consent, first.without_contact) == (1, 1, 0)
    assert first.complete
    assert not first.everybody
    assert first.ended_at == first.started_at == exporter.house.clock.now()
    assert log_of(exporter, before=latest.export_id) == [first]
    assert log_of(exporter, segment_id=7) == []
    assert log_of(exporter, limit=1) == [latest]


def test_a_file_that_is_cut_off_is_in_the_log_as_that(quick: Exporter) -> None:
    for number in range(600):
        quick.person(f"u{number}", email=f"u{number}@x.example", email_consent=True)
    quick.house.drain()

    pieces = quick.export("extended").pieces()
    next(pieces)
    assert [row.complete for row in log_of(quick)] == [False]
    pieces.close()
    (row,) = log_of(quick)
    assert not row.complete
    assert 0 < row.written < 600
    assert row.ended_at is not None


def test_everybody_is_in_the_file_once_whatever_the_size_of_a_page(
    quick: Exporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(25):
        quick.person(f"u{number}", email=f"u{number}@x.example")
    quick.house.drain()
    for page, part in ((1, 1), (5, 2), (25, 25), (10, 7)):
        monkeypatch.setattr(members, "PAGE", page)
        monkeypatch.setattr(export, "PEOPLE", part)
        found = [int(row["Profile id"]) for row in quick.rows("csv")]
        assert len(found) == 25
        assert all(one < other for one, other in pairwise(found))


def test_memory_follows_the_page_and_not_the_segment(
    quick: Exporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(400):
        quick.person(f"u{number}", email=f"u{number}@x.example")
    quick.house.drain()
    quick.file("csv")

    def peak(page: int) -> int:
        monkeypatch.setattr(members, "PAGE", page)
        tracemalloc.start()
        for _ in quick.export("csv").pieces():
            pass
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    # A page's people are the most of it; to keep only what the warehouse said of all would be half.
    assert peak(20) < 0.4 * peak(400)


def test_whoever_was_merged_away_meanwhile_is_not_in_the_file(quick: Exporter) -> None:
    quick.person("u1", email="ann@x.example")
    quick.person("u2", email="bea@x.example")
    quick.house.drain()
    ann, bea = (quick.house.profile_id(f"email:{name}@x.example") for name in ("ann", "bea"))
    with quick.house.app.database.write() as connection:
        one = profiles.c.profile_id == bea
        connection.execute(update(profiles).where(one).values(merged_into=ann))
    # The warehouse does not know yet.
    assert quick.scope("csv").written == 2
    assert [row["E-mail"] for row in quick.rows("csv")] == ["ann@x.example"]


def test_attributes_are_those_of_the_profile(quick: Exporter) -> None:
    house = quick.house
    quick.person("u1", email="ann@x.example", address=ADDRESS, tags=["vip"])
    order = {"order_id": "1", "total": "59.5", "currency": "EUR"}
    for call in (
        {"event": "Order Completed", "properties": order, "timestamp": "2026-06-10T09:00:00Z"},
        {"event": "Email Sent", "timestamp": "2026-06-15T08:00:00Z"},
        {"event": "Email Sent", "timestamp": "2026-06-14T22:59:59Z"},
        {"event": "Email Sent", "timestamp": "2026-05-12T08:00:00Z"},
    ):
        house.segment({"type": "track", "userId": "u1", **call})
    house.drain()
    house.app.enrichment.run(house.shop)

    (row,) = quick.rows("extended")
    expected = house.attributes("email:ann@x.example")
    for name, value in expected.items():
        if value is None or isinstance(value, bool | list):
            continue
        assert row[name].lstrip("'") == str(value), name
    assert (row["total_spend"], row["days_since_last_order"]) == ("59.50", "5")
    assert (row["messages_today"], row["messages_7d"], row["fatigue"]) == ("1", "2", "0.2")
    assert (row["address_street"], row["tags"]) == ("1 Quay", "vip")
    assert (row["lifecycle_stage"], row["tier"], row["ltv_percentile"]) == (
        "converted",
        "new",
        "100.0",
    )


def test_the_file_is_named_after_segment_format_and_day(quick: Exporter) -> None:
    assert quick.export("meta").file_name == "all-customers-meta-2026-06-15.csv"


def test_an_unknown_format_is_refused_with_what_may_have_been_meant() -> None:
    with pytest.raises(InvalidInput, match="did you mean meta"):
        format_named("metaa")
    with pytest.raises(InvalidInput, match="there are csv_excel, csv"):
        format_named("xyz")


WILD = '=cmd|" /C calc"!A0, a, "b"\n+353\r@x\t😀 שלום'


def test_a_name_that_is_a_formula_begins_no_cell(exporter: Exporter) -> None:
    exporter.person(
        "u1",
        email="ann@x.example",
        email_consent=True,
        phone="086 100 0009",
        firstName=WILD,
        lastName="-1+2",
        address={**ADDRESS, "city": "@SUM(A1)", "postalCode": "=1"},
    )
    exporter.house.drain()
    for format in FORMATS:
        cells = [cell for row in exporter.table(format.name)[1:] for cell in row]
        begun = [cell for cell in cells if cell.startswith(("=", "-", "@", "\t", "\r", "\n"))]
        # The plain one is for programs.
        assert bool(begun) == (format.name == "csv"), format.name
        if not format.needs_consent:
            assert any('a, "b"' in cell and "😀 שלום" in cell for cell in cells)


def test_a_spreadsheet_loses_neither_zeros_nor_digits(quick: Exporter) -> None:
    quick.person("u1", phone="086 100 0009", address=ADDRESS)
    quick.house.drain()
    (plain,), (safe,) = quick.rows("csv"), quick.rows("csv_excel")
    assert (plain["ZIP"], plain["Phone"]) == ("01234", "+353861000009")
    for column in ("Profile id", "ZIP", "Phone"):
        assert safe[column] == f"'{plain[column]}"
    assert quick.file("csv_excel").startswith("\ufeff".encode())
    assert not quick.file("csv").startswith("\ufeff".encode())
