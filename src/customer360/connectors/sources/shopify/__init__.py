"""Shopify's webhooks, API versions 2024-10 to 2026-04."""
