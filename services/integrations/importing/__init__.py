"""OpenAPI descriptions made into definitions: what can be said is typed, and what cannot is reported."""
