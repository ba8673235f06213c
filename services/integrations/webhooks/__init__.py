"""Webhooks that come in: where they come in, which are taken, and what is kept of them."""
