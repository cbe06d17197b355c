"""Shopify's web pixel."""
