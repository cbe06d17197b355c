"""What a file of people is made of: a person as it may name them, and what each format asks for. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from customer360.events.model import Address, ConsentState

ContactKind: TypeAlias = Literal["email", "phone"]

PLACE = ("city", "region", "zip", "country")
"""Attributes that stand in for a postal address."""


@dataclass(frozen=True, slots=True)
class Contact:
    """An e-mail address or phone number, and whether marketing may use it."""

    value: str
    consent: ConsentState


@dataclass(frozen=True, slots=True)
class Person:
    """A member of a segment. Contacts are best first: those with consent, then as the profile shows them."""

    profile_id: int
    first_name: str = ""
    last_name: str = ""
    addresses: tuple[Address, ...] = ()
    emails: tuple[Contact, ...] = ()
    phones: tuple[Contact, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    """Those that the format asks for, as the API writes them."""

    @property
    def name(self) -> str:
        """The name as people read it."""
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def email(self) -> str:
        """The best e-mail address; empty when there is none."""
        return self.emails[0].value if self.emails else ""

    @property
    def phone(self) -> str:
        """The best phone number; empty when there is none."""
        return self.phones[0].value if self.phones else ""

    @property
    def address(self) -> Address:
        """The postal address told last, else the place that other facts tell of."""
        if self.addresses:
            return self.addresses[0]
        return Address(**{name: self.attributes.get(name) or "" for name in PLACE})

    def with_consent(self) -> Person:
        """The person with those contacts alone that marketing may use."""
        return replace(
            self,
            emails=tuple(one for one in self.emails if one.consent == "granted"),
            phones=tuple(one for one in self.phones if one.consent == "granted"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One kind of file. `row` gives a person's cells in the order of `header`, where names may repeat.

    `contacts`: each row has one of these at least; where there are none, everybody gets a row.
    """

    name: str
    title: str
    help: str
    header: tuple[str, ...]
    row: Callable[[Person], Sequence[str]]
    attributes: tuple[str, ...] = ()
    contacts: tuple[ContactKind, ...] = ()
    purpose: Literal["spreadsheet", "messages", "advertising"] = "spreadsheet"
    mark: bool = False
    """Whether it begins with the mark by which spreadsheets know UTF-8."""
    safe: Callable[[str], str] | None = None
    """What keeps a cell from being a formula; None where programs read the values as they are."""

    @property
    def needs_consent(self) -> bool:
        """Whether only people who agreed get into it, unless told otherwise."""
        return self.purpose != "spreadsheet"

    def contacts_of(self, person: Person) -> tuple[Contact, ...]:
        """What of the person this format can use."""
        found = {"email": person.emails, "phone": person.phones}
        return tuple(contact for kind in self.contacts for contact in found[kind])
