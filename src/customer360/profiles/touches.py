"""What brought a visit here: source, medium and campaign, read from the page's address and referrer.

Pure. A UTM parameter says it best, then a click id of an advertising network, then the referrer. A visit with
none of them came directly. The lists stand at the top, as data.
"""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import SplitResult, parse_qsl, urlsplit

import msgspec

DIRECT = "direct"
"""Source of a visit that nothing is known to have brought; its medium is "none"."""


class Touch(msgspec.Struct, frozen=True):
    """One touch; source and medium are in lower case, an empty campaign or medium says that none was given."""

    source: str
    medium: str
    campaign: str
    url: str
    referrer: str


CLICK_IDS: dict[str, tuple[str, str]] = {
    "gclid": ("google", "cpc"),
    "gbraid": ("google", "cpc"),
    "wbraid": ("google", "cpc"),
    "gad_source": ("google", "cpc"),
    "dclid": ("google", "display"),
    "srsltid": ("google", "organic"),
    "msclkid": ("bing", "cpc"),
    "ttclid": ("tiktok", "cpc"),
    "twclid": ("twitter", "cpc"),
    "li_fat_id": ("linkedin", "cpc"),
    "sccid": ("snapchat", "cpc"),
    "rdt_cid": ("reddit", "cpc"),
    "yclid": ("yandex", "cpc"),
    "irclickid": ("impact", "affiliate"),
    "_kx": ("klaviyo", "email"),
    "mc_cid": ("mailchimp", "email"),
    "mc_eid": ("mailchimp", "email"),
    # These three hang on unpaid links as well, so they prove no advertisement.
    "fbclid": ("facebook", "social"),
    "igshid": ("instagram", "social"),
    "epik": ("pinterest", "social"),
}
"""Parameters that networks add to their links; of several the first in this list counts."""

_BY_MEDIUM: dict[str, dict[str, str]] = {
    "email": {
        "mail.google.*": "gmail",
        "com.google.android.gm": "gmail",
        "mail.yahoo.*": "yahoo",
        "outlook.live.com": "outlook",
        "outlook.office.com": "outlook",
        "outlook.office365.com": "outlook",
        "mail.aol.com": "aol",
        "mail.proton.me": "proton",
        "mail.zoho.com": "zoho",
        "mail.yandex.*": "yandex",
        "deref-gmx.net": "gmx",
        "deref-web.de": "web.de",
    },
    "organic": {
        "google.*": "google",
        "com.google.android.googlequicksearchbox": "google",
        "bing.com": "bing",
        "duckduckgo.com": "duckduckgo",
        "yahoo.*": "yahoo",
        "ecosia.org": "ecosia",
        "baidu.com": "baidu",
        "yandex.*": "yandex",
        "ya.ru": "yandex",
        "qwant.com": "qwant",
        "startpage.com": "startpage",
        "search.brave.com": "brave",
        "naver.com": "naver",
        "seznam.cz": "seznam",
        "kagi.com": "kagi",
        "ask.com": "ask",
        "search.aol.com": "aol",
    },
    "social": {
        "facebook.com": "facebook",
        "com.facebook.katana": "facebook",
        "messenger.com": "facebook",
        "instagram.com": "instagram",
        "com.instagram.android": "instagram",
        "threads.*": "threads",
        "twitter.com": "twitter",
        "x.com": "twitter",
        "t.co": "twitter",
        "linkedin.com": "linkedin",
        "lnkd.in": "linkedin",
        "pinterest.*": "pinterest",
        "pin.it": "pinterest",
        "tiktok.com": "tiktok",
        "youtube.com": "youtube",
        "youtu.be": "youtube",
        "reddit.com": "reddit",
        "com.reddit.frontpage": "reddit",
        "snapchat.com": "snapchat",
        "tumblr.com": "tumblr",
        "quora.com": "quora",
        "discord.com": "discord",
        "vk.com": "vk",
        "bsky.app": "bluesky",
        "whatsapp.com": "whatsapp",
        "wa.me": "whatsapp",
        "t.me": "telegram",
    },
    "none": {
        # Whoever comes back from paying was brought by what brought them before.
        "paypal.com": DIRECT,
        "klarna.*": DIRECT,
        "afterpay.com": DIRECT,
        "stripe.com": DIRECT,
        "checkout.shopify.com": DIRECT,
    },
}
REFERRERS: dict[str, tuple[str, str]] = {
    name: (source, medium) for medium, names in _BY_MEDIUM.items() for name, source in names.items()
}
"""Known referrers by domain, which stands for its subdomains too; `*` is any top-level domain."""

# Below these, each name is a site of somebody else's, as it is below .com.
_SHARED_SUFFIXES = frozenset(
    {"myshopify.com", "github.io", "pages.dev", "netlify.app", "vercel.app", "wordpress.com"}
)
_SECOND_LEVELS = frozenset({"co", "com", "org", "net", "ac", "gov", "edu", "or", "ne", "gob"})
# Browsers and proxies allow about this much; what is longer is cut, not lost.
_LONGEST_URL = 2048
_LONGEST_NAME = 255


# Landing pages and referrers repeat; an entry is a few hundred bytes.
@lru_cache(maxsize=1 << 14)
def touch_of(url: str, referrer: str) -> Touch | None:
    """The touch that a page's address and referrer tell of; None when there is neither.

    A referrer of the same site is none. The address may be a path alone, as orders carry it.
    """
    if not url and not referrer:
        return None
    # No database keeps a NUL.
    url, referrer = url[:_LONGEST_URL].replace("\0", ""), referrer[:_LONGEST_URL].replace("\0", "")
    # Some systems tell the referring site without a scheme.
    bare = "//" not in referrer and "." in referrer and " " not in referrer
    page, origin = _split(url), _split(f"//{referrer}" if bare else referrer)
    host = _host(origin)
    if host and _site(host) == _site(_host(page)):
        host = ""
    parameters = _parameters(page)
    by_click = next((CLICK_IDS[name] for name in CLICK_IDS if parameters.get(name)), None)
    source, medium, campaign = _named(parameters, by_click, _by_referrer(host))
    return Touch(source, medium, campaign, url, referrer if host else "")


def _named(
    parameters: dict[str, str],
    by_click: tuple[str, str] | None,
    by_referrer: tuple[str, str] | None,
) -> tuple[str, str, str]:
    """Source, medium and campaign, each from the best witness that speaks of it."""
    source, medium = (parameters.get(f"utm_{part}", "").lower() for part in ("source", "medium"))
    campaign = parameters.get("utm_campaign", "") or parameters.get("mc_cid", "")
    witness = by_click or by_referrer
    if by_click and by_referrer and by_click[1] == by_referrer[1] == "social":
        # Facebook marks the links of all its apps alike; the referrer knows which one it was.
        witness = by_referrer
    if source:
        # What the link does not say of its medium, only a witness of the same source may add.
        return source, medium or (witness[1] if witness and witness[0] == source else ""), campaign
    if witness:
        return witness[0], medium or witness[1], campaign
    if medium or campaign:
        return "unknown", medium, campaign
    return DIRECT, "none", ""


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url.strip())
    except ValueError:
        return SplitResult("", "", "", "", "")


def _host(parts: SplitResult) -> str:
    try:
        return (parts.hostname or "").removeprefix("www.").rstrip(".")
    except ValueError:
        return ""


def _parameters(page: SplitResult) -> dict[str, str]:
    """The parameters of an address by lower-case name, trimmed; of equal names the first counts."""
    if not page.query:
        return {}
    try:
        pairs = parse_qsl(page.query, max_num_fields=200)
    except ValueError:
        return {}
    return {name.lower(): _tidy(value) for name, value in reversed(pairs)}


def _tidy(value: str) -> str:
    return value.replace("\0", "").strip()[:_LONGEST_NAME]


def _by_referrer(host: str) -> tuple[str, str] | None:
    """What a referrer says; an unknown site refers under its own name."""
    if not host:
        return None
    labels = host.split(".")
    suffix = _suffix_length(labels)
    # mail.google.com comes before google.com: the more exact name knows better.
    for start in range(len(labels) - suffix):
        exact, anywhere = ".".join(labels[start:]), ".".join([*labels[start:-suffix], "*"])
        if known := REFERRERS.get(exact) or REFERRERS.get(anywhere):
            return None if known[0] == DIRECT else known
    return host, "referral"


def _site(host: str) -> str:
    """The part of a host that its owner registered: example.co.uk."""
    labels = host.split(".")
    return ".".join(labels[-_suffix_length(labels) - 1 :])


def _suffix_length(labels: list[str]) -> int:
    """How many labels at the end belong to a registry: com, co.uk; near enough without the full list."""
    if ".".join(labels[-2:]) in _SHARED_SUFFIXES:
        return 2
    return 2 if len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVELS else 1
