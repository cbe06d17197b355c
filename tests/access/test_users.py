"""People work for shops, one by one or through their organisation."""

import pytest

from customer360.access.shops import NewShop, first_organisation, new_organisation
from customer360.access.sign_in import begin_session, find_session
from customer360.access.users import (
    checked_role,
    ensure_user,
    find_user,
    get_user,
    hash_password,
    join_organisation,
    join_shop,
    leave_shop,
    members_of,
    normalise_email,
    password_matches,
    set_password,
    shops_of,
)
from customer360.clock import FixedClock
from customer360.errors import Conflict, InvalidInput, NotFound
from customer360.storage.database import Database
from tests.access.conftest import make_shop

PASSWORD = "correct horse battery"


@pytest.mark.parametrize(
    ("written", "email"),
    [(" Ann@Example.COM ", "ann@example.com"), ("ann+tea@example.ie", "ann+tea@example.ie")],
)
def test_an_address_is_one_however_it_is_written(written: str, email: str) -> None:
    assert normalise_email(written) == email


@pytest.mark.parametrize(
    "text", ["", "ann", "@x.com", "ann@", "a b@x.com", "a@b@c.com", "a@x.com\nBcc: b", "<a@x.com>"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        normalise_email(text)


def test_a_user_is_made_once(database: Database, clock: FixedClock) -> None:
    with database.write() as connection:
        made = ensure_user(connection, "Ann@x.com", clock.now())
        assert ensure_user(connection, "ann@X.com", clock.now()) == made
        assert find_user(connection, "ANN@x.com") == get_user(connection, made.user_id) == made
        assert find_user(connection, "bob@x.com") is None


def test_a_member_of_a_shop_works_for_that_shop_alone(
    database: Database, new_shop: NewShop, clock: FixedClock
) -> None:
    other = make_shop(database, clock)
    with database.write() as connection:
        ann = ensure_user(connection, "ann@x.com", clock.now())
        join_shop(connection, ann.user_id, new_shop.shop.shop_id, "owner", clock.now())
        join_shop(connection, ann.user_id, new_shop.shop.shop_id, "owner", clock.now())
        assert shops_of(connection, ann.user_id) == [new_shop.shop]
        assert [member.user for member in members_of(connection, new_shop.shop)] == [ann]
        assert members_of(connection, other.shop) == []


def test_a_member_of_an_organisation_works_for_every_shop_of_it_later_ones_too(
    database: Database, clock: FixedClock
) -> None:
    with database.write() as connection:
        ann = ensure_user(connection, "ann@x.com", clock.now())
        organisation_id = first_organisation(connection, clock.now())
        join_organisation(connection, ann.user_id, organisation_id, "owner", clock.now())
    shops = [make_shop(database, clock).shop for _ in range(2)]
    with database.read() as connection:
        assert shops_of(connection, ann.user_id) == shops
        (member,) = members_of(connection, shops[1])
    assert member.every_shop


def test_an_organisation_gives_no_way_into_another(
    database: Database, new_shop: NewShop, clock: FixedClock
) -> None:
    with database.write() as connection:
        ann = ensure_user(connection, "ann@x.com", clock.now())
        agency = new_organisation(connection, "Agency", clock.now())
        join_organisation(connection, ann.user_id, agency, "owner", clock.now())
        assert shops_of(connection, ann.user_id) == []


def test_the_last_member_of_a_shop_cannot_leave_it(
    database: Database, new_shop: NewShop, clock: FixedClock
) -> None:
    with database.write() as connection:
        ann, bob = (
            ensure_user(connection, email, clock.now()) for email in ("ann@x.com", "bob@x.com")
        )
        for user in (ann, bob):
            join_shop(connection, user.user_id, new_shop.shop.shop_id, "owner", clock.now())
        leave_shop(connection, ann.user_id, new_shop.shop)
        assert shops_of(connection, ann.user_id) == []
        with pytest.raises(NotFound):
            leave_shop(connection, ann.user_id, new_shop.shop)
        with pytest.raises(Conflict):
            leave_shop(connection, bob.user_id, new_shop.shop)


def test_the_role_must_be_one_that_there_is() -> None:
    assert checked_role("owner") == "owner"
    with pytest.raises(InvalidInput):
        checked_role("emperor")


@pytest.mark.parametrize("password", ["", "short", "x" * 14, "x" * 1025])
def test_a_password_of_the_wrong_length_is_refused(password: str) -> None:
    with pytest.raises(InvalidInput):
        hash_password(password)


def test_a_password_matches_its_own_hash_alone() -> None:
    stored = hash_password(PASSWORD)
    assert PASSWORD not in stored
    assert password_matches(stored, PASSWORD)
    assert not password_matches(stored, PASSWORD + "x")
    assert not password_matches(stored, "")
    assert not password_matches(None, PASSWORD)
    assert not password_matches("no hash", PASSWORD)


def test_a_new_password_signs_every_browser_out(database: Database, clock: FixedClock) -> None:
    stored = hash_password(PASSWORD)
    with database.write() as connection:
        ann = ensure_user(connection, "ann@x.com", clock.now())
        session = begin_session(connection, ann.user_id, clock.now(), session_days=1)
        set_password(connection, ann.user_id, stored)
        assert find_session(connection, session.token, clock.now()) is None
        assert get_user(connection, ann.user_id).has_password
