"""Integrations: definitions of what can be connected, instances of what is connected, and their secrets."""
