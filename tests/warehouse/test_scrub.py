"""Nothing that looks personal gets past the scrub, and what is not personal does."""

import pytest

from customer360.storage.mirror import Kind
from customer360.warehouse.columns import OWN, SCRUBS
from customer360.warehouse.scrub import looks_personal, may_be_named, own_words, scrub_properties


@pytest.mark.parametrize(
    "value",
    [
        "ann@x.com",
        "Write to ann.murphy+shop@mail.example.com today",
        "ann＠x.com",
        "ann%40x.com",
        "mailto:ann@localhost",
        "+353 87 123 4567",
        "+353871234567",
        "00353871234567",
        "087 123 4567",
        "(087) 123-4567",
        "087/1234567",
        "06 12 34 56 78",
        "0612-34-56-78",
        "555-0123 4",
        "1234567",
        "call 087 123 4567 after six",
        "tel:+15550123456",
        "٠٨٧١٢٣٤٥٦٧",
        "2026-01-31 0871234567",
        "4111 1111 1111 1111",
        "192.168.100.200",
    ],
)
def test_addresses_and_numbers_look_personal_wherever_they_stand(value: str) -> None:
    assert looks_personal(value)


@pytest.mark.parametrize(
    "value",
    [
        "Blue shirt, size 42",
        "@handle",
        "2 for 1 @ 50%",
        "2026-01-31",
        "2026-01-31T09:30:00Z",
        "from 2026-01-31 to 2026-02-28",
        "1999.90",
        "1234567.89",
        "iPhone 15 Pro 256",
        "v1.2.3",
        "12 x 100 g",
        "A4-1200-88",
        "",
    ],
)
def test_words_dates_and_amounts_do_not(value: str) -> None:
    assert not looks_personal(value)


@pytest.mark.parametrize(
    ("kind", "value", "kept"),
    [
        (Kind.CODE, "8209829119461", "8209829119461"),
        (Kind.CODE, "sku-12", "sku-12"),
        (Kind.CODE, "+353871234567", None),
        (Kind.CODE, "087 123 4567", None),
        (Kind.CODE, "ann@x.com", None),
        (Kind.TITLE, "Blue shirt", "Blue shirt"),
        (Kind.TITLE, "x" * 255, "x" * 255),
        (Kind.TITLE, "x" * 256, None),
        (Kind.TEXT, "", None),
        (Kind.PLACE, "94107-1234", "94107-1234"),
        (Kind.PLACE, "Baile Átha Cliath", "Baile Átha Cliath"),
        (Kind.PLACE, "ann@x.com", None),
        (Kind.PLACE, "+353871234567", None),
        (Kind.PLACE, "353871234567", None),
        (Kind.PATH, "https://shop.example/p/shirt?email=ann@x.com#top", "/p/shirt"),
        (Kind.PATH, "/p/shirt?x=1", "/p/shirt"),
        (Kind.PATH, "https://shop.example/p/shirt;jsessionid=abc", "/p/shirt"),
        (Kind.PATH, "https://shop.example", None),
        (Kind.PATH, "https://shop.example/u/ann%40x.com", None),
        (Kind.PATH, "https://shop.example/u/ann@x.com", None),
        (Kind.PATH, "https://shop.example/call/%2B353871234567", None),
        (Kind.PATH, "http://[broken", None),
        (Kind.HOST, "https://ann:secret@www.example.com:8443/x?y", "www.example.com"),
        (Kind.HOST, "not a url", None),
        (Kind.WORD, "in_store", "in_store"),
    ],
)
def test_each_kind_of_text_has_its_own_scrub(kind: Kind, value: str, kept: str | None) -> None:
    assert SCRUBS[kind](value) == kept


@pytest.mark.parametrize(
    ("properties", "kept"),
    [
        ({"color": "red", "size": 42, "gift": True, "weight": 1.5}, None),
        ({"color": "x" * 64}, None),
        ({"sizes": ["S", "M"], "numbers": [1, 2]}, None),
        ({"color": "x" * 65}, {}),
        ({"color": None, "empty": [], "nested": {"a": 1}, "deep": [["a"]]}, {}),
        ({"note": "ann@x.com", "call": "0871234567"}, {}),
        ({"notes": ["fine", "ann@x.com"]}, {"notes": ["fine"]}),
        ({"number": 353871234567}, {}),
        ({"number": 353871234567.0}, {}),
        ({"at_ms": 1781524800000}, None),
        ({"points": 12345}, None),
        ({"ann@x.com": 1, "0871234567": 2}, {}),
    ],
)
def test_custom_properties_are_scalars_without_people(
    properties: dict[str, object], kept: dict[str, object] | None
) -> None:
    assert scrub_properties(properties) == (properties if kept is None else kept)


@pytest.mark.parametrize(
    "name",
    [
        "name",
        "first_name",
        "lastName",
        "Customer Name",
        "shipping_name",
        "email",
        "userEmail",
        "phoneNumber",
        "street1",
        "billing_address",
        "date_of_birth",
        "ip",
        "ip_address",
        "userAgent",
        "cookie",
        "cart_token",
        "password",
        "user_id",
        "anonymousId",
        "fbclid",
    ],
)
def test_a_property_that_calls_itself_personal_stays_out(name: str) -> None:
    assert not may_be_named(name)


@pytest.mark.parametrize(
    "name",
    ["color", "product_name", "theme_id", "plan", "filename", "shipping_method", "zip_pocket"],
)
def test_other_properties_may_enter(name: str) -> None:
    assert may_be_named(name)


ANN = own_words(
    ["ann@x.com", "+353871234567", "u-42", "c0ffee"], [("Áine", "van der Berg"), ("", "")]
)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Kind.TEXT, "aine"),
        (Kind.TEXT, "Hello ÁINE, welcome"),
        (Kind.TEXT, "the Berg family"),
        (Kind.TEXT, "cookie=c0ffee;"),
        (Kind.TEXT, "user u-42 asked"),
        (Kind.TITLE, "Áine van der Berg"),
        (Kind.TITLE, "van der Berg, Áine"),
        (Kind.CODE, "u-42"),
        (Kind.CODE, "353871234567"),
        (Kind.PATH, "/members/u-42/orders"),
        (Kind.PATH, "/hello/%C3%81ine"),
    ],
)
def test_the_persons_own_words_are_found(kind: Kind, value: str) -> None:
    assert not OWN[kind](value).isdisjoint(ANN)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Kind.TITLE, "Áine collection"),
        (Kind.TEXT, "a van full of flowers"),
        (Kind.TEXT, "caffeine"),
        (Kind.CODE, "42"),
        (Kind.PATH, "/products/u-43"),
    ],
)
def test_other_words_are_left(kind: Kind, value: str) -> None:
    assert OWN[kind](value).isdisjoint(ANN)


def test_a_short_number_is_a_product_even_where_a_user_has_it_as_id() -> None:
    assert OWN[Kind.CODE]("42").isdisjoint(own_words(["42"], []))
    assert not OWN[Kind.TEXT]("42").isdisjoint(own_words(["42"], []))
