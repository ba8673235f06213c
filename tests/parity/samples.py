"""A call of every GraphQL field that serves an operation, on rows that a test has made."""

from __future__ import annotations

from typing import NamedTuple

from graph.relay import to_global_id
from tests.runtime.records import made, person, publication, work
from tests.services.integrations.samples import forge
from tests.world import World


class Sample(NamedTuple):
    """A document with `%(name)s` for the rows' ids. `lookup` finds one row by an id, which a stranger finds missing.

    `answers` are the codes that a caller with the right scope may get: the state of the row forbids the step.
    """

    document: str
    lookup: bool = False
    answers: frozenset[str] = frozenset()
    #: What a stranger is told instead of NOT_FOUND.
    foreign: str = "NOT_FOUND"


def _query(text: str, *, lookup: bool = False) -> Sample:
    return Sample(f"{{ {text} }}", lookup)


def _change(text: str, *answers: str, lookup: bool = True, foreign: str = "NOT_FOUND") -> Sample:
    return Sample(f"mutation {{ {text} {{ errors {{ code }} }} }}", lookup, frozenset(answers), foreign)


_IN_INSTALLATION = 'installation(id: "%(installation)s") { id '
_IN_PERSON = 'person(id: "%(person)s") { id '
_IN_DEFINITION = 'integrationDefinition(id: "%(definition)s") { id '
_LINT = 'integrationDefinitionLint(id: "%(definition)s") { errors }'
_PLAYED = 'integrationDefinitionTest(id: "%(definition)s") { held }'
_IN_INSTANCE = 'integrationInstance(id: "%(instance)s") { id '
_DRAFT = '"{\\"name\\":\\"Another\\",\\"version\\":\\"1.0.0\\",\\"type\\":\\"http\\",\\"authType\\":\\"none\\"}"'
_FIRST = "(first: 5) { nodes { id } }"

SAMPLES: dict[tuple[str, str], Sample] = {
    ("Query", "auditEvents"): _query(f"auditEvents{_FIRST}"),
    ("Query", "contractImpact"): _query(
        'contractImpact(api: "integrations", revision: {version: "v1"}) { safe impacts { state } }'
    ),
    ("Query", "explainDecision"): _query('explainDecision(requestId: "%(request)s") { code }', lookup=True),
    ("Query", "installation"): _query(_IN_INSTALLATION + "}", lookup=True),
    ("Query", "installations"): _query(f"installations{_FIRST}"),
    ("Query", "integrationDefinition"): _query(_IN_DEFINITION + "}", lookup=True),
    ("Query", "integrationDefinitions"): _query(f"integrationDefinitions{_FIRST}"),
    ("Query", "integrationDeliveries"): _query(f"integrationDeliveries{_FIRST}"),
    ("IntegrationDelivery", "payload"): _query("integrationDeliveries(first: 5) { nodes { payload } }"),
    ("IntegrationDelivery", "instance"): _query("integrationDeliveries(first: 5) { nodes { instance { id } } }"),
    ("Query", "integrationExecutions"): _query(f"integrationExecutions{_FIRST}"),
    ("IntegrationInstance", "usedBy"): _query(_IN_INSTANCE + "usedBy { integrations } }", lookup=True),
    ("IntegrationInstance", "circuits"): _query(_IN_INSTANCE + "circuits { host state } }", lookup=True),
    ("Query", "integrationDefinitionLint"): _query(_LINT, lookup=True),
    ("Query", "integrationDefinitionTest"): _query(_PLAYED, lookup=True),
    ("Query", "integrationDefinitionDiff"): _query(
        'integrationDefinitionDiff(id: "%(definition)s", against: "%(definition)s") { total }', lookup=True
    ),
    ("Query", "integrationInstance"): _query(_IN_INSTANCE + "}", lookup=True),
    ("Query", "integrationInstances"): _query(f"integrationInstances{_FIRST}"),
    ("Query", "integrationRedirects"): _query("integrationRedirects { id }"),
    ("IntegrationDefinition", "content"): _query(f"{_IN_DEFINITION} content {{ methods {{ name }} }} }}", lookup=True),
    ("IntegrationInstance", "config"): _query(f"{_IN_INSTANCE} config }}", lookup=True),
    ("IntegrationInstance", "webhook"): _query(f"{_IN_INSTANCE} webhook {{ hint }} }}", lookup=True),
    ("IntegrationInstance", "definition"): _query(f"{_IN_INSTANCE} definition {{ id }} }}", lookup=True),
    ("Query", "people"): _query(f"people{_FIRST}"),
    ("Query", "person"): _query(_IN_PERSON + "}", lookup=True),
    ("Query", "project"): _query('project(id: "%(project)s") { id }', lookup=True),
    ("Query", "projects"): _query(f"projects{_FIRST}"),
    ("Query", "publication"): _query('publication(id: "%(publication)s") { id }', lookup=True),
    ("Query", "publications"): _query(f"publications{_FIRST}"),
    ("Query", "tenant"): _query("tenant { id }"),
    ("Query", "usage"): _query("usage { count }"),
    ("Query", "versionUsage"): _query('versionUsage(api: "integrations") { versions { version } }'),
    ("Query", "verifyAudit"): _query("verifyAudit { __typename }"),
    ("Query", "work"): _query('work(id: "%(work)s") { id }', lookup=True),
    ("Query", "works"): _query(f"works{_FIRST}"),
    ("Installation", "auditEvents"): _query(f"{_IN_INSTALLATION} auditEvents{_FIRST} }}", lookup=True),
    ("Installation", "credentials"): _query(f"{_IN_INSTALLATION} credentials {{ id }} }}", lookup=True),
    ("Installation", "origins"): _query(f"{_IN_INSTALLATION} origins {{ id }} }}", lookup=True),
    ("Installation", "usage"): _query(f"{_IN_INSTALLATION} usage {{ count }} }}", lookup=True),
    ("Credential", "installation"): _query(
        f"{_IN_INSTALLATION} credentials {{ installation {{ id }} }} }}", lookup=True
    ),
    ("Credential", "replacedBy"): _query(f"{_IN_INSTALLATION} credentials {{ replacedBy {{ id }} }} }}", lookup=True),
    ("Origin", "installation"): _query(f"{_IN_INSTALLATION} origins {{ installation {{ id }} }} }}", lookup=True),
    ("AuditEvent", "installation"): _query("auditEvents(first: 50) { nodes { installation { id } } }"),
    ("Decision", "installation"): _query(
        'explainDecision(requestId: "%(request)s") { installation { id } }', lookup=True
    ),
    ("Person", "memberships"): _query(f"{_IN_PERSON} memberships {{ id }} }}", lookup=True),
    ("Person", "publications"): _query(f"{_IN_PERSON} publications(first: 5) {{ id }} }}", lookup=True),
    ("Person", "works"): _query(f"{_IN_PERSON} works(first: 5) {{ id }} }}", lookup=True),
    ("Membership", "person"): _query(f"{_IN_PERSON} memberships {{ person {{ id }} }} }}", lookup=True),
    ("Work", "person"): _query('work(id: "%(work)s") { person { id } }', lookup=True),
    ("Mutation", "addMembership"): _change('addMembership(personId: "%(person)s")'),
    ("Mutation", "archiveInstallation"): _change('archiveInstallation(id: "%(installation)s")', "INVALID_TRANSITION"),
    ("Mutation", "createInstallation"): _change('createInstallation(input: {displayName: "A site"})', lookup=False),
    ("Mutation", "createProject"): _change('createProject(input: {title: "A project"})', lookup=False),
    ("Mutation", "addIntegrationRedirect"): _change(
        'addIntegrationRedirect(uri: "https://new.example.org/")', lookup=False
    ),
    ("Mutation", "completeIntegrationAuthorization"): _change(
        'completeIntegrationAuthorization(input: {id: "%(instance)s", state: "x", code: "y"})', "VALIDATION_FAILED"
    ),
    ("Mutation", "disconnectIntegration"): _change('disconnectIntegration(id: "%(instance)s")', "INVALID_TRANSITION"),
    ("Mutation", "removeIntegrationRedirect"): _change('removeIntegrationRedirect(id: "%(redirect)s")'),
    ("Mutation", "startIntegrationAuthorization"): _change(
        'startIntegrationAuthorization(id: "%(instance)s", redirectUri: "https://a.example/")',
        "INTEGRATION_NOT_AUTHENTICATED",
    ),
    ("Mutation", "archiveIntegrationDefinition"): _change('archiveIntegrationDefinition(id: "%(definition)s")'),
    ("Mutation", "createIntegrationDefinition"): _change(
        f"createIntegrationDefinition(document: {_DRAFT})", lookup=False
    ),
    ("Mutation", "importIntegrationDefinition"): _change(
        'importIntegrationDefinition(document: "{openapi: 3.1.0, info: {title: Thing, version: 1.0.0}, paths: {}}")',
        lookup=False,
    ),
    ("Mutation", "createIntegrationInstance"): _change(
        'createIntegrationInstance(input: {name: "B", definition: "%(definition)s"})',
        foreign="INTEGRATION_TYPE_UNKNOWN",
    ),
    ("Mutation", "deleteIntegrationCredentials"): _change('deleteIntegrationCredentials(id: "%(instance)s")'),
    ("Mutation", "deleteIntegrationInstance"): _change('deleteIntegrationInstance(id: "%(instance)s")'),
    ("Mutation", "deprecateIntegrationDefinition"): _change('deprecateIntegrationDefinition(id: "%(definition)s")'),
    ("Mutation", "discoverIntegrationResources"): _change(
        'discoverIntegrationResources(input: {id: "%(instance)s", resourceType: "repositories"})',
        "DISCOVERY_UNSUPPORTED",
    ),
    ("Mutation", "testIntegrationInstance"): _change('testIntegrationInstance(id: "%(instance)s", timeoutSeconds: 1)'),
    ("Mutation", "executeIntegrationMethod"): _change(
        'executeIntegrationMethod(input: {id: "%(instance)s", method: "getRepository", '
        'parameters: {owner: "ada", repo: "engine"}})',
        "INTEGRATION_NOT_AUTHENTICATED",
    ),
    ("Mutation", "publishIntegrationDefinition"): _change(
        'publishIntegrationDefinition(id: "%(definition)s")', "INVALID_TRANSITION"
    ),
    ("Mutation", "rotateIntegrationWebhookSecret"): _change(
        'rotateIntegrationWebhookSecret(id: "%(instance)s")', "WEBHOOK_UNSUPPORTED"
    ),
    ("Mutation", "rotateIntegrationWebhookUrl"): _change(
        'rotateIntegrationWebhookUrl(id: "%(instance)s")', "WEBHOOK_UNSUPPORTED"
    ),
    ("Mutation", "setIntegrationCredentials"): _change(
        'setIntegrationCredentials(id: "%(instance)s", credentials: {token: "t"})'
    ),
    ("Mutation", "updateIntegrationDefinition"): _change(
        f'updateIntegrationDefinition(id: "%(definition)s", document: {_DRAFT})', "INVALID_TRANSITION"
    ),
    ("Mutation", "updateIntegrationInstance"): _change(
        'updateIntegrationInstance(input: {id: "%(instance)s", name: "Another"})'
    ),
    ("Mutation", "deleteProject"): _change('deleteProject(id: "%(project)s")'),
    ("Mutation", "disableInstallation"): _change('disableInstallation(id: "%(installation)s")'),
    ("Mutation", "enableInstallation"): _change('enableInstallation(id: "%(installation)s")', "INVALID_TRANSITION"),
    ("Mutation", "endMembership"): _change('endMembership(id: "%(membership)s")'),
    ("Mutation", "importCredential"): _change(
        'importCredential(input: {installation: "%(installation)s", label: "old", digest: "%(digest)s", '
        'scopes: ["people.read"]})'
    ),
    ("Mutation", "importPeople"): _change('importPeople(orcidIds: ["0000-0002-1825-0097"])', lookup=False),
    ("Mutation", "issueCredential"): _change(
        'issueCredential(input: {installation: "%(installation)s", label: "new", scopes: ["people.read"]})'
    ),
    ("Mutation", "registerOrigin"): _change(
        'registerOrigin(input: {installation: "%(installation)s", origin: "https://new.example.org"})'
    ),
    ("Mutation", "removeOrigin"): _change('removeOrigin(id: "%(origin)s")'),
    ("Mutation", "reviewWork"): _change('reviewWork(id: "%(work)s", verified: false)'),
    ("Mutation", "revokeCredential"): _change('revokeCredential(id: "%(credential)s")'),
    ("Mutation", "revokeInstallation"): _change('revokeInstallation(id: "%(installation)s")'),
    ("Mutation", "rotateCredential"): _change('rotateCredential(id: "%(credential)s")'),
    ("Mutation", "setPersonVisibility"): _change('setPersonVisibility(id: "%(person)s", visible: false)'),
    ("Mutation", "setPublicationVisibility"): _change(
        'setPublicationVisibility(id: "%(publication)s", visible: false)'
    ),
    ("Mutation", "setWorkVisibility"): _change('setWorkVisibility(id: "%(work)s", visible: false)'),
    ("Mutation", "syncPerson"): _change('syncPerson(id: "%(person)s")'),
    ("Mutation", "updateInstallation"): _change(
        'updateInstallation(input: {id: "%(installation)s", displayName: "Another name"})'
    ),
    ("Mutation", "updateProject"): _change('updateProject(id: "%(project)s", input: {title: "Another title"})'),
    ("Mutation", "verifyOrigin"): _change('verifyOrigin(id: "%(origin)s")', "ORIGIN_UNVERIFIED"),
}


async def rows(world: World) -> dict[str, str]:
    """One row of each kind, by its global id; a refused request, by its request id."""
    from models.people import Membership, Publication, Work
    from services.inputs import read_input
    from services.integrations.definitions.lifecycle import publish_integration_definition
    from services.integrations.definitions.model import Definition
    from services.integrations.definitions.registry import create_integration_definition
    from services.integrations.instances.registry import NewInstance, create_integration_instance
    from services.integrations.oauth2.redirects import add_integration_redirect
    from services.projects import ProjectFields, create_project

    installation = await world.installation(verified=False)
    origin = await world.origin(installation["id"], f"https://{world.slug}.invalid")
    issued = await world.key(installation["id"], ["works.read"])
    [added] = await world.people(person(1), works=made([publication(1)], [work(1)]))
    project = await create_project(world.context(), ProjectFields(title="The project"))
    refused = await world.get("/people", issued.secret)
    await world.runtime.sealer.seal_all()

    definition = await create_integration_definition(world.context(), read_input(Definition, forge()))
    await publish_integration_definition(world.context(), definition["id"])
    connected = NewInstance(definition=definition["id"], name="The forge", config={"organization": "ada"})
    instance = await create_integration_instance(world.context(), connected)

    await _delivered(world)
    redirect = await add_integration_redirect(world.context(), "https://app.example.org/")

    async def only(table: type) -> str:
        found = await table.of(world.tenant).one(table.id, where=table.tenant == world.tenant)  # type: ignore[attr-defined]
        return str(found["id"])

    local = {
        "installation": ("Installation", str(installation["id"])), "origin": ("Origin", str(origin["id"])),
        "credential": ("Credential", str(issued.credential["id"])), "person": ("Person", str(added.person)),
        "project": ("Project", str(project["id"])), "membership": ("Membership", await only(Membership)),
        "publication": ("Publication", await only(Publication)), "work": ("Work", await only(Work)),
        "definition": ("IntegrationDefinition", str(definition["id"])),
        "instance": ("IntegrationInstance", str(instance["id"])),
        "redirect": ("IntegrationRedirect", str(redirect["id"])),
    }  # fmt: skip
    ids = {name: to_global_id(kind, row) for name, (kind, row) in local.items()}
    return ids | {"request": refused.headers["x-request-id"], "digest": world.tenant.hex * 2}


async def _delivered(world: World) -> None:
    """A webhook that came in at an instance of the tenant."""
    from services.inputs import read_input
    from services.integrations.definitions.lifecycle import publish_integration_definition
    from services.integrations.definitions.model import Definition
    from services.integrations.definitions.registry import create_integration_definition
    from services.integrations.instances.registry import NewInstance, create_integration_instance
    from services.integrations.signing.headers import Headers
    from services.integrations.signing.verifying import sign
    from services.integrations.webhooks.receiving import Arrival, receive_at
    from tests.runtime.webhooks import BODY, STANDARD, receiving

    definition = await create_integration_definition(world.context(), read_input(Definition, receiving()))
    await publish_integration_definition(world.context(), definition["id"])
    row = await create_integration_instance(world.context(), NewInstance(definition=definition["id"], name="The shop"))
    issued, seconds = row["issued"], world.runtime.clock.now_ms() // 1_000
    sent = sign(STANDARD, issued.signing_secret, BODY, id="msg_1", seconds=seconds) | {
        "content-type": "application/json"
    }
    token = issued.url.rpartition("/")[2]
    await receive_at(world.runtime, token, Arrival(Headers(sent.items()), BODY), "req_of_a_sample")
