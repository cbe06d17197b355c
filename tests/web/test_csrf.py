import pytest

from customer360.web.csrf import make_token, same_origin, token_matches


def test_a_token_matches_the_secret_it_was_made_with_and_no_other() -> None:
    token = make_token("secret")
    assert token_matches("secret", token)
    assert not token_matches("another", token)


def test_two_tokens_of_one_secret_differ() -> None:
    assert make_token("secret") != make_token("secret")


@pytest.mark.parametrize("token", ["", "x", "ü", "=" * 20, "A" * 4000])
def test_what_is_no_token_never_matches(token: str) -> None:
    assert not token_matches("secret", token)


def test_a_part_of_a_token_does_not_match() -> None:
    assert not token_matches("secret", make_token("secret")[:-4])


@pytest.mark.parametrize(
    ("origin", "fetch_site", "expected"),
    [
        ("https://c360.example", "same-origin", True),
        ("https://c360.example", None, True),
        (None, "same-origin", True),
        (None, None, True),
        ("http://internal:8360", None, True),
        ("https://evil.example", None, False),
        ("https://c360.example.evil.example", None, False),
        ("null", None, False),
        ("https://c360.example", "cross-site", False),
        ("https://c360.example", "same-site", False),
        (None, "none", False),
    ],
)
def test_a_form_must_come_from_our_own_origin(
    origin: str | None, fetch_site: str | None, expected: bool
) -> None:
    found = same_origin(origin, fetch_site, "internal:8360", "https://c360.example")
    assert found is expected
