"""Every saved operation of this repository, opened in the console of the real server and run."""

import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Page, Response, expect

from services.demo.proof_site import proof_site
from services.integrations.definitions.webhooks import Signature
from services.integrations.signing.verifying import sign

from .acting import Picture, answer, fill_variables, open_saved, result, run, signed_in, stop
from .conftest import Seen
from .server import Console

pytestmark = pytest.mark.browser
FOLDER = Path(__file__).parents[2] / "graphql" / "operations"
FILES = sorted(FOLDER.glob("*.graphql"))

CREATE = """mutation ($input: CreateInstallationInput!) {
  createInstallation(input: $input) { installation { id } errors { message } } }"""
REGISTER = """mutation ($input: RegisterOriginInput!) {
  registerOrigin(input: $input) { origin { id challenge { value } } errors { message } } }"""
ISSUE = """mutation ($input: IssueCredentialInput!) {
  issueCredential(input: $input) { credential { id } errors { message } } }"""


MOVE = "mutation ($id: ID!) { rotateIntegrationWebhookUrl(id: $id) { url } }"
TURN = "mutation ($id: ID!) { rotateIntegrationWebhookSecret(id: $id) { signingSecret } }"
EXECUTE = """mutation ($input: ExecuteIntegrationMethodInput!) {
  executeIntegrationMethod(input: $input) { result errors { message } } }"""


def title_of(file: Path) -> str:
    return file.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")


def saved(name: str) -> tuple[str, str]:
    """Title and name, as `open_saved` takes them."""
    return title_of(FOLDER / f"{name}.graphql"), name


def variables_of(name: str) -> Any:
    """The variables that an operation is saved with."""
    lines = (FOLDER / f"{name}.graphql").read_text(encoding="utf-8").splitlines()
    return json.loads(next(line for line in lines if line.startswith("# variables: ")).removeprefix("# variables: "))


# --- what an operation about something that is there needs: each gets things of its own -----------------------


async def an_installation(console: Console) -> str:
    made = await console.graphql(CREATE, input={"displayName": "A site for a test"})
    return str(made["createInstallation"]["installation"]["id"])


async def an_origin(console: Console, name: str, installation: str | None = None) -> Any:
    asked = {
        "installation": installation or await an_installation(console),
        "origin": name,
        "method": "WELL_KNOWN_FILE",
    }
    return (await console.graphql(REGISTER, input=asked))["registerOrigin"]["origin"]


async def an_active_installation(console: Console) -> str:
    """Its origin is proved at a site of one file on this machine."""
    installation = await an_installation(console)
    async with proof_site() as site:
        origin = await an_origin(console, site.origin, installation)
        site.token = origin["challenge"]["value"]
        verify = "mutation ($id: ID!) { verifyOrigin(id: $id) { errors { message } } }"
        assert (await console.graphql(verify, id=origin["id"]))["verifyOrigin"]["errors"] == []
    return installation


async def a_credential(console: Console) -> str:
    asked = {"installation": await an_active_installation(console), "label": "Main", "scopes": ["people.read"]}
    return str((await console.graphql(ISSUE, input=asked))["issueCredential"]["credential"]["id"])


async def _disabled(console: Console) -> dict[str, Any]:
    installation = await an_active_installation(console)
    disable = "mutation ($id: ID!) { disableInstallation(id: $id) { errors { message } } }"
    await console.graphql(disable, id=installation)
    return {"id": installation}


async def _refused(console: Console) -> dict[str, Any]:
    """The request id of a refusal: the demo's key from an origin that is not its own."""
    answered = await console.get("/integrations/v1/people", console.api_key, "https://elsewhere.example")
    assert answered.status_code == 403
    return {"requestId": answered.headers["x-request-id"]}


async def _to_issue(console: Console) -> dict[str, Any]:
    installation = await an_active_installation(console)
    return {"input": {"installation": installation, "label": "Main", "scopes": ["people.read"]}}


async def _to_register(console: Console) -> dict[str, Any]:
    installation = await an_installation(console)
    return {"input": {"installation": installation, "origin": "https://new.example.org", "method": "WELL_KNOWN_FILE"}}


async def _to_rotate(console: Console) -> dict[str, Any]:
    return {"id": await a_credential(console), "graceSeconds": 86_400}


async def _to_revoke(console: Console) -> dict[str, Any]:
    return {"id": await a_credential(console)}


async def _to_disable(console: Console) -> dict[str, Any]:
    return {"id": await an_active_installation(console)}


#: Variables for the operations that change a row, or name a request, so that each has one of its own and may run
#: again; the others run as they are saved.
FILLED: dict[str, Callable[[Console], Awaitable[dict[str, Any]]]] = {
    "DisableInstallation": _to_disable,
    "EnableInstallation": _disabled,
    "ExplainDecision": _refused,
    "IssueCredential": _to_issue,
    "RegisterOrigin": _to_register,
    "RevokeCredential": _to_revoke,
    "RotateCredential": _to_rotate,
}
#: These have a test of their own below.
APART = {"VerifyOrigin", "WatchAudit", "WatchIntegrationDeliveries", "WatchIntegrationExecutions"}


def check(told: Any) -> Any:
    """The data of the one root field: there is no error in it, whichever way one may be told."""
    assert "errors" not in told, told
    (data,) = told["data"].values()
    assert data is not None, told
    assert not (isinstance(data, dict) and data.get("errors")), told
    return data


@pytest.mark.parametrize("file", [file for file in FILES if file.stem not in APART], ids=lambda file: file.stem)
async def test_a_saved_operation_runs(page: Page, console: Console, picture: Picture, file: Path) -> None:
    """It opens by its title, under its name, and answers without any error on the demo's data."""
    variables = await FILLED[file.stem](console) if file.stem in FILLED else None
    await signed_in(page, console.token)
    await open_saved(page, title_of(file), file.stem)
    if variables is not None:
        await fill_variables(page, variables)
    await run(page)
    check(await answer(page))
    await picture(file.stem)


async def test_every_file_is_offered(page: Page, console: Console) -> None:
    """The panel shows each file of the folder once, by its first line."""
    buttons = page.locator(".saved li button")
    await expect(buttons).to_have_count(len(FILES))
    offered = await buttons.all_text_contents()
    assert sorted(offered) == sorted(title_of(file) for file in FILES)
    assert set(FILLED) | APART <= {file.stem for file in FILES}


async def test_an_origin_is_verified_from_the_console(page: Page, console: Console, picture: Picture) -> None:
    """Without its proof the answer says what was expected and seen; with it the origin is verified."""
    async with proof_site() as site:
        origin = await an_origin(console, site.origin)
        await signed_in(page, console.token)
        await open_saved(page, *saved("VerifyOrigin"))
        await fill_variables(page, {"id": origin["id"]})
        await run(page)
        await expect(result(page)).to_contain_text("origin_unverified")
        await picture("VerifyOrigin-missed")
        site.token = origin["challenge"]["value"]
        await run(page)
        await expect(result(page)).to_contain_text("VERIFIED")
        assert check(await answer(page))["origin"]["verificationStatus"] == "VERIFIED"


async def test_the_history_is_watched(page: Page, console: Console, seen: Seen, picture: Picture) -> None:
    """What is there comes at once, what another program changes comes as it happens, and stop ends it at once."""
    await signed_in(page, console.token)
    await open_saved(page, *saved("WatchAudit"))
    await run(page)
    await expect(result(page)).to_contain_text('"event"')
    assert seen.tokens[-1] == f"Bearer {console.token}"
    create = "mutation ($input: ProjectInput!) { createProject(input: $input) { errors { message } } }"
    for title in ("Seen while watching", "Seen after that"):
        await console.graphql(create, input={"title": title, "startDate": "2026-01-01", "status": "PLANNED"})
        await expect(result(page)).to_contain_text(title)
    assert check(await answer(page))["event"]["action"] == "project.created"
    await picture("WatchAudit")
    await stop(page)
    await console.graphql(create, input={"title": "Not seen", "startDate": "2026-01-01", "status": "PLANNED"})
    await page.wait_for_timeout(500)
    await expect(result(page)).to_contain_text("Seen after that")


def is_stream(response: Response) -> bool:
    return response.headers.get("content-type", "").startswith("text/event-stream")


async def test_executions_are_watched(page: Page, console: Console, picture: Picture) -> None:
    """Nothing is told of the time before; what another program executes is told as it ends."""
    asked = variables_of("ExecuteIntegrationMethod")["input"]
    missing = asked | {"parameters": {"path": "farewells"}}
    await console.graphql(EXECUTE, input=asked)
    await signed_in(page, console.token)
    await open_saved(page, *saved("WatchIntegrationExecutions"))
    async with page.expect_response(is_stream):
        await run(page)
    await page.wait_for_timeout(500)
    await expect(result(page)).not_to_contain_text("{")
    assert (await console.graphql(EXECUTE, input=asked))["executeIntegrationMethod"]["errors"] == []
    await expect(result(page)).to_contain_text('"statusCode": 200')
    event = check(await answer(page))["event"]
    assert (event["method"], event["outcome"], event["code"]) == ("get", "SUCCESS", None)
    await picture("WatchIntegrationExecutions")
    assert (await console.graphql(EXECUTE, input=missing))["executeIntegrationMethod"]["errors"] != []
    await expect(result(page)).to_contain_text('"statusCode": 404')
    await stop(page)


async def test_webhooks_are_watched(page: Page, console: Console, picture: Picture) -> None:
    """One that a sender signs is shown while the stream is open, with what it says."""
    instance = variables_of("RotateIntegrationWebhookSecret")["id"]
    url = (await console.graphql(MOVE, id=instance))["rotateIntegrationWebhookUrl"]["url"]
    secret = (await console.graphql(TURN, id=instance))["rotateIntegrationWebhookSecret"]["signingSecret"]
    await signed_in(page, console.token)
    await open_saved(page, *saved("WatchIntegrationDeliveries"))
    async with page.expect_response(is_stream):
        await run(page)
    await page.wait_for_timeout(500)
    await expect(result(page)).not_to_contain_text("{")
    body = b'{"type":"order.paid","data":{"id":7}}'
    sent = sign(Signature(scheme="standard"), secret, body, id="msg_watched", seconds=int(time.time()))
    async with httpx.AsyncClient(timeout=60) as client:
        answered = await client.post(url, content=body, headers=sent | {"Content-Type": "application/json"})
    assert answered.json()["status"] == "ACCEPTED"
    await expect(result(page)).to_contain_text('"msg_watched"')
    assert check(await answer(page))["event"]["delivery"]["payload"]["data"] == {"id": 7}
    await picture("WatchIntegrationDeliveries")
    await stop(page)


async def test_a_mistake_is_shown_where_it_is(page: Page, console: Console, picture: Picture) -> None:
    """An operation run with what is no id says which variable is wrong."""
    wrong = variables_of("IssueCredential")
    wrong["input"]["installation"] = "an id from the list of installations"
    await signed_in(page, console.token)
    await open_saved(page, *saved("IssueCredential"))
    await fill_variables(page, wrong)
    await run(page)
    told = await answer(page)
    assert told["data"]["issueCredential"]["errors"][0]["path"] == ["installation"]
    await picture("mistake")
