"""What each format writes of a person: headers, order, normalisation, hashes."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from customer360.events.model import Address
from customer360.exports import FORMATS
from customer360.exports.export import format_named
from customer360.exports.model import Contact, Person
from customer360.exports.normalise import repeated
from customer360.identities.normalise import normalise_one
from customer360.profiles.attributes import ATTRIBUTES
from tests.conftest import ROOT

ANN = Person(
    614519532646400001,
    "Ann",
    "Rao",
    (Address(street="1 Quay", city="Cork", region="Munster", zip="T12 X285", country="IE"),),
    (Contact("ann@x.example", "granted"), Contact("ann.rao@y.example", "withdrawn")),
    (Contact("+353861000009", "granted"),),
    {"orders_count": 3, "total_spend": "59.00", "tags": ["vip", "new"], "has_email": True},
)


def cells(format: str, person: Person) -> dict[str, str]:
    """A person's row by column; of repeated columns the first."""
    chosen = format_named(format)
    row = chosen.row(person)
    assert len(row) == len(chosen.header)
    return dict(reversed(list(zip(chosen.header, row, strict=True))))


def hashed(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def test_the_formats_are_those_that_the_api_names() -> None:
    assert [format.name for format in FORMATS] == [
        *("csv_excel", "csv", "basic", "extended", "email"),
        *("meta", "google", "tiktok", "pinterest", "klaviyo"),
    ]


@pytest.mark.parametrize(
    ("format", "header"),
    [
        (
            "meta",
            "email,email,email,phone,phone,phone,madid,fn,ln,zip,ct,st,country,dob,doby,gen,age,uid,value",
        ),
        ("google", "Email,Email,Email,Phone,Phone,Phone,First Name,Last Name,Country,Zip"),
        ("tiktok", "Email_SHA256,Phone_SHA256"),
        ("pinterest", "EMAIL"),
        ("email", "Name,Phone,E-mail"),
        (
            "klaviyo",
            "Email,Phone Number,First Name,Last Name,Address,Address 2,City,State / Region,Zip Code,Country,"
            "Email Marketing Consent,SMS Marketing Consent",
        ),
    ],
)
def test_a_platform_knows_the_header(format: str, header: str) -> None:
    assert ",".join(format_named(format).header) == header


_HASHED: list[tuple[str, str, dict[str, Any], str]] = [
    ("meta", "email", {"emails": (" Ann.Rao+News@X.Example ",)}, "ann.rao+news@x.example"),
    ("meta", "phone", {"phones": ("+353861000009",)}, "353861000009"),
    ("meta", "phone", {"phones": ("0044 20 7946 0000",)}, "442079460000"),
    ("meta", "fn", {"first_name": "Zoë"}, "zoë"),
    ("meta", "fn", {"first_name": " Mary  Jane "}, "mary jane"),
    ("meta", "ln", {"last_name": "O’Neill-Díaz"}, "oneilldíaz"),
    ("meta", "ct", {"city": "St. John's"}, "stjohns"),
    ("meta", "st", {"region": "New York"}, "newyork"),
    ("meta", "zip", {"zip": "94107-1234", "country": "us"}, "94107"),
    ("meta", "zip", {"zip": "SW1A 1AA", "country": "GB"}, "sw1a1aa"),
    ("meta", "zip", {"zip": "12345-678", "country": "BR"}, "12345678"),
    ("meta", "country", {"country": "IE"}, "ie"),
    ("google", "Email", {"emails": ("A.N.N+x@GoogleMail.com",)}, "ann@googlemail.com"),
    ("google", "Email", {"emails": ("a.n.n+x@x.example",)}, "a.n.n+x@x.example"),
    ("google", "Phone", {"phones": ("+353861000009",)}, "+353861000009"),
    ("google", "First Name", {"first_name": " Zoë-Ann "}, "zoë-ann"),
    ("google", "Last Name", {"last_name": "O'Neill"}, "o'neill"),
    ("tiktok", "Email_SHA256", {"emails": (" Ann@X.Example",)}, "ann@x.example"),
    ("tiktok", "Phone_SHA256", {"phones": ("+37493828222",)}, "37493828222"),
    ("pinterest", "EMAIL", {"emails": ("Ann@X.Example",)}, "ann@x.example"),
]


def person(**told: Any) -> Person:
    """A person of whom this is known."""
    contacts = {
        kind: tuple(Contact(value, "granted") for value in told.get(kind, ()))
        for kind in ("emails", "phones")
    }
    names = {name: told.get(name, "") for name in ("first_name", "last_name")}
    parts = {name: told.get(name, "") for name in ("city", "region", "zip", "country")}
    return Person(1, **names, addresses=(Address(**parts),), **contacts)


@pytest.mark.parametrize(("format", "column", "told", "plain"), _HASHED)
def test_a_platform_gets_the_hash_of_what_it_compares(
    format: str, column: str, told: dict[str, Any], plain: str
) -> None:
    assert cells(format, person(**told))[column] == hashed(plain)


@pytest.mark.parametrize("format", ["meta", "google", "tiktok", "pinterest"])
def test_nothing_is_never_hashed(format: str) -> None:
    assert set(cells(format, Person(1)).values()) == {""}


def test_country_and_zip_for_google_and_the_value_for_meta_are_not_hashed() -> None:
    google = cells("google", ANN)
    assert (google["Country"], google["Zip"]) == ("IE", "T12 X285")
    assert cells("meta", ANN)["value"] == "59.00"


def test_a_country_that_is_no_code_is_left_out() -> None:
    assert cells("google", person(country="Ireland"))["Country"] == ""
    assert cells("meta", person(country="Ireland"))["country"] == ""


def test_three_different_contacts_fill_the_columns_that_repeat() -> None:
    emails = ("a@gmail.com", "A+x@gmail.com", "b@x.example", "c@x.example", "d@x.example")
    row = format_named("google").row(person(emails=emails))
    assert row[:4] == [*(hashed(one) for one in ("a@gmail.com", "b@x.example", "c@x.example")), ""]
    assert repeated(["", "a", "a"], 2) == ["a", ""]


def test_klaviyo_is_told_what_each_contact_agreed_to() -> None:
    contacts = {"granted": "Subscribed", "withdrawn": "Unsubscribed", "pending": "", "never": ""}
    for consent, word in contacts.items():
        row = cells("klaviyo", replace(ANN, emails=(Contact("ann@x.example", consent),)))  # type: ignore[arg-type]
        assert row["Email Marketing Consent"] == word
        assert row["SMS Marketing Consent"] == "Subscribed"
    assert cells("klaviyo", replace(ANN, phones=()))["SMS Marketing Consent"] == ""


def test_everything_is_in_the_extended_file() -> None:
    row = cells("extended", ANN)
    assert set(row) > {attribute.name for attribute in ATTRIBUTES}
    assert (row["emails"], row["email_consents"]) == (
        "ann@x.example, ann.rao@y.example",
        "granted, withdrawn",
    )
    assert (row["tags"], row["has_email"], row["orders_count"]) == ("vip, new", "true", "3")
    assert (row["ltv"], row["address_city"]) == ("", "Cork")


def test_where_no_address_is_known_the_place_stands_in() -> None:
    told = Person(1, "Ann", attributes={"city": "Cork", "country": "IE", "zip": None})
    row = cells("basic", told)
    assert (row["Name"], row["City"], row["ZIP"], row["Country"]) == ("Ann", "Cork", "", "IE")


def test_the_published_vectors_hold(shared: Path) -> None:
    vectors = json.loads((shared / "contracts" / "audience_vectors.json").read_text())
    assert len(vectors) > 10
    fields = {
        **dict.fromkeys(("email", "Email", "Email_SHA256"), "emails"),
        **dict.fromkeys(("phone", "Phone", "Phone_SHA256"), "phones"),
        "fn": "first_name",
        "First Name": "first_name",
        "ln": "last_name",
        "Last Name": "last_name",
        "ct": "city",
        "st": "region",
        "Zip": "zip",
        "Country": "country",
    }
    for vector in vectors:
        raw, field = vector["raw"], fields.get(vector["field"], vector["field"])
        told: dict[str, Any] = {field: (raw,) if field == "emails" else raw}
        if field == "phones":
            # As the profile store keeps it.
            told = {field: (normalise_one("phone", raw.partition(" (shop")[0], "IE"),)}
        if raw == "94107-1234":
            told["country"] = "US"
        assert cells(vector["platform"], person(**told))[vector["field"]] == vector["value"], vector


def test_every_format_and_column_is_documented() -> None:
    page = (ROOT / "docs" / "exports.md").read_text()
    attributes = {attribute.name for attribute in ATTRIBUTES}
    for format in FORMATS:
        assert f"`{format.name}`" in page
        missing = {
            name for name in format.header if name not in attributes and f"`{name}`" not in page
        }
        assert not missing, format.name
