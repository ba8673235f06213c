"""What the Dockerfile builds works: from the wheel alone, without root, with nothing to write but its home."""

import json
import signal
import subprocess
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.claims import free_port
from tests.deploy.built import Built, built
from tests.deploy.dockerfile import exec_form, last, stages
from tests.deploy.front import ROOT, wait_until_ready
from tests.endings import killed

FINAL = stages()[-1]


@pytest.fixture(scope="module")
def image() -> Iterator[Built]:
    with built() as made:
        yield made


@contextmanager
def started(image: Built, port: int, *words: str) -> Iterator[subprocess.Popen[str]]:
    """ENTRYPOINT and CMD of the image."""
    command = [*exec_form(last(FINAL, "ENTRYPOINT")), *(words or exec_form(last(FINAL, "CMD")))]
    given = image.environment(host="0.0.0.0", port=str(port), orcid_base_url="http://127.0.0.1:9")
    process = subprocess.Popen(image.confined(*command), env=given, cwd=image.home, text=True, stderr=subprocess.PIPE)
    try:
        wait_until_ready(port, process)
        yield process
    finally:
        killed(process)


def test_the_wheel_holds_what_it_reads(image: Built) -> None:
    """Each file that a module reads beside itself is in the wheel, as git has it or as the build made it."""
    with zipfile.ZipFile(image.wheel()) as wheel:
        names = set(wheel.namelist())
    data = {f"graph/operations/{path.name}" for path in (ROOT / "graphql" / "operations").glob("*.graphql")}
    data |= {f"rest/contracts/snapshots/{path.name}" for path in (ROOT / "rest/contracts/snapshots").iterdir()}
    data |= {f"app/console/graphiql/{path.name}" for path in (ROOT / "console" / "graphiql").iterdir()}
    data |= {f"migrations/{path.name}" for path in (ROOT / "migrations").glob("*.py")}
    built_in = "services/integrations/connectors/data"
    data |= {f"{built_in}/{path.name}" for path in (ROOT / "connectors").glob("*.yaml")}
    data |= {"piccolo_conf.py", "services/demo/people.ndjson", "app/console/assets/graphiql.min.js"}
    assert data <= names
    tops = {name.partition("/")[0] for name in names if ".dist-info" not in name}
    assert tops == {"app", "graph", "migrations", "models", "piccolo_conf.py", "rest", "services"}


def test_only_locked_packages_are_installed(image: Built) -> None:
    """And nothing that downloads more: the environment has no pip."""
    metadata = [path.name.split("-")[0].lower() for path in image.opt.glob("lib/python3*/site-packages/*.dist-info")]
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    locked = {line.partition("==")[0].replace("-", "_").replace(".", "_").lower() for line in lines if "==" in line}
    assert {name.replace(".", "_") for name in metadata} - locked == {"dovetail"}


def test_the_image_serves(image: Built) -> None:
    """Migrate, serve, health check, console, saved operations and contract; SIGTERM ends it well."""
    port = free_port()
    check = exec_form(last(FINAL, "HEALTHCHECK").partition("CMD ")[2])
    check = [image.placed(word) for word in check]
    down = image.run(*check, host="0.0.0.0", port=str(port))
    assert (down.returncode, "refused" in down.stderr) == (1, True), down.stderr
    assert image.run("dovetail", "serve", port=str(port)).returncode == 3
    migrated = image.run("dovetail", "migrate")
    assert migrated.returncode == 0, migrated.stderr
    with started(image, port) as process:
        healthy = image.run(*check, host="0.0.0.0", port=str(port))
        assert (healthy.returncode, healthy.stderr) == (0, "")
        page = _get(port, "/graphql", Accept="text/html")
        assert "/console/assets/graphiql.min.js?v=" in page
        assert len(json.loads(_get(port, "/graphql/operations.json"))) > 10
        snapshot = (ROOT / "rest/contracts/snapshots/integrations-v1.json").read_text(encoding="utf-8")
        assert json.loads(_get(port, "/integrations/v1/openapi.json")) == json.loads(snapshot)
        process.send_signal(signal.SIGTERM)
        # It gives the signal to itself again once all is written out, so that a supervisor sees why it ended.
        assert process.wait(60) in (0, -signal.SIGTERM)
        assert "Traceback" not in (process.stderr.read() if process.stderr else "")


def test_the_demo_and_commands_work_from_the_wheel(image: Built) -> None:
    """The demo reads its people, and a uid without a name in /etc/passwd may issue tokens."""
    demo = image.run("dovetail", "demo", "--json")
    assert demo.returncode == 0, demo.stderr
    assert json.loads(demo.stdout)["api_key"].startswith("dvt_live_")
    for words in (["token", "issue", "--role", "viewer"], ["audit", "verify"], ["schema"], ["openapi"], ["settings"]):
        found = image.run("dovetail", *words)
        assert found.returncode == 0, f"{words}: {found.stderr}"


def test_it_starts_quickly(image: Built) -> None:
    """The bar is 1.5 s and 120 MB; here with room for a busy machine."""
    assert image.run("dovetail", "migrate").returncode == 0
    port, started_at = free_port(), time.monotonic()
    with started(image, port) as process:
        seconds = time.monotonic() - started_at
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
        kilobytes = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    assert seconds < 10, f"ready after {seconds:.2f} s"
    assert kilobytes < 200 * 1_024, f"{kilobytes} kB resident"


def _get(port: int, path: str, **headers: str) -> str:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return str(answer.read().decode())
