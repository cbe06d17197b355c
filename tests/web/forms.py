"""What a browser would send of a page's form, as it stands."""

from __future__ import annotations

from html.parser import HTMLParser


def fields_of(page: str) -> list[tuple[str, str]]:
    """The fields of every form of a page, in order, without buttons."""
    reader = _Reader()
    reader.feed(page)
    return reader.fields


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.fields: list[tuple[str, str]] = []
        self._select: tuple[str, list[str], list[str]] | None = None
        self._text: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        name, value = told.get("name") or "", told.get("value") or ""
        if tag == "select":
            self._select = (name, [], [])
        elif tag == "option" and self._select:
            self._select[2 if "selected" in told else 1].append(value)
        elif tag == "textarea":
            self._text = name
        elif tag == "input" and name and (told.get("type") != "checkbox" or "checked" in told):
            self.fields.append((name, value))

    def handle_data(self, data: str) -> None:
        if self._text:
            self.fields.append((self._text, data.removeprefix("\n")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "select" and self._select:
            name, others, chosen = self._select
            self.fields += [(name, (chosen or others)[0])] if chosen or others else []
            self._select = None
        if tag == "textarea":
            self._text = None
