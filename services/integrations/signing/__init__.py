"""Signatures of webhooks: the secrets, the headers that carry them, and whether one holds. Nothing is stored here."""
