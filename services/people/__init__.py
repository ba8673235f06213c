"""People and what they published, as ORCID tells it."""
