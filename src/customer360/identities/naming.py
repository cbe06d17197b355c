"""What do people call an identifier? Pure."""

from __future__ import annotations

from customer360.events.model import Identifier, IdentifierType

_T = IdentifierType
WORDS: dict[str, str] = {
    _T.SHOPIFY_CUSTOMER_ID: "customer id",
    _T.USER_ID: "user id",
    _T.POS_CUSTOMER: "POS customer",
    _T.AMAZON_BUYER: "Amazon buyer",
    _T.EBAY_BUYER: "eBay buyer",
    _T.TIKTOK_BUYER: "TikTok buyer",
    _T.EMAIL: "e-mail",
    _T.KLAVIYO_ID: "Klaviyo id",
    _T.PHONE: "phone",
    _T.WHATSAPP: "WhatsApp",
    _T.COOKIE: "cookie",
    _T.CART_TOKEN: "cart",
    _T.CHECKOUT_TOKEN: "checkout",
}
"""What people call each type of identifier, everywhere."""


def named_as(identifier: Identifier) -> str:
    """An identifier with the word that people use for its type."""
    return f"{WORDS[identifier.type]} {identifier.value}"
