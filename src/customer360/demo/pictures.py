"""The pages that the documentation shows: one picture each, with the sentence that goes with it."""

from __future__ import annotations

from typing import Literal, NamedTuple

from customer360.reports import REPORTS

SHOP = "/shops/{shop_id}"
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
_CUSTOMER = SHOP + "/customers/{profile_id}"
_SEGMENT = SHOP + "/segments/{segment_id}"
_SETTINGS = SHOP + "/settings"


class Picture(NamedTuple):
    """A page: where it is, as `web.routes` writes it, and what people do there."""

    name: str
    title: str
    address: str
    says: str
    query: str = ""
    narrow: bool = False
    """Whether it is also shown as a phone shows it."""

    def files(self) -> list[str]:
        """The files of the picture."""
        widths = ("", "-narrow") if self.narrow else ("",)
        return [f"{self.name}{width}-{scheme}.webp" for width in widths for scheme in SCHEMES]


SIGNED_OUT = (
    Picture("sign-in", "Sign in", "/sign-in", "With an e-mail address and a password."),
    Picture(
        "sign-in-link",
        "Sign in by a link",
        "/sign-in/link/{token}",
        "The first visit, and whoever forgot the password; the link works once.",
    ),
)
SIGNED_IN = (
    Picture(
        "overview",
        "Overview",
        SHOP + "/overview",
        "Is the base growing, returning, buying, leaving, and what needs attention?",
        narrow=True,
    ),
    Picture(
        "customers",
        "All customers",
        SHOP + "/customers",
        "Searched, filtered and sorted; the address keeps it all, and the file has what is shown.",
        "?sort=-total_spend",
        narrow=True,
    ),
    Picture(
        "customer-timeline",
        "A customer's timeline",
        _CUSTOMER,
        "Everything that somebody did, by day and session, back to the first visit.",
        narrow=True,
    ),
    Picture(
        "customer-glance",
        "A customer at a glance",
        _CUSTOMER + "/glance",
        "What opens beside the list of customers: the figures and the purchases.",
    ),
    Picture(
        "customer-events",
        "A customer's events",
        _CUSTOMER + "/events",
        "How often each kind of event happened, first and last.",
    ),
    Picture(
        "customer-orders",
        "A customer's orders",
        _CUSTOMER + "/orders",
        "What was bought, returned and discounted, line by line.",
    ),
    Picture(
        "customer-scores",
        "A customer's scores",
        _CUSTOMER + "/scores",
        "Stage, RFM, churn, lifetime value and the next order, each with its reasons.",
    ),
    Picture(
        "customer-segments",
        "A customer's segments",
        _CUSTOMER + "/segments",
        "Which segments somebody is in, and why.",
    ),
    Picture(
        "customer-identity",
        "A customer's identifiers",
        _CUSTOMER + "/identity",
        "What holds the profile together: each identifier with its source, and the merges.",
    ),
    Picture(
        "customer-consents",
        "A customer's consents",
        _CUSTOMER + "/consents",
        "What each address allows, with the text seen, when and where.",
    ),
    Picture(
        "segments",
        "Segments",
        SHOP + "/segments",
        "How large each is, how current, and what can be done with it.",
    ),
    Picture(
        "segment-new",
        "A new segment",
        SHOP + "/segments/new",
        "A rule by the mouse or as text, with its size, samples and reach beside it.",
        "?template=win_back",
        narrow=True,
    ),
    Picture(
        "segment",
        "A segment",
        _SEGMENT,
        "Orders, revenue and the funnel beside all customers, the members, who came and who went.",
    ),
    Picture("segment-edit", "A segment's rule", _SEGMENT + "/edit", "The same builder, later."),
    Picture(
        "segment-export",
        "A segment's files",
        _SEGMENT + "/export",
        "Ten formats, each with its scope and what to expect of it.",
    ),
    Picture(
        "duplicates",
        "Duplicates",
        SHOP + "/duplicates",
        "Pairs that may be one person, side by side, decided by the keyboard alone.",
    ),
    Picture(
        "duplicates-merges",
        "Merge log",
        SHOP + "/duplicates/merges",
        "Every merge with its reason, each of which can be undone exactly.",
    ),
    Picture(
        "duplicates-apart",
        "Told apart",
        SHOP + "/duplicates/apart",
        "Pairs that somebody called not the same, to be merged after all.",
    ),
    Picture(
        "duplicates-alerts",
        "Alerts",
        SHOP + "/duplicates/alerts",
        "Profiles with so many identifiers that they link no further by themselves.",
    ),
    *(
        Picture(f"report-{report.name}", report.title, f"{SHOP}/reports/{report.name}", report.asks)
        for report in REPORTS
    ),
    Picture(
        "report-stage-flow",
        "Stage flow",
        SHOP + "/reports/stage-flow",
        "How many customers went from which stage to which between two days.",
    ),
    Picture(
        "rfm", "RFM", SHOP + "/rfm", "Buyers by recency, frequency and monetary, and the groups."
    ),
    Picture(
        "report-reorders",
        "Re-orders",
        SHOP + "/reports/reorders",
        "Which products will be ordered again, by week, and by whom.",
    ),
    Picture(
        "models",
        "Models",
        SHOP + "/models",
        "What the scores rest on, how good they were, and whom they leave out.",
    ),
    Picture(
        "sources",
        "Sources",
        SHOP + "/sources",
        "What came from where, whether the sum holds, and how to connect another source.",
    ),
    Picture(
        "dead-letters",
        "Dead letters",
        SHOP + "/dead-letters",
        "Signals that could not be used, with the reason, to be processed again.",
    ),
    Picture("imports", "Imports", SHOP + "/imports", "Files of customers, orders and consents."),
    Picture(
        "import-columns",
        "An import's columns",
        SHOP + "/imports/new/{upload_id}",
        "Which column of the file means what, with a preview.",
    ),
    Picture(
        "import",
        "An import",
        SHOP + "/imports/{import_id}",
        "How far it is, and what became of each row.",
    ),
    Picture("find", "Find", SHOP + "/find", "What the command palette finds, as a page."),
    Picture(
        "settings", "Settings of the shop", _SETTINGS, "Its name, currency, time zone and country."
    ),
    Picture("settings-users", "Users", _SETTINGS + "/users", "Who works for the shop."),
    Picture(
        "settings-keys", "Keys", _SETTINGS + "/keys", "What programs identify themselves with."
    ),
    Picture("settings-shopify", "Shopify", _SETTINGS + "/shopify", "The shop on Shopify's side."),
    Picture(
        "settings-identity", "Rules of identity", _SETTINGS + "/identity", "How far linking goes."
    ),
    Picture(
        "settings-stages",
        "Stages and scores",
        _SETTINGS + "/stages",
        "The windows of the shop's stages.",
    ),
    Picture("settings-account", "Account", _SETTINGS + "/account", "The password."),
    Picture("shops", "Shops", "/shops", "All shops that somebody works for."),
)
PICTURES = (*SIGNED_OUT, *SIGNED_IN)


def as_markdown() -> str:
    """The page of the documentation that shows them all."""
    parts = [
        "# Pages",
        "Every page of the sample shop that `make demo` starts. `make screenshots` takes the pictures anew,"
        " by day and by night.",
    ]
    for picture in PICTURES:
        parts += [f"## {picture.title}", picture.says, _shown(picture, "")]
        if picture.narrow:
            parts.append(_shown(picture, "-narrow"))
    return "\n\n".join(parts) + "\n"


def _shown(picture: Picture, width: str) -> str:
    light, dark = (f"images/{picture.name}{width}-{scheme}.webp" for scheme in SCHEMES)
    shown = f"{picture.title} on a phone" if width else picture.title
    return (
        f'<picture><source media="(prefers-color-scheme: dark)" srcset="{dark}">'
        f'<img src="{light}" alt="{shown}"></picture>'
    )
