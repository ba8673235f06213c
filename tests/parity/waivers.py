"""Which operation is not on which surface, and why. The one list; an entry that no longer holds fails a test."""

_FROZEN = "`/integrations` shows plugins what is listed, and no more; the control plane speaks GraphQL"
_BY_NODE = "read by `node` and `nodes`, which find the operation by the type that an id names"
_ONE_OF_MANY = "one is read through the loader of many, `get_integration_definitions` and `…_instances`"
_CONSUMER = "what a key asks of its own installation; the control plane has `installation` and `verifyOrigin`"
_AS_CONSUMERS_SEE = "what is listed, as consumers see it; the control plane has `person(orcidId:)`"
_ON_THE_MACHINE = "done on the server's own machine by the command, not over a network"

_CONTROL_PLANE = (
    "add_membership", "archive_installation", "create_installation", "create_project", "delete_project",
    "disable_installation", "enable_installation", "end_membership", "explain_decision", "get_audit_events",
    "get_contract_impact", "get_credentials", "get_installation", "get_installations", "get_memberships",
    "get_origins", "get_people", "get_projects", "get_publications", "get_tenant", "get_works",
    "import_credential", "import_people", "issue_credential", "list_audit_events", "list_credentials",
    "list_installation_events", "list_installations", "list_memberships", "list_origins",
    "list_person_publications", "list_person_works", "list_usage", "list_version_uses", "register_origin",
    "remove_origin", "review_work", "revoke_credential", "revoke_installation", "rotate_credential",
    "set_person_visibility", "set_publication_visibility", "set_work_visibility", "sync_person",
    "update_installation", "update_project", "verify_audit", "verify_origin",
)  # fmt: skip
_BY_LOADER = (
    "get_integration_definitions", "get_integration_instances", "get_integration_endpoints",
    "get_integration_deliveries", "get_integration_payloads",
)  # fmt: skip
_SENDERS = "asked by the other side of an integration, which speaks HTTP and holds no token"
_MACHINE = ("create_tenant", "export_audit", "import_records", "resync_consumers")

#: (surface, operation) → reason.
WAIVERS: dict[tuple[str, str], str] = {
    **{("rest", name): _FROZEN for name in _CONTROL_PLANE},
    **{("rest", name): "several at once are read by the loaders" for name in _BY_LOADER},
    ("rest", "get_integration_uses"): "told with one integration; the route is that of `get_integration_instance`",
    ("rest", "get_integration_circuits"): "read by those who watch over integrations, on the control plane",
    **{(surface, name): _ON_THE_MACHINE for surface in ("rest", "graphql") for name in _MACHINE},
    **{("graphql", name): _CONSUMER for name in ("get_own_installation", "check_own_origin")},
    **{("graphql", name): _AS_CONSUMERS_SEE for name in ("get_person", "list_publications_by")},
    **{("graphql", name): _BY_NODE for name in ("get_audit_events", "get_memberships", "get_origins")},
    ("graphql", "receive_integration_webhook"): _SENDERS,
    ("graphql", "get_integration_delivery"): "read as one of many, with its payload",
    **{("graphql", name): _ONE_OF_MANY for name in ("get_integration_definition", "get_integration_instance")},
}
