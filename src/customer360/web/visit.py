"""One request as a page's handler sees it: who asks, in which shop, with what in the address and the form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from starlette.datastructures import FormData, QueryParams, UploadFile

from customer360.access.shops import Shop
from customer360.access.sign_in import WebSession
from customer360.clock import Instant
from customer360.errors import NotFound
from customer360.values import parse_id
from customer360.web import csrf

if TYPE_CHECKING:
    from customer360.app import App

Theme = Literal["light", "dark", "system"]
Undoes = Literal["merge", "decision"]
Keeps = Literal["segment", "view"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Toast:
    """What just happened, told on the next page."""

    text: str
    kind: Literal["good", "bad"] = "good"
    undo: tuple[int, ...] = ()
    """The merges, or the decisions "not the same", that the toast offers to take back."""
    undoes: Undoes = "merge"
    kept: str = ""
    """What was deleted, a segment or a view, so that the toast can make it again; "" where nothing was."""
    keeps: Keeps = "segment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request; `session` is None while nobody is signed in, `here` is None outside a shop."""

    app: App
    now: Instant
    path: str
    path_values: Mapping[str, str] = field(default_factory=dict)
    query: QueryParams = field(default_factory=QueryParams)
    form: FormData = field(default_factory=FormData)
    network_address: str = ""
    session: WebSession | None = None
    session_token: str = ""
    here: Shop | None = None
    shops: tuple[Shop, ...] = ()
    csrf_secret: str = ""
    theme: Theme = "system"
    toast: Toast | None = None
    by_htmx: bool = False

    @property
    def shop(self) -> Shop:
        """The shop whose page this is."""
        if self.here is None:
            raise NotFound
        return self.here

    @property
    def user_id(self) -> int:
        """Who is signed in."""
        if self.session is None:
            raise NotFound
        return self.session.user.user_id

    @property
    def root(self) -> str:
        """Where the addresses of this shop's pages begin."""
        return f"/shops/{self.shop.shop_id}"

    @property
    def address(self) -> str:
        """The path of this page with its query."""
        return f"{self.path}?{self.query}" if self.query else self.path

    def csrf_token(self) -> str:
        """A token for one form of this page."""
        return csrf.make_token(self.csrf_secret)

    def id_of(self, name: str) -> int:
        """An id out of the address; raises NotFound where it cannot be one."""
        found = parse_id(self.path_values[name])
        if found is None:
            raise NotFound
        return found

    def field(self, name: str) -> str:
        """A text field of the form, "" where it is missing."""
        value = self.form.get(name)
        return value if isinstance(value, str) else ""

    def fields(self, name: str) -> list[str]:
        """Every value of a field that may stand in the form more than once."""
        return [value for value in self.form.getlist(name) if isinstance(value, str)]

    def upload(self, name: str) -> UploadFile | None:
        """A file of the form, None where none was chosen."""
        value = self.form.get(name)
        return value if isinstance(value, UploadFile) and value.filename else None
