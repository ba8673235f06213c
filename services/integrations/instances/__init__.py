"""Instances: connections of a tenant, made, changed, given their credentials, listed and deleted."""
