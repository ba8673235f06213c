"""People and what they made. `name`, `biography` and titles are JSON text; instants are ms since the epoch.

`listed` says whether the consumer surface shows a row. It is derived (services.people.listing holds the
rule), stored so that a page is one index range, and kept in the transaction that changes what it follows.

`changed_at` is the tenant's change (services.changes) that last moved what consumers see of a row: its
content while it is listed, or whether it is. Null: never listed, or not changed since changes are kept.
"""

from piccolo.columns import BigInt, Boolean, ForeignKey, Integer, Text, Varchar
from piccolo.columns.base import OnDelete

from models.tenancy import TenantTable


class Person(TenantTable, tablename="person"):
    orcid_id = Varchar(length=19)
    name = Text()
    biography = Text(null=True, default=None)
    sort_name = Text()
    search_text = Text()
    last_fetched_at = BigInt(null=True, default=None)
    sync_status = Varchar(length=12)
    sync_error = Text(null=True, default=None)
    publication_count = Integer(default=0)
    visible = Boolean(default=True)
    deleted_at = BigInt(null=True, default=None)
    listed = Boolean(default=False)
    changed_at = BigInt(null=True, default=None)
    created_at = BigInt()
    updated_at = BigInt()


class Membership(TenantTable, tablename="membership"):
    """What a person is to the workspace; internal, `member` and without an end is what makes rows listed."""

    person = ForeignKey(references=Person, index=True, null=False, on_delete=OnDelete.cascade)
    affiliation = Varchar(length=12)
    status = Varchar(length=12)
    starts_at = BigInt(null=True, default=None)
    ends_at = BigInt(null=True, default=None)
    created_at = BigInt()
    updated_at = BigInt()


class Publication(TenantTable, tablename="publication"):
    doi = Text()
    title = Text()
    search_text = Text()
    publication_date = Varchar(length=10, null=True, default=None)
    publication_year = Integer(null=True, default=None)
    publication_type = Varchar(length=60)
    cited_by_count = Integer(default=0)
    last_fetched_at = BigInt()
    visible = Boolean(default=True)
    deleted_at = BigInt(null=True, default=None)
    listed = Boolean(default=False)
    changed_at = BigInt(null=True, default=None)
    created_at = BigInt()


class Authorship(TenantTable, tablename="authorship"):
    """A person is an author of a publication."""

    person = ForeignKey(references=Person, index=True, null=False, on_delete=OnDelete.cascade)
    publication = ForeignKey(references=Publication, index=True, null=False, on_delete=OnDelete.cascade)


class Work(TenantTable, tablename="work"):
    """Something a person made that has no DOI."""

    person = ForeignKey(references=Person, index=True, null=False, on_delete=OnDelete.cascade)
    put_code = Varchar(length=40)
    title = Text()
    search_text = Text()
    work_type = Varchar(length=60)
    publication_date = Varchar(length=10, null=True, default=None)
    publication_year = Integer(null=True, default=None)
    url = Text(null=True, default=None)
    verified = Boolean(default=False)
    #: Whether a person decided `verified`; a sync does not overrule them.
    reviewed = Boolean(default=False)
    visible = Boolean(default=True)
    deleted_at = BigInt(null=True, default=None)
    listed = Boolean(default=False)
    changed_at = BigInt(null=True, default=None)
    created_at = BigInt()


class Project(TenantTable, tablename="project"):
    title = Text()
    search_text = Text()
    acronym = Varchar(length=60, null=True, default=None)
    funder = Text(null=True, default=None)
    start_date = Varchar(length=10, null=True, default=None)
    end_date = Varchar(length=10, null=True, default=None)
    status = Varchar(length=12)
    changed_at = BigInt(null=True, default=None)
    created_at = BigInt()
    updated_at = BigInt()
    version = Integer(default=1)


class Tally(TenantTable, tablename="tally"):
    """How many rows of a kind are listed, kept in the transaction that changes it: an exact total without a count."""

    kind = Varchar(length=20)
    total = BigInt(default=0)


class PersonMove(TenantTable, tablename="person_move"):
    """A person who came into the listed order (`delta` 1) or left it (-1), in the change `changed_at`.

    Who holds a part of the order in memory brings it up to date by what was moved since (services.people.ordering).
    """

    changed_at = BigInt()
    delta = Integer()
    sort_name = Text()
    orcid_id = Varchar(length=19)
    search_text = Text()
