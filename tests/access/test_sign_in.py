"""Links work once and for a day, sessions until they end, and guessing has a limit."""

import pytest
from sqlalchemy import select

from customer360.access.sign_in import (
    ATTEMPTS_PER_ADDRESS,
    ATTEMPTS_PER_EMAIL,
    ATTEMPTS_WINDOW,
    LINK_LIFETIME,
    LinkUsed,
    TooManyAttempts,
    begin_attempt,
    begin_session,
    end_session,
    find_session,
    forget_attempts,
    link_works,
    make_link,
    use_link,
)
from customer360.access.tables import sign_in_links, web_sessions
from customer360.access.users import User, ensure_user, hash_password, set_password
from customer360.clock import DAY, FixedClock
from customer360.storage.database import Database


@pytest.fixture
def ann(database: Database, clock: FixedClock) -> User:
    with database.write() as connection:
        return ensure_user(connection, "ann@x.com", clock.now())


def attempt(
    database: Database, clock: FixedClock, email: str = "ann@x.com", address: str = "10.0.0.1"
) -> None:
    with database.write() as connection:
        begin_attempt(connection, email, address, clock.now())


def test_a_link_signs_its_user_in_once(database: Database, ann: User, clock: FixedClock) -> None:
    with database.write() as connection:
        token = make_link(connection, ann.user_id, clock.now())
    with database.read() as connection:
        assert link_works(connection, token, clock.now())
    with database.write() as connection:
        assert use_link(connection, token, clock.now()) == ann
    with pytest.raises(LinkUsed), database.write() as connection:
        use_link(connection, token, clock.now())


def test_a_link_works_for_a_day(database: Database, ann: User, clock: FixedClock) -> None:
    with database.write() as connection:
        token = make_link(connection, ann.user_id, clock.now())
        clock.advance(LINK_LIFETIME - 1)
        assert link_works(connection, token, clock.now())
        clock.advance(1)
        assert not link_works(connection, token, clock.now())
    with pytest.raises(LinkUsed), database.write() as connection:
        use_link(connection, token, clock.now())


def test_links_and_cookies_are_kept_as_digests(
    database: Database, ann: User, clock: FixedClock
) -> None:
    with database.write() as connection:
        token = make_link(connection, ann.user_id, clock.now())
        session = begin_session(connection, ann.user_id, clock.now(), session_days=1)
        stored = repr(
            [*connection.execute(select(sign_in_links)), *connection.execute(select(web_sessions))]
        )
    assert token not in stored
    assert session.token not in stored


def test_a_session_is_found_by_its_cookie_until_it_expires(
    database: Database, ann: User, clock: FixedClock
) -> None:
    with database.write() as connection:
        begun = begin_session(connection, ann.user_id, clock.now(), session_days=30)
        assert find_session(connection, begun.token, clock.now()) == begun.session
        assert begun.session.user == ann
        assert find_session(connection, begun.token + "x", clock.now()) is None
        clock.advance(30 * DAY - 1)
        assert find_session(connection, begun.token, clock.now()) == begun.session
        clock.advance(1)
        assert find_session(connection, begun.token, clock.now()) is None


def test_signing_out_ends_this_browser_alone(
    database: Database, ann: User, clock: FixedClock
) -> None:
    with database.write() as connection:
        here, there = (
            begin_session(connection, ann.user_id, clock.now(), session_days=1) for _ in range(2)
        )
        end_session(connection, here.token)
        assert find_session(connection, here.token, clock.now()) is None
        assert find_session(connection, there.token, clock.now()) == there.session
    assert here.session.csrf_token != there.session.csrf_token


def test_an_attempt_says_whose_password_to_check(
    database: Database, ann: User, clock: FixedClock
) -> None:
    stored = hash_password("correct horse battery")
    with database.write() as connection:
        set_password(connection, ann.user_id, stored)
        known = begin_attempt(connection, " Ann@X.com", "10.0.0.1", clock.now())
        unknown = begin_attempt(connection, "bob@x.com", "10.0.0.1", clock.now())
    assert (known.user_id, known.password_hash) == (ann.user_id, stored)
    assert (unknown.user_id, unknown.password_hash) == (None, None)


def test_guessing_at_one_account_stops_wherever_it_comes_from(
    database: Database, clock: FixedClock
) -> None:
    for number in range(ATTEMPTS_PER_EMAIL):
        attempt(database, clock, address=f"10.0.0.{number}")
    with pytest.raises(TooManyAttempts) as raised:
        attempt(database, clock, " ANN@x.com ", "10.0.1.1")
    assert raised.value.retry_after_seconds == 15 * 60 + 1
    attempt(database, clock, "bob@x.com", "10.0.1.1")


def test_guessing_from_one_address_stops_whatever_account_it_tries(
    database: Database, clock: FixedClock
) -> None:
    for number in range(ATTEMPTS_PER_ADDRESS):
        attempt(database, clock, f"user{number}@x.com")
    with pytest.raises(TooManyAttempts):
        attempt(database, clock, "another@x.com")
    attempt(database, clock, "another@x.com", "10.0.0.2")


def test_the_limit_is_over_after_its_window(database: Database, clock: FixedClock) -> None:
    for _ in range(ATTEMPTS_PER_EMAIL):
        attempt(database, clock)
    clock.advance(ATTEMPTS_WINDOW - 1)
    with pytest.raises(TooManyAttempts):
        attempt(database, clock)
    clock.advance(1)
    attempt(database, clock)


def test_the_right_password_gives_all_attempts_back(
    database: Database, ann: User, clock: FixedClock
) -> None:
    for _ in range(ATTEMPTS_PER_EMAIL):
        attempt(database, clock)
    with database.write() as connection:
        forget_attempts(connection, "Ann@x.com")
    attempt(database, clock)
