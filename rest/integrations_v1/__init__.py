"""`/integrations/v1`: the frozen contract. Its shapes and routes are its own, so that no change inside can move it."""

PREFIX = "/integrations/v1"
#: The revision of the contract, apart from the software's version.
REVISION = "2026-04-22"
