"""`/integrations/v2`: the active contract. It may grow; what it says now stays true."""

PREFIX = "/integrations/v2"
#: The revision of the contract, apart from the software's version.
REVISION = "2026-11-21"
