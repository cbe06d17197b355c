"""The project's own storefront pixel."""
