"""A visit's touch follows from the page's address and its referrer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customer360.profiles.touches import touch_of

SHOP = "https://www.shop.example/products/mug"


def told(url: str, referrer: str = "") -> tuple[str, str, str]:
    """Source, medium and campaign."""
    touch = touch_of(url, referrer)
    assert touch is not None
    return touch.source, touch.medium, touch.campaign


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (
            "utm_source=Newsletter&utm_medium=E-Mail&utm_campaign=Spring",
            ("newsletter", "e-mail", "Spring"),
        ),
        ("UTM_Source=google&utm_medium=cpc", ("google", "cpc", "")),
        ("utm_source=google&gclid=abc", ("google", "cpc", "")),
        ("utm_source=partner&gclid=abc", ("partner", "", "")),
        ("utm_campaign=flyer", ("unknown", "", "flyer")),
        ("gclid=abc&utm_campaign=brand", ("google", "cpc", "brand")),
        ("gclid=", ("direct", "none", "")),
        ("fbclid=abc", ("facebook", "social", "")),
        ("ttclid=abc", ("tiktok", "cpc", "")),
        ("msclkid=abc", ("bing", "cpc", "")),
        ("mc_cid=77&mc_eid=9", ("mailchimp", "email", "77")),
        ("variant=1&utm_source=%20tiktok%20", ("tiktok", "", "")),
        ("utm_source=first&utm_source=second", ("first", "", "")),
        ("utm_source=a%00b", ("ab", "", "")),
    ],
)
def test_the_address_names_the_touch(query: str, expected: tuple[str, str, str]) -> None:
    assert told(f"{SHOP}?{query}") == expected


@pytest.mark.parametrize(
    ("referrer", "source", "medium"),
    [
        ("https://www.google.com/", "google", "organic"),
        ("https://www.google.co.uk/search?q=mug", "google", "organic"),
        ("https://duckduckgo.com/", "duckduckgo", "organic"),
        ("https://mail.google.com/mail/u/0", "gmail", "email"),
        ("android-app://com.google.android.gm/", "gmail", "email"),
        ("android-app://com.google.android.googlequicksearchbox/", "google", "organic"),
        ("https://l.instagram.com/?u=x", "instagram", "social"),
        ("https://m.facebook.com/", "facebook", "social"),
        ("https://t.co/abc", "twitter", "social"),
        ("https://www.pinterest.ie/pin/1", "pinterest", "social"),
        ("www.google.com", "google", "organic"),
        ("https://blog.example.org/best-mugs", "blog.example.org", "referral"),
        ("https://google.evil.example/", "google.evil.example", "referral"),
        ("https://notfacebook.com/", "notfacebook.com", "referral"),
    ],
)
def test_a_referrer_is_search_social_email_or_a_site(
    referrer: str, source: str, medium: str
) -> None:
    assert told(SHOP, referrer) == (source, medium, "")


def test_utm_parameters_weigh_more_than_the_referrer() -> None:
    assert told(f"{SHOP}?utm_source=ads&utm_medium=cpc", "https://www.google.com/")[0] == "ads"


def test_the_referrer_tells_which_app_of_facebook_it_was() -> None:
    assert told(f"{SHOP}?fbclid=1", "https://l.instagram.com/") == ("instagram", "social", "")


@pytest.mark.parametrize(
    ("url", "referrer"),
    [
        (SHOP, ""),
        (SHOP, "https://www.shop.example/"),
        (SHOP, "https://blog.shop.example/post"),
        ("https://shop.co.uk/", "https://news.shop.co.uk/"),
        ("http://localhost:3000/a", "http://localhost:3000/b"),
        (SHOP, "https://www.paypal.com/checkout"),
        (SHOP, "not a url"),
    ],
)
def test_a_visit_that_nothing_brought_is_direct(url: str, referrer: str) -> None:
    assert told(url, referrer) == ("direct", "none", "")


@pytest.mark.parametrize(
    ("url", "referrer"),
    [
        ("https://one.co.uk/", "https://two.co.uk/"),
        ("https://one.myshopify.com/", "https://two.myshopify.com/"),
    ],
)
def test_neighbours_below_one_suffix_are_other_sites(url: str, referrer: str) -> None:
    assert told(url, referrer)[1] == "referral"


def test_an_own_referrer_is_not_kept() -> None:
    touch = touch_of(SHOP, "https://shop.example/cart")
    assert touch is not None
    assert (touch.url, touch.referrer) == (SHOP, "")


def test_an_order_tells_a_path_and_a_referring_site() -> None:
    path = "/?utm_source=sms&utm_medium=text"
    touch = touch_of(path, "https://www.google.com/")
    assert touch is not None
    assert (touch.source, touch.url, touch.referrer) == ("sms", path, "https://www.google.com/")


def test_without_address_and_referrer_there_is_no_touch() -> None:
    assert touch_of("", "") is None


@pytest.mark.parametrize(
    "url", ["http://[", "https://x:99999999/", "//", "?", "a\x00b", "http://x/?" + "a=1&" * 999]
)
def test_a_broken_address_is_survived(url: str) -> None:
    assert told(url, url)[0]


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_text_gives_a_touch_that_a_database_can_keep(url: str, referrer: str) -> None:
    touch = touch_of(f"https://shop.example/?{url}", referrer)
    assert touch is not None
    assert "\0" not in "".join(
        (touch.source, touch.medium, touch.campaign, touch.url, touch.referrer)
    )
