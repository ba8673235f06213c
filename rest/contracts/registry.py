"""Every public API with its versions, as data. `dovetail contract new-version` writes this module anew."""

from rest.contracts.versions import Api, Version

APIS = {
    "integrations": Api(
        prefix="/integrations",
        frozen=("v1",),
        active="v2",
        versions={
            "v1": Version(
                package="rest.integrations_v1",
                router="rest.integrations_v1.surface:build_app",
                surface="rest.integrations_v1.surface:IntegrationsV1",
                errors="rest.integrations_v1.errors:body_of",
                media="application/json",
                snapshot="integrations-v1.json",
                rules=1,
                stamped=False,
            ),
            "v2": Version(
                package="rest.integrations_v2",
                router="rest.integrations_v2.surface:build_app",
                surface="rest.integrations_v2.surface:IntegrationsV2",
                errors="rest.integrations_v2.errors:body_of",
                media="application/problem+json",
                snapshot="integrations-v2.json",
                rules=1,
            ),
        },
    ),
    "platform": Api(
        prefix="/api",
        frozen=(),
        active="v1",
        versions={
            "v1": Version(
                package="rest.platform_v1",
                router="rest.platform_v1.surface:build_app",
                surface="rest.platform_v1.surface:PlatformV1",
                errors="rest.platform_v1.errors:body_of",
                media="application/json",
                snapshot="platform-v1.json",
                rules=1,
            ),
        },
    ),
    "control-plane": Api(
        prefix="/graphql",
        schema="schema.graphql",
    ),
}
