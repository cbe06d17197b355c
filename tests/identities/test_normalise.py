"""Identifiers are cleaned, and what names nobody is dropped, before anything is linked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customer360.events.model import Identifier, IdentifierType, Trust
from customer360.identities.normalise import (
    ANONYMOUS,
    KNOWN,
    MAX_LENGTH,
    STRENGTH,
    fold_name,
    is_relay_email,
    normalise,
    normalise_one,
)


def evidence(
    *identifiers: tuple[str, str],
    trust: Trust = Trust.FULL,
    till: bool = False,
    placeholders: frozenset[str] = frozenset(),
) -> list[tuple[str, str]]:
    """What is left of (type, value) pairs, in an Irish shop."""
    given = [Identifier(type, value) for type, value in identifiers]
    kept = normalise(given, country="IE", trust=trust, till=till, placeholders=placeholders)
    return [(one.type, one.value) for one in kept]


@pytest.mark.parametrize(
    ("type", "written", "stored"),
    [
        ("email", "  Ann.Murphy+shop@Example.COM ", "ann.murphy+shop@example.com"),
        ("email", "ａｎｎ＠example.com", "ann@example.com"),
        ("email", "ÁINE@example.ie", "áine@example.ie"),
        ("email", "x7k2@privaterelay.appleid.com", "x7k2@privaterelay.appleid.com"),
        ("phone", "087 123 4567", "+353871234567"),
        ("phone", "+353 (0)87 123-4567", "+353871234567"),
        ("phone", "00353871234567", "+353871234567"),
        ("phone", "353871234567", "+353871234567"),
        ("phone", "+15551234567", "+15551234567"),
        ("whatsapp", "353871234567", "+353871234567"),
        ("whatsapp", "whatsapp:+353871234567", "+353871234567"),
        ("whatsapp", "353871234567@s.whatsapp.net", "+353871234567"),
        ("shopify_customer_id", "gid://shopify/Customer/207119551", "207119551"),
        ("user_id", " Case-Matters ", "Case-Matters"),
        ("cookie", "b3f8-41", "b3f8-41"),
    ],
)
def test_a_value_is_stored_in_one_way(type: str, written: str, stored: str) -> None:
    assert normalise_one(type, written, "IE") == stored


@pytest.mark.parametrize(
    "value", ["not a mail", "ann@", "@x.com", "a@b@c.com", "ann@x", "a b@x.com"]
)
def test_what_is_no_email_address_never_identifies(value: str) -> None:
    assert normalise_one("email", value, "IE") is None


@pytest.mark.parametrize(
    "value", ["12345", "112", "call me", "+353", "087 123 4567 / 087 999 9999"]
)
def test_what_is_no_phone_number_never_identifies(value: str) -> None:
    assert normalise_one("phone", value, "IE") is None


def test_a_whatsapp_id_is_international() -> None:
    assert normalise_one("whatsapp", "0871234567", "IE") is None


def test_phone_and_whatsapp_are_one_number_space() -> None:
    kept = evidence(("whatsapp", "353871234567"), ("phone", "087 123 4567"))
    assert kept == [("phone", "+353871234567")]


@pytest.mark.parametrize("country", ["", "ZZ", "ie", "IE"])
def test_an_international_number_needs_no_country(country: str) -> None:
    assert normalise_one("phone", "+44 7911 123456", country) == "+447911123456"


@pytest.mark.parametrize(
    "value",
    [
        *(
            "guest",
            "NULL",
            "undefined",
            "Unknown",
            "none",
            "Anonymous",
            "[object Object]",
            "0",
            "-1",
        ),
        *("", "   ", "000", "00000000-0000-0000-0000-000000000000"),
    ],
)
@pytest.mark.parametrize("type", ["user_id", "cookie", "shopify_customer_id", "email", "phone"])
def test_a_placeholder_never_identifies(type: str, value: str) -> None:
    assert normalise_one(type, value, "IE") is None


@pytest.mark.parametrize(
    ("type", "value"),
    [
        ("email", "Test@Test.com"),
        ("email", "NoEmail@anywhere.example"),
        ("email", "ｔｅｓｔ@test.com"),
        ("phone", "0000000000"),
        ("phone", "+353 00 000 0000"),
        ("whatsapp", "000000000000"),
    ],
)
def test_a_made_up_address_or_number_never_identifies(type: str, value: str) -> None:
    assert normalise_one(type, value, "IE") is None


@pytest.mark.parametrize(
    ("type", "value"),
    [("email", "Till@Shop.ie"), ("phone", "+353 1 800 0000"), ("user_id", "Walk-In")],
)
def test_a_shop_adds_placeholders_of_its_own(type: str, value: str) -> None:
    listed = frozenset({"till@shop.ie", "01 800 0000", "WALK-IN"})
    assert evidence((type, value)) != []
    assert evidence((type, value), placeholders=listed) == []


@pytest.mark.parametrize(
    "address",
    [
        "abc123@marketplace.amazon.com",
        "abc123@Marketplace.Amazon.co.uk",
        "buyer_9@members.ebay.com",
        "v9@scs.tiktokw.us",
        "v9@eu.scs.tiktokw.us",
    ],
)
def test_a_marketplace_relay_never_identifies(address: str) -> None:
    assert is_relay_email(address)
    assert normalise_one("email", address, "IE") is None


@pytest.mark.parametrize(
    "address",
    ["ann@privaterelay.appleid.com", "ann@amazon.com", "ann@mymarketplace.amazon.example.org"],
)
def test_other_addresses_are_no_marketplace_relays(address: str) -> None:
    assert not is_relay_email(address)


@pytest.mark.parametrize("value", ["a\x00b", "a\x1fb", "a\ud800b", "x" * (MAX_LENGTH + 1)])
def test_what_no_database_can_keep_never_identifies(value: str) -> None:
    assert normalise_one("user_id", value, "IE") is None


def test_an_unknown_type_never_identifies() -> None:
    assert evidence(("shoe_size", "43")) == []


def test_evidence_is_sorted_and_distinct() -> None:
    pairs = [("user_id", "u1"), ("cookie", "c1"), ("email", "A@x.com"), ("email", "a@X.com ")]
    kept = [("cookie", "c1"), ("email", "a@x.com"), ("user_id", "u1")]
    assert evidence(*pairs) == evidence(*reversed(pairs)) == kept


EVERY_TYPE = [
    ("shopify_customer_id", "1"),
    ("user_id", "u"),
    ("pos_customer", "p"),
    ("amazon_buyer", "a"),
    ("ebay_buyer", "e"),
    ("tiktok_buyer", "t"),
    ("email", "a@x.com"),
    ("klaviyo_id", "k"),
    ("phone", "+353871234567"),
    ("whatsapp", "353879999999"),
    ("cookie", "c"),
    ("cart_token", "ct"),
    ("checkout_token", "cht"),
]


def test_a_browser_asserts_cookie_tokens_user_id_email_and_phone_only() -> None:
    kept = {type for type, _ in evidence(*EVERY_TYPE, trust=Trust.PUBLIC)}
    assert kept == {"cookie", "cart_token", "checkout_token", "user_id", "email", "phone"}
    assert ("phone", "+353879999999") not in evidence(*EVERY_TYPE, trust=Trust.PUBLIC)


def test_full_trust_asserts_every_type() -> None:
    kept = {type for type, _ in evidence(*EVERY_TYPE)}
    assert kept == {type.value for type in IdentifierType} - {"whatsapp"}


def test_a_till_contributes_no_anonymous_identifier() -> None:
    kept = {type for type, _ in evidence(*EVERY_TYPE, till=True)}
    assert kept == {type for type, _ in evidence(*EVERY_TYPE)} - ANONYMOUS


def test_every_type_has_a_strength_and_is_known_or_anonymous() -> None:
    assert set(STRENGTH) == set(IdentifierType)
    assert set(IdentifierType) == KNOWN | ANONYMOUS
    assert max(STRENGTH[type] for type in KNOWN) < min(STRENGTH[type] for type in ANONYMOUS)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Ann", "Murphy"), ("ANN", " murphy ")),
        (("Zoë", "Núñez"), ("zoe", "nunez")),
        (("Søren", "Łukasz"), ("soren", "lukasz")),
        (("Ann", "Murphy"), ("Murphy", "Ann")),
        (("Anna  Maria", "O’Brien"), ("anna maria", "O'Brien")),
        (("Jürgen", "Groß"), ("JURGEN", "GROSS")),
    ],
)
def test_case_accents_and_order_make_no_other_name(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    assert fold_name(*one) == fold_name(*other) != ""


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("Ann", ""),
        ("", "Murphy"),
        ("Guest", "Murphy"),
        ("Ann", "unknown"),
        ("A***", "M***"),
        ("-", "."),
    ],
)
def test_half_a_name_or_a_placeholder_is_no_name(first: str, last: str) -> None:
    assert fold_name(first, last) == ""


@given(
    st.sampled_from([type.value for type in IdentifierType]),
    st.text(max_size=40) | st.from_regex(r"[\w.]{1,8}@[\w.]{1,8}\.\w{2}", fullmatch=True),
    st.sampled_from(["IE", "US", "", "ZZ"]),
)
def test_cleaning_what_is_clean_changes_nothing(type: str, value: str, country: str) -> None:
    cleaned = normalise_one(type, value, country)
    if cleaned is not None:
        assert normalise_one(type, cleaned, country) == cleaned
        cleaned.encode()


@given(st.text(max_size=20), st.text(max_size=20))
def test_folding_a_name_never_depends_on_the_order_of_its_parts(first: str, last: str) -> None:
    assert fold_name(first, last) == fold_name(last, first)
