"""`c360 shop` and `c360 user`."""

import json
from pathlib import Path

import pytest
from sqlalchemy import insert

from customer360.access.keys import Grant, grant_of
from customer360.access.shopify import shopify_secrets
from customer360.access.shops import close_shop
from customer360.access.sign_in import LinkUsed, use_link
from customer360.access.users import find_user, shops_of
from customer360.clock import DAY, SystemClock
from customer360.settings import Settings, secret_key
from customer360.storage.database import Database
from customer360.storage.metadata import tombstones
from tests.cli.conftest import Run, create_shop, said


def test_a_shop_is_made_in_an_empty_data_folder(
    c360: Run, database: Database, shop: dict[str, str]
) -> None:
    assert list(shop) == ["shop_id", "pixel_key", "write_key", "api_key", "webhook_secret"]
    with database.read() as connection:
        assert grant_of(connection, shop["api_key"]) == Grant(int(shop["shop_id"]), "api")


def test_a_person_reads_the_same_keys_line_by_line(c360: Run) -> None:
    arguments = ["--currency", "EUR", "--timezone", "Europe/Dublin", "--country", "IE"]
    lines = c360("shop", "create", "--name", "Tea", *arguments).stdout.splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["shop_id", "pixel_key", "write_key"]


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--currency", "Euro", "ISO 4217"),
        ("--timezone", "Dublin", "IANA"),
        ("--country", "Ireland", "ISO 3166"),
    ],
)
def test_a_wrong_option_is_told_in_one_line(c360: Run, option: str, value: str, told: str) -> None:
    options = {"--currency": "EUR", "--timezone": "Europe/Dublin", "--country": "IE"}
    arguments = [word for pair in (options | {option: value}).items() for word in pair]
    result = c360("shop", "create", "--name", "Tea", *arguments, code=2)
    assert told in result.stderr
    assert result.stderr.startswith("Error: ")
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""


def test_the_list_tells_of_every_shop(c360: Run, shop: dict[str, str]) -> None:
    other = create_shop(c360, "[bold]Tea[/bold] & Co")
    listed = said(c360("shop", "list", "--json"))
    assert [row["shop_id"] for row in listed] == [shop["shop_id"], other["shop_id"]]
    assert listed[0]["state"] == "active"
    assert "[bold]Tea[/bold]" in c360("shop", "list").stdout


def test_an_empty_list_says_how_to_make_a_shop(c360: Run) -> None:
    assert "c360 shop create" in c360("shop", "list").stdout
    assert said(c360("shop", "list", "--json")) == []


@pytest.mark.parametrize(("given", "answers"), [(["--secret", "s1"], None), ([], "s1\n")])
def test_a_shopify_shop_is_linked_by_the_name_of_ours(
    c360: Run,
    database: Database,
    shop: dict[str, str],
    given: list[str],
    answers: str | None,
) -> None:
    arguments = ["--shop", "harbour tea", "--domain", "Tea.myshopify.com", *given]
    result = c360("shop", "link-shopify", *arguments, answers=answers)
    assert "/webhooks/shopify" in result.stdout
    key = secret_key(Settings.from_environment())
    with database.read() as connection:
        found = shopify_secrets(connection, "tea.myshopify.com", SystemClock().now(), key)
    assert found is not None
    assert (str(found[0].shop_id), found[1]) == (shop["shop_id"], ("s1",))


def test_a_deleted_shop_is_gone_with_its_warehouse_and_its_scans(
    c360: Run, data_dir: Path, shop: dict[str, str]
) -> None:
    kept = create_shop(c360, "Harbour Coffee")
    folder = data_dir / "warehouse"
    folder.mkdir(exist_ok=True)
    files = {each["shop_id"]: folder / f"{each['shop_id']}.duckdb" for each in (shop, kept)}
    for file in files.values():
        file.touch()
    (folder / f"{shop['shop_id']}.tmp" / "spilled").mkdir(parents=True)
    c360("duplicates", "scan")
    scans = data_dir / "duplicates"
    (scans / shop["shop_id"]).mkdir()

    c360("shop", "delete", "--shop", shop["shop_id"])

    assert [row["shop_id"] for row in said(c360("shop", "list", "--json"))] == [kept["shop_id"]]
    assert list(folder.iterdir()) == [files[kept["shop_id"]]]
    assert list(scans.iterdir()) == [scans / f"{kept['shop_id']}.lock"]


def test_an_interrupted_deletion_is_finished_by_repeating_it(
    c360: Run, database: Database, shop: dict[str, str]
) -> None:
    shop_id = int(shop["shop_id"])
    with database.write() as connection:
        connection.execute(insert(tombstones).values(shop_id=shop_id, change=1, mirror=1, row_id=1))
        close_shop(connection, shop_id)
    assert "Deleted the rest" in c360("shop", "delete", "--shop", shop["shop_id"]).stdout
    assert "c360 shop list" in c360("shop", "delete", "--shop", shop["shop_id"], code=1).stderr


@pytest.mark.parametrize("text", ["1", "Nobody's", "99999999999999999999", ""])
def test_a_shop_that_is_not_there_is_told_with_a_way_on(
    c360: Run, shop: dict[str, str], text: str
) -> None:
    assert "c360 shop list" in c360("shop", "delete", "--shop", text, code=1).stderr


def test_a_name_that_two_shops_have_names_neither(c360: Run, shop: dict[str, str]) -> None:
    create_shop(c360)
    result = c360("shop", "delete", "--shop", "Harbour Tea", code=1)
    assert "give the id" in result.stderr


def token_of(link: str) -> str:
    return link.rsplit("/", 1)[1]


def test_a_user_signs_in_once_with_each_link(
    c360: Run, database: Database, shop: dict[str, str]
) -> None:
    answers = [said(c360("user", "create", "--email", "Ann@x.com", "--json")) for _ in range(2)]
    now = SystemClock().now()
    assert answers[0]["user_id"] == answers[1]["user_id"]
    with database.write() as connection:
        for answer in answers:
            user = use_link(connection, token_of(answer["link"]), now)
            assert (user.email, str(user.user_id)) == ("ann@x.com", answer["user_id"])
            with pytest.raises(LinkUsed):
                use_link(connection, token_of(answer["link"]), now)


def test_a_link_begins_with_the_public_address_and_ends_after_a_day(
    c360: Run, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("C360_PUBLIC_URL", "https://crm.example.com/")
    output = c360("user", "create", "--email", "ann@x.com").stdout
    link = output.split()[-1]
    assert link.startswith("https://crm.example.com/sign-in/")
    with database.write() as connection, pytest.raises(LinkUsed):
        use_link(connection, token_of(link), SystemClock().now() + DAY)


def test_a_user_works_for_every_shop_or_for_the_one_named(
    c360: Run, database: Database, shop: dict[str, str]
) -> None:
    c360("user", "create", "--email", "ann@x.com")
    c360("user", "create", "--email", "bob@x.com", "--shop", shop["shop_id"])
    later = create_shop(c360, "Harbour Coffee")
    with database.read() as connection:
        found = {
            email: [str(each.shop_id) for each in shops_of(connection, user.user_id)]
            for email in ("ann@x.com", "bob@x.com")
            if (user := find_user(connection, email))
        }
    assert found == {
        "ann@x.com": [shop["shop_id"], later["shop_id"]],
        "bob@x.com": [shop["shop_id"]],
    }


@pytest.mark.parametrize(
    "arguments",
    [
        ("--email", "nonsense"),
        ("--email", "ann@x.com", "--role", "emperor"),
    ],
)
def test_a_user_that_cannot_be_is_refused(c360: Run, arguments: tuple[str, ...]) -> None:
    assert c360("user", "create", *arguments, code=2).stderr.startswith("Error: ")


def test_json_holds_nothing_but_json(c360: Run) -> None:
    output = c360("user", "create", "--email", "ann@x.com", "--json").stdout
    assert set(json.loads(output)) == {"user_id", "email", "link", "expires_at"}
