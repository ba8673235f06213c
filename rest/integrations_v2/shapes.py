"""The bodies of the contract. Instants are integer milliseconds since the epoch, UTC, as in v1."""

from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

Milliseconds = Annotated[int, Meta(description="Milliseconds since the Unix epoch, UTC.")]
Day = Annotated[str, Meta(description="A day, YYYY-MM-DD.", pattern=r"^\d{4}-\d{2}-\d{2}$")]
Localised = dict[str, str | None]
SyncStatus = Literal["pending", "processing", "complete", "failed"]
Listed = Annotated[
    bool, Meta(description="Always false: the row is listed.", extra_json_schema={"extra": {"const": False}})
]
Gone = Annotated[
    bool, Meta(description="Always true: the row is no longer listed.", extra_json_schema={"extra": {"const": True}})
]
Updated = Annotated[int, Meta(description="When consumers last saw something of the row change; ms since the epoch.")]
OrcidId = Annotated[str, Meta(description="ORCID iD, in groups of four.")]
Doi = Annotated[str, Meta(description="DOI in lower case, without a resolver's address.")]
RowId = Annotated[str, Meta(description="UUID; it never changes.")]
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
    "full_sync_required",
    "payload_too_large",
    "installation_rate_limit_exceeded",
    "internal_error",
    "service_unavailable",
]


class FieldProblem(msgspec.Struct):
    """One parameter, and the rule that it breaks."""

    name: Annotated[str, Meta(description="The query parameter.")]
    detail: Annotated[str, Meta(description="The rule, in words for a person.")]


class Problem(msgspec.Struct):
    """Why a request was refused (RFC 9457). Read `code`; the texts are for people and may change."""

    type: Annotated[str, Meta(description="Where this server has the page of the code (a URI reference).")]
    title: Annotated[str, Meta(description="The same sentence for every refusal of this code.")]
    status: Annotated[int, Meta(description="The HTTP status.")]
    detail: Annotated[str, Meta(description="What is wrong with this request.")]
    code: Annotated[Code, Meta(description="What kind of refusal it is; the same codes as in v1.")]
    request_id: Annotated[str, Meta(description="The same as the header X-Request-Id; name it when you ask for help.")]
    errors: (
        Annotated[list[FieldProblem], Meta(description="With `invalid_query_parameters`: each parameter.")] | UnsetType
    ) = UNSET
    required_scope: (
        Annotated[str, Meta(description="With `installation_scope_denied`: the scope that is missing.")] | UnsetType
    ) = UNSET
    granted_scopes: (
        Annotated[list[str], Meta(description="With `installation_scope_denied`: the scopes of the key.")] | UnsetType
    ) = UNSET


class Health(msgspec.Struct):
    status: Annotated[Literal["ok"], Meta(description="Always `ok`.")]
    version: Annotated[str, Meta(description="Revision of this contract.")]


class InstallationOrigin(msgspec.Struct):
    id: RowId
    origin: Annotated[str, Meta(description="Scheme, host and port (RFC 6454).")]
    verification_status: Annotated[
        Literal["pending", "verified", "failed", "expired"], Meta(description="How far its verification is.")
    ]
    verified_at: Milliseconds | None
    last_checked_at: Milliseconds | None


class PresentedCredential(msgspec.Struct):
    id: RowId
    label: Annotated[str, Meta(description="What its owner calls it.")]
    status: Annotated[str, Meta(description="`active` for as long as it opens anything.")]
    created_at: Milliseconds
    last_used_at: Milliseconds | None
    expires_at: Milliseconds | None


class Installation(msgspec.Struct):
    id: RowId
    workspace_id: RowId
    platform: Annotated[Literal["wordpress", "drupal", "custom"], Meta(description="What the site runs on.")]
    status: Annotated[str, Meta(description="`active`, or `pending_verification`.")]
    display_name: Annotated[str, Meta(description="What its owner calls it.")]
    description: Annotated[str, Meta(description="What it is for.")] | None
    created_at: Milliseconds
    updated_at: Milliseconds
    scopes: Annotated[list[str], Meta(description="Scopes of the presented credential.")]
    origins: Annotated[list[InstallationOrigin], Meta(description="Its origins, the oldest first.")]
    credential: PresentedCredential


class InstallationAnswer(msgspec.Struct):
    installation: Installation


class OriginAnswer(msgspec.Struct):
    origin: InstallationOrigin


class Person(msgspec.Struct):
    deleted: Listed
    orcid_id: OrcidId
    name: Annotated[str | Localised, Meta(description="A string, or an object from locale to string or null.")]
    biography: Annotated[Localised, Meta(description="An object from locale to string or null.")] | None
    last_fetched_at: Milliseconds
    sync_status: Annotated[SyncStatus, Meta(description="How far the sync with ORCID is.")]
    publication_count: Annotated[int, Meta(description="Visible publications that are not deleted.")]
    updated_at: Updated


class DeletedPerson(msgspec.Struct):
    """A tombstone: take the person of this iD out of what you show."""

    deleted: Gone
    orcid_id: OrcidId


class PersonAnswer(msgspec.Struct):
    person: Person


@dataclass
class PeoplePage:
    people: list[Person | DeletedPerson]
    next_cursor: str | None
    next_updated_since: int | None


class Publication(msgspec.Struct):
    deleted: Listed
    doi: Doi
    title: Annotated[Localised, Meta(description="An object from locale to string or null.")]
    doi_url: Annotated[str, Meta(description="Address of the DOI.")]
    publication_date: Day | None
    publication_year: Annotated[int, Meta(description="Also where the day is not known.")] | None
    publication_type: Annotated[str, Meta(description="ORCID's word for the kind, like `journal-article`.")]
    cited_by_count: Annotated[int, Meta(description="Number of citations.")]
    last_fetched_at: Milliseconds
    updated_at: Updated


class DeletedPublication(msgspec.Struct):
    """A tombstone: take the publication of this DOI out of what you show."""

    deleted: Gone
    doi: Doi


@dataclass
class PublicationsPage:
    publications: list[Publication | DeletedPublication]
    next_cursor: str | None
    next_updated_since: int | None


@dataclass
class PersonPublicationsPage:
    publications: list[Publication]
    next_cursor: str | None


class Work(msgspec.Struct):
    deleted: Listed
    id: RowId
    title: Annotated[str, Meta(description="Title.")]
    work_type: Annotated[str, Meta(description="ORCID's word for the kind, like `report`.")]
    publication_date: Day | None
    publication_year: Annotated[int, Meta(description="Year of publication.")] | None
    url: Annotated[str, Meta(description="Where it is.")] | None
    created_at: Milliseconds
    updated_at: Updated


class DeletedWork(msgspec.Struct):
    """A tombstone: take the work of this id out of what you show."""

    deleted: Gone
    id: RowId


@dataclass
class WorksPage:
    works: list[Work | DeletedWork]
    next_cursor: str | None
    next_updated_since: int | None


class Project(msgspec.Struct):
    deleted: Listed
    id: RowId
    title: Annotated[str, Meta(description="Title.")]
    acronym: Annotated[str, Meta(description="Short name.")] | None
    funder: Annotated[str, Meta(description="Who pays for it.")] | None
    start_date: Day | None
    end_date: Day | None
    status: Annotated[str, Meta(description="`planned`, `active`, `completed` or `cancelled`.")]
    updated_at: Updated


class DeletedProject(msgspec.Struct):
    """A tombstone: take the project of this id out of what you show."""

    deleted: Gone
    id: RowId


@dataclass
class ProjectsPage:
    projects: list[Project | DeletedProject]
    next_cursor: str | None
    next_updated_since: int | None
