"""The page about rules says what the catalogue has."""

import re
from pathlib import Path

from customer360.segments.parse import parse_query
from customer360.segments.reference import markdown

PAGE = Path(__file__).parents[2] / "docs/segments.md"


def test_the_page_about_rules_is_the_catalogue() -> None:
    made_by = "python -m customer360.segments.reference > docs/segments.md"

    assert PAGE.read_text() == markdown(), made_by


def test_the_examples_of_the_page_are_rules() -> None:
    (examples,) = re.findall(r"```\n(.*?)```", markdown(), re.DOTALL)

    for example in examples.splitlines():
        assert parse_query(example).root.parts
