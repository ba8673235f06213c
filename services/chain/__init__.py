"""The audit chain: what happened, written with what it tells, sealed into one chain a tenant."""
