"""`c360 explain`: the chain of evidence of a profile."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Run, said

CUSTOMERS = """Customer ID,Email,Phone
1,ann@x.com,
,ann@x.com,+353871234567
2,bob@x.com,
"""


def test_what_holds_a_profile_together_is_told_for_an_identifier_or_an_id(
    c360: Run, shop: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "customers.csv"
    file.write_text(CUSTOMERS)
    c360("import", "customers", str(file), "--shop", "Harbour Tea")

    told = said(c360("explain", "phone:+353871234567", "--shop", "Harbour Tea", "--json"))

    first, second = told["links"]
    assert first["identifiers"] == ["shopify_customer_id:1", "email:ann@x.com"]
    assert second["identifiers"] == ["email:ann@x.com", "phone:+353871234567"]
    spoken = c360("explain", told["profile_id"], "--shop", "Harbour Tea").stdout
    assert f"profile {told['profile_id']}" in spoken
    assert "e-mail ann@x.com and phone +353871234567 in one event on" in spoken


def test_who_is_not_there_is_an_error(c360: Run, shop: dict[str, str]) -> None:
    for who in ("email:nobody@x.com", "nonsense", "123"):
        assert "Error: " in c360("explain", who, "--shop", "Harbour Tea", code=1).output
