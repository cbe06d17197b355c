"""Everything that two people do, as signals without a conflict of identity: any subset of it, in any order.

Each person's known identifiers are tied together by one signal that every history has; whatever else names a person
together with a browser names them by the same user id. Times repeat on purpose, so that ties are met.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from customer360.events.model import SourceRank, Trust
from customer360.intake.inbox import InboxRow
from tests.house import House, at

Draft = tuple[str, Trust, SourceRank, dict[str, Any], dict[str, Any] | None]
"""Source, trust, rank, body and envelope."""

PAGE = "https://shop.example/{}?utm_source={}&utm_medium=cpc&utm_campaign=may"


def rows(house: House, drafts: list[Draft]) -> list[InboxRow]:
    """The signals as they stand in the inbox."""
    return [
        house.row(
            source,
            json.dumps(body).encode(),
            trust=trust,
            rank=rank,
            envelope=None if envelope is None else json.dumps(envelope).encode(),
        )
        for source, trust, rank, body, envelope in drafts
    ]


def call(key: str, minutes: float, *, public: bool = False, **rest: Any) -> Draft:
    """A call of an SDK; `public`: with the pixel's key."""
    body = {"type": "track", "messageId": key, "timestamp": at(minutes), **rest}
    if public:
        return ("segment", Trust.PUBLIC, SourceRank.PIXEL, body, None)
    return ("segment", Trust.FULL, SourceRank.SERVER, body, None)


def webhook(key: str, topic: str, payload: Mapping[str, Any]) -> Draft:
    """A webhook of Shopify."""
    envelope = {
        "topic": topic,
        "webhook_id": key,
        "shop_domain": "shop.myshopify.com",
        "triggered_at": at(0),
    }
    return ("shopify", Trust.FULL, SourceRank.WEBHOOK, dict(payload), envelope)


def line(key: str, order: str, minutes: float, quantity: int, price: str, **rest: str) -> Draft:
    """A row of a file of orders."""
    body = {
        "order_id": order,
        "placed_at": at(minutes),
        "product_id": key,
        "quantity": str(quantity),
        "unit_price": price,
        **rest,
    }
    envelope = {"format": "generic", "row_key": key, "row": 1}
    return ("orders_file", Trust.FULL, SourceRank.FILE, body, envelope)


def links(who: str) -> list[Draft]:
    """The signal that ties all the known identifiers of a person together."""
    return [
        call(
            f"{who}-link",
            70,
            type="identify",
            userId=f"user-{who}",
            traits={"email": f"{who}@x.example", "phone": PHONES[who]},
            context={"externalIds": [{"type": "shopify_customer_id", "id": CUSTOMERS[who]}]},
        )
    ]


PHONES = {"ann": "+353871234567", "bob": "+353861234567"}
CUSTOMERS = {"ann": "7", "bob": "8"}


def happenings(who: str) -> list[Draft]:
    """What may happen to a person besides."""
    return [*visits(who), *contacts(who), *purchases(who), *checkouts(who)]


def visits(who: str) -> list[Draft]:
    """Views on two devices, with gaps that a late event fills, and with sessions of the source's own."""
    one, two, user = f"{who}-phone", f"{who}-laptop", f"user-{who}"
    three = f"{who}-tablet"

    def view(key: str, minutes: float, **rest: Any) -> Draft:
        return call(
            f"{who}-{key}",
            minutes,
            public=True,
            event="Product Viewed",
            properties={"product_id": key},
            **rest,
        )

    def page(key: str, minutes: float, device: str, url: str, **rest: Any) -> Draft:
        return call(
            f"{who}-{key}",
            minutes,
            public=True,
            type="page",
            context={"page": {"url": url, **rest}},
            anonymousId=device,
        )

    return [
        view("v1", 0, anonymousId=one),
        view("v2", 29, anonymousId=one),
        view("v3", 30, anonymousId=one),
        view("v4", 59, anonymousId=one, userId=user),
        view("v5", 61, anonymousId=one),
        view("v6", 0, anonymousId=two),
        view("v7", 25, anonymousId=two, userId=user),
        view("v8", 20, anonymousId=three),
        view("s1", 5, anonymousId=two, context={"sessionId": "s"}),
        view("s2", 180, anonymousId=two, context={"sessionId": "s"}),
        view("s3", 90, anonymousId=two, userId=user, context={"sessionId": "s"}),
        page("p1", 0, one, PAGE.format("a", "google")),
        page("p2", 0, one, PAGE.format("a", "bing")),
        page("p3", 31, three, "https://shop.example/b", referrer="https://blog.example/1"),
        page("p4", 31, three, "https://shop.example/b", referrer="https://blog.example/2"),
        call(f"{who}-search", 33, public=True, event="Products Searched", userId=user),
    ]


def contacts(who: str) -> list[Draft]:
    """Names, addresses, tags, consents and messages, several of them at one moment."""
    user, mail = f"user-{who}", f"{who}@x.example"
    customer = {"id": int(CUSTOMERS[who]), "email": mail, "created_at": at(0), "updated_at": at(20)}
    home = {"address1": "1 High St", "city": "Cork", "country_code": "IE", "zip": "T12"}
    away = {"address1": "2 Low St", "city": "Galway", "country_code": "IE", "zip": "H91"}

    def identify(key: str, minutes: float, public: bool = False, **traits: Any) -> Draft:
        return call(
            f"{who}-{key}", minutes, public=public, type="identify", userId=user, traits=traits
        )

    def consent(key: str, minutes: float, event: str, public: bool = False, **told: Any) -> Draft:
        return call(
            f"{who}-{key}", minutes, public=public, event=event, userId=user, properties=told
        )

    def grant(since: float, state: str = "subscribed") -> dict[str, Any]:
        return {"state": state, "consent_updated_at": at(since)}

    return [
        identify("i1", 20, first_name="Ann", last_name="Lee", plan="gold", city="Cork"),
        identify("i2", 20, first_name="Anne", last_name="Lee", plan="silver", city="Galway"),
        identify("i3", 21, True, first_name="Browser", last_name="Name", locale="fr"),
        identify("i4", 20, tags=["a", "b"], address={"street": "1 High St", "city": "Cork"}),
        identify("i5", 20, tags="c", email_consent=True, consent_text="Yes"),
        identify("i6", 40, email=mail, phone=PHONES[who], sms_consent="unsubscribed"),
        consent("k1", 40, "Consent Granted", channel="email", text="One"),
        consent("k2", 40, "Consent Withdrawn", channel="email", text="Two"),
        consent("k3", 41, "Consent Granted", True, channel="email", email=mail, text="Three"),
        consent("k4", 40, "Consent Granted", channel="push", address="device-1", phone=PHONES[who]),
        consent("k5", 40, "Consent Withdrawn", channel="push", address="device-2", email=mail),
        consent("k6", 40, "Consent Granted", channel="whatsapp", address=PHONES[who]),
        webhook(f"{who}-w1", "customers/create", {**customer, "first_name": "Ann"}),
        webhook(
            f"{who}-w2",
            "customers/update",
            {**customer, "addresses": [home, away], "email_marketing_consent": grant(40)},
        ),
        webhook(
            f"{who}-w7",
            "customers/update",
            {
                **customer,
                "updated_at": at(19),
                "addresses": [away],
                "email_marketing_consent": grant(40),
            },
        ),
        webhook(
            f"{who}-w4",
            "customers/update",
            {**customer, "tags": "vip", "email_marketing_consent": grant(40, "unsubscribed")},
        ),
        webhook(
            f"{who}-w5",
            "customer.tags_added",
            {"customerId": f"gid://shopify/Customer/{CUSTOMERS[who]}", "tags": ["vip", "x"]},
        ),
        webhook(
            f"{who}-w6",
            "customer.tags_removed",
            {"customerId": f"gid://shopify/Customer/{CUSTOMERS[who]}", "tags": ["vip"]},
        ),
        call(f"{who}-mail", 50, event="Email Sent", userId=user, properties={"subject": "Hello"}),
        call(f"{who}-review", 51, event="Product Reviewed", userId=user, properties={"rating": 2}),
        call(f"{who}-ticket", 52, event="Ticket Opened", properties={"email": mail}),
    ]


def purchases(who: str) -> list[Draft]:
    """Three orders, told by the pixel, an SDK, webhooks and files; refunds, returns and cancellations."""
    user, mail, web, shop = f"user-{who}", f"{who}@x.example", f"{who}-1", f"{who}-2"
    number = 1000 + int(CUSTOMERS[who])

    def bought(key: str, order: str, total: str, public: bool = False, **rest: Any) -> Draft:
        return call(
            f"{who}-{key}",
            62,
            public=public,
            event="Order Completed",
            properties={"order_id": order, "total": total, "coupon": key},
            **rest,
        )

    order = {
        "id": number,
        "created_at": at(62),
        "updated_at": at(63),
        "total_price": "30.00",
        "currency": "EUR",
        "cart_token": f"{who}-cart",
        "line_items": [{"id": 1, "title": "Mug", "quantity": 2, "price": "15.00"}],
    }
    mine = {**order, "email": mail, "customer": {"id": int(CUSTOMERS[who]), "email": mail}}
    return [
        bought("o1", web, "10", True, anonymousId=f"{who}-phone"),
        bought("o2", web, "20", anonymousId=f"{who}-stranger"),
        bought("o3", web, "21", userId=user),
        bought("o4", str(number), "11", True, anonymousId=f"{who}-guest"),
        bought("o5", shop, "5", True, anonymousId=f"{who}-phone"),
        webhook(f"{who}-c1", "orders/create", mine),
        webhook(f"{who}-c2", "orders/paid", {**mine, "financial_status": "paid"}),
        webhook(f"{who}-c3", "orders/updated", {**order, "total_price": "31.00"}),
        webhook(f"{who}-c4", "orders/updated", {**mine, "updated_at": at(64), "test": False}),
        webhook(f"{who}-c5", "orders/cancelled", {**mine, "cancelled_at": at(66)}),
        webhook(
            f"{who}-c6",
            "refunds/create",
            {
                "id": number + 100,
                "order_id": number,
                "created_at": at(67),
                "transactions": [{"kind": "refund", "status": "success", "amount": "4.00"}],
            },
        ),
        call(
            f"{who}-r1",
            68,
            event="Order Refunded",
            properties={"order_id": web, "refund_id": f"{who}-r", "total": "3"},
        ),
        call(
            f"{who}-r2",
            68,
            event="Order Refunded",
            properties={"order_id": shop, "refund_id": f"{who}-r", "total": "2"},
        ),
        call(f"{who}-x1", 69, event="Order Cancelled", properties={"order_id": web}),
        line(f"{who}-l1", shop, 62, 2, "4.50", email=mail, currency="EUR"),
        line(f"{who}-l2", shop, 61, 1, "3.25", channel="pos", currency="EUR"),
        line(f"{who}-l3", shop, 61, 1, "1.25", email=mail, status="paid"),
        line(f"{who}-l4", shop, 65, -1, "4.50", email=mail),
        line(f"{who}-l5", shop, 64, -2, "0.10"),
        line(f"{who}-l6", str(number), 60, 3, "9.99", customer_id=CUSTOMERS[who]),
        line(f"{who}-l7", f"{who}-3", 66, -1, "7.00", email=mail, currency="USD"),
        # An order that seems to end a checkout until an earlier line of it is known.
        line(f"{who}-l8", f"{who}-8", -490, 1, "1.00", email=mail, status="paid"),
        line(f"{who}-l9", f"{who}-8", -520, 1, "1.00", email=mail, channel="pos"),
        exported(who, shop, "9.00", 0),
        exported(who, f"{who}-4", "12.00", 3),
    ]


def exported(who: str, order: str, total: str, refunded: int) -> Draft:
    """An order of Shopify's export, told whole by its first row."""
    columns = {
        "Id": order,
        "Name": f"#{order}",
        "Email": f"{who}@x.example",
        "Created at": at(62),
        "Total": total,
        "Currency": "EUR",
        "Refunded Amount": str(refunded),
    }
    body = {
        "order": columns,
        "lines": [
            {"Lineitem name": "Tea", "Lineitem quantity": "2", "Lineitem price": "4.50"},
            {"Lineitem name": "Bag", "Lineitem quantity": "0", "Lineitem price": "1.00"},
        ],
    }
    envelope = {"format": "shopify", "row_key": f"export-{order}", "row": 1}
    return ("orders_file", Trust.FULL, SourceRank.FILE, body, envelope)


def checkouts(who: str) -> list[Draft]:
    """Checkouts that began, some at one moment; orders end them or do not."""
    token, phone = f"{who}-checkout", f"{who}-phone"

    def begun(key: str, minutes: float, **rest: Any) -> Draft:
        properties = {"checkout_token": token, "value": key}
        return call(
            f"{who}-{key}",
            minutes,
            public=True,
            event="Checkout Started",
            properties=properties,
            **rest,
        )

    return [
        call(
            f"{who}-b0",
            -500,
            event="Checkout Started",
            userId=f"user-{who}",
            properties={"checkout_token": f"{who}-early"},
        ),
        *(
            call(
                f"{who}-a{n}",
                -800,
                event="Checkout Started",
                userId=f"user-{who}",
                properties={"checkout_token": f"{who}-lonely", "total": n},
            )
            for n in range(3)
        ),
        begun("b1", 1, anonymousId=phone),
        begun("b2", 1, anonymousId=f"{who}-laptop"),
        begun("b3", 2, anonymousId=phone),
        call(f"{who}-b4", 61.5, public=True, event="Checkout Started", anonymousId=phone),
        webhook(
            f"{who}-b5",
            "checkouts/create",
            {
                "token": token,
                "created_at": at(1),
                "total_price": "9.00",
                "cart_token": f"{who}-cart",
            },
        ),
        call(
            f"{who}-cart",
            0,
            public=True,
            event="Product Added",
            anonymousId=phone,
            properties={"product_id": "p", "cart_token": f"{who}-cart"},
        ),
        call(
            f"{who}-b6",
            30,
            event="Order Completed",
            userId=f"user-{who}",
            properties={"order_id": f"{who}-9", "total": "9", "checkout_token": token},
        ),
    ]


ALWAYS = [draft for who in CUSTOMERS for draft in links(who)]
POOL = [draft for who in CUSTOMERS for draft in happenings(who)]
