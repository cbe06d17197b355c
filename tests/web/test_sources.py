from tests.web.conftest import Site, text_of


def test_an_empty_shop_says_how_to_connect(site: Site) -> None:
    page = site.owner.get(f"{site.root}/sources").text
    words = text_of(page)
    assert "No signals yet" in words
    assert f"/pixel.js?k={site.house.new_shop.pixel_key}" in words
    assert "/webhooks/shopify" in words
    assert site.house.new_shop.write_key not in page


def test_every_signal_is_in_the_sum(site: Site) -> None:
    house = site.house
    house.segment({"type": "track", "event": "A", "userId": "u1", "messageId": "m"})
    house.segment({"type": "track", "event": "A", "userId": "u1", "messageId": "m"})
    house.segment({"type": "track", "event": 7})
    house.drain()
    house.segment({"type": "track", "event": "B", "userId": "u1"})
    words = text_of(site.owner.get(f"{site.root}/sources").text)
    assert "received 4 = stored 1 + duplicate 1 + rejected 1 + waiting 1" in words
    assert "Segment-compatible SDKs 4 1 25.0% 1 25.0% 1 25.0% 1 just now" in words


def test_rejected_signals_lead_to_their_dead_letters(site: Site) -> None:
    site.house.segment({"type": "track", "event": 7})
    site.house.drain()
    page = site.owner.get(f"{site.root}/sources").text
    assert f'href="{site.root}/dead-letters?source=segment"' in page


def test_the_balance_of_another_shop_is_not_in_it(site: Site) -> None:
    site.house.segment({"type": "track", "event": "A", "userId": "u1"})
    page = site.stranger.get(f"/shops/{site.other_shop.shop_id}/sources").text
    assert "No signals yet" in page
