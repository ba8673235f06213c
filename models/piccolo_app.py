"""Every table of the application, and where its migrations are."""

from pathlib import Path
from typing import Any

from models.audit import AuditEvent, AuditHead, AuditPending, AuditSeal
from models.changes import ChangeHead, Tombstone
from models.installations import Credential, Installation, Origin
from models.integrations import (
    IdempotencyRecord,
    IntegrationCircuit,
    IntegrationDefinition,
    IntegrationDelivery,
    IntegrationEndpoint,
    IntegrationExecution,
    IntegrationInstance,
    IntegrationOauthState,
    IntegrationRedirect,
    IntegrationSecret,
    IntegrationToken,
)
from models.operations import ContractUse, Job, RecordingSpan, UsageCount
from models.people import Authorship, Membership, Person, PersonMove, Project, Publication, Tally, Work
from models.tenancy import Tenant

TABLES = [
    Tenant,
    Installation,
    Origin,
    Credential,
    Person,
    Membership,
    Publication,
    Authorship,
    Work,
    Project,
    Tally,
    PersonMove,
    ChangeHead,
    Tombstone,
    AuditEvent,
    AuditSeal,
    AuditPending,
    AuditHead,
    Job,
    UsageCount,
    IntegrationDefinition,
    IntegrationInstance,
    IntegrationSecret,
    IntegrationToken,
    IntegrationOauthState,
    IntegrationRedirect,
    IntegrationExecution,
    IntegrationCircuit,
    IntegrationDelivery,
    IntegrationEndpoint,
    IdempotencyRecord,
    ContractUse,
    RecordingSpan,
]


def __getattr__(name: str) -> Any:
    # Piccolo's tools ask for it; a server does not, and to import them takes a tenth of its time to start.
    if name == "APP_CONFIG":
        from piccolo.conf.apps import AppConfig

        folder = Path(__file__).resolve().parent.parent / "migrations"
        return AppConfig(app_name="dovetail", migrations_folder_path=str(folder), table_classes=TABLES)
    raise AttributeError(name)
