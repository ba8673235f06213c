"""The bodies of the contract, frozen. Instants are integer milliseconds since the epoch, UTC."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Localised = dict[str, str | None]
Milliseconds = Annotated[int, Meta(description="Milliseconds since the Unix epoch, UTC.")]
SyncStatus = Literal["pending", "processing", "complete", "failed"]
Code = Literal[
    "invalid_query_parameters",
    "missing_api_key",
    "invalid_installation_credential",
    "inactive_installation_credential",
    "inactive_installation",
    "origin_not_verified",
    "origin_mismatch",
    "installation_scope_denied",
    "not_found",
    "origin_not_found",
    "method_not_allowed",
    "installation_rate_limit_exceeded",
    "internal_error",
    "service_unavailable",
    "payload_too_large",
]


class ErrorBody(msgspec.Struct):
    """Why a request was refused. `details` depends on the code."""

    error: str
    code: Code
    details: dict[str, Any] | None


class Health(msgspec.Struct):
    status: Literal["ok"]
    version: Annotated[str, Meta(description="Revision of this contract.")]


class InstallationOrigin(msgspec.Struct):
    id: str
    origin: str
    verification_status: Literal["pending", "verified", "failed", "expired"]
    verified_at: Milliseconds | None
    last_checked_at: Milliseconds | None


class PresentedCredential(msgspec.Struct):
    id: str
    label: str
    status: str
    created_at: Milliseconds
    last_used_at: Milliseconds | None
    expires_at: Milliseconds | None


class Installation(msgspec.Struct):
    id: str
    workspace_id: str
    platform: Literal["wordpress", "drupal", "custom"]
    status: str
    display_name: str
    description: str | None
    created_at: Milliseconds
    updated_at: Milliseconds
    scopes: Annotated[list[str], Meta(description="Scopes of the presented credential.")]
    origins: list[InstallationOrigin]
    credential: PresentedCredential


class InstallationAnswer(msgspec.Struct):
    installation: Installation


class OriginAnswer(msgspec.Struct):
    origin: InstallationOrigin


class Person(msgspec.Struct):
    orcid_id: str
    name: str | Localised
    biography: Localised | None
    last_fetched_at: Milliseconds
    sync_status: SyncStatus
    publication_count: Annotated[int, Meta(description="Visible publications that are not deleted.")]


class PeoplePage(msgspec.Struct):
    people: list[Person]
    page: int
    per_page: int
    total: int
    pages: int
    q: str


class Publication(msgspec.Struct):
    doi: str
    title: Localised
    doi_url: str
    publication_date: Annotated[str, Meta(description="YYYY-MM-DD")] | None
    publication_year: int | None
    publication_type: str
    cited_by_count: int
    last_fetched_at: Milliseconds


class PublicationsPage(msgspec.Struct):
    publications: list[Publication]
    page: int
    per_page: int
    total: int
    pages: int
    q: str


class Work(msgspec.Struct):
    id: str
    title: str
    work_type: str
    publication_date: Annotated[str, Meta(description="YYYY-MM-DD")] | None
    publication_year: int | None
    doi: str | None
    url: str | None
    created_at: Milliseconds


class WorksPage(msgspec.Struct):
    works: list[Work]
    page: int
    per_page: int
    total: int
    pages: int
    q: str


class Project(msgspec.Struct):
    id: str
    title: str
    acronym: str | None
    funder: str | None
    start_date: Annotated[str, Meta(description="YYYY-MM-DD")] | None
    end_date: Annotated[str, Meta(description="YYYY-MM-DD")] | None
    status: str


class ProjectsPage(msgspec.Struct):
    projects: list[Project]
    page: int
    per_page: int
    total: int
    pages: int
    q: str
