"""The Dockerfile and the compose file: what they must say, and the commands that can be run without a container."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.settings import load_settings
from tests.claims import free_port
from tests.databases import missing
from tests.deploy.dockerfile import DOCKERFILE, exec_form, instructions, last, stages
from tests.deploy.front import ROOT
from tests.endings import stopped

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
FINAL = stages()[-1]


# --- the Dockerfile ----------------------------------------------------------------------------------


def test_the_last_stage_is_small_and_not_root() -> None:
    """No compiler, no package manager of the system, a number for the user that Kubernetes can check."""
    assert len(stages()) == 2
    assert last(FINAL, "USER") == "10001:10001"
    runs = " ".join(one.text for one in FINAL if one.name == "RUN")
    assert not any(word in runs for word in ("apt", "pip", "curl", "wget", "chmod 777"))
    assert [one.name for one in FINAL].index("USER") > [one.name for one in FINAL].index("RUN")


def test_commands_are_in_exec_form() -> None:
    """A shell between would keep SIGTERM for itself, and the server would be killed with what it holds."""
    assert exec_form(last(FINAL, "ENTRYPOINT")) == ["dovetail"]
    assert exec_form(last(FINAL, "CMD")) == ["serve"]
    assert exec_form(last(FINAL, "HEALTHCHECK").partition("CMD ")[2])
    assert exec_form(last(FINAL, "VOLUME")) == ["/var/lib/dovetail"]


def test_all_that_is_installed_has_a_hash() -> None:
    """Each pip line takes hashes, or takes nothing but what was built here."""
    pip = [one.text for stage in stages() for one in stage if one.name == "RUN" and one.text.startswith("pip ")]
    assert len(pip) == 4
    assert all("--require-hashes" in line or "--no-deps" in line for line in pip)


def test_instructions_are_known() -> None:
    """A mistyped instruction would be found only where there is a container engine."""
    known = {"ARG", "FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK"}
    found = instructions(DOCKERFILE.read_text(encoding="utf-8"))
    assert {one.name for one in found} <= known | {"ENTRYPOINT", "CMD"}
    images = [one.text for one in found if one.name == "FROM"]
    assert all(":" in image and ":latest" not in image for image in images)


def test_the_build_gets_no_state() -> None:
    """The home folder, keys and the history of git are no part of any layer."""
    rules = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    kept = [rule for rule in rules if rule.startswith("!")]
    assert next(rule for rule in rules if not rule.startswith("#")) == "*"
    assert not any(word in rule for rule in kept for word in ("var", ".git", "secrets", "tests", "keys"))
    assert all((ROOT / rule.removeprefix("!")).exists() for rule in kept)


# --- the compose file --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_hardened(name: str) -> None:
    """A read-only file system, no capability that is not named, and no new privileges."""
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.get("privileged")
    assert "healthcheck" in service or service["restart"] == "no"
    assert ":latest" not in service["image"]


def test_who_waits_for_whom() -> None:
    """The server starts once the database answers and is migrated, nginx once the server is ready."""
    waits = {name: service.get("depends_on", {}) for name, service in SERVICES.items()}
    assert waits["migrate"] == {"postgres": {"condition": "service_healthy"}}
    assert waits["dovetail"]["migrate"] == {"condition": "service_completed_successfully"}
    assert waits["dovetail"]["redis"] == {"condition": "service_healthy"}
    # Its network is the server's, so it starts anew with it.
    assert waits["nginx"]["dovetail"] == {"condition": "service_healthy", "restart": True}


def test_only_the_proxy_is_reached() -> None:
    """Neither the database nor Redis nor the server itself has a port outside."""
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"dovetail"}
    assert SERVICES["dovetail"]["ports"] == ["80:80", "443:443"]
    assert SERVICES["dovetail"]["environment"]["DOVETAIL_HOST"] == "127.0.0.1"
    assert SERVICES["nginx"]["network_mode"] == "service:dovetail"
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert SERVICES["postgres"]["networks"] == SERVICES["redis"]["networks"] == ["inside"]


def test_secrets_are_files() -> None:
    """No password stands in an environment, where `docker inspect` shows it."""
    used = {
        secret if isinstance(secret, str) else secret["source"]
        for s in SERVICES.values()
        for secret in s.get("secrets", [])
    }
    assert used == set(COMPOSE["secrets"])
    for service in SERVICES.values():
        for variable in service.get("environment", {}):
            assert "PASSWORD" not in variable or variable.endswith("_FILE")
            assert variable not in ("DOVETAIL_DATABASE_URL", "DOVETAIL_REDIS_URL", "DOVETAIL_PEPPER")


def test_the_environment_is_settings(tmp_path: Path) -> None:
    """What compose and the image set are settings of this version, with values that it takes."""
    image = dict(word.split("=", 1) for word in last(FINAL, "ENV").split())
    given = {k: v for k, v in (image | SERVICES["dovetail"]["environment"]).items() if k.startswith("DOVETAIL_")}
    found = load_settings(given | {"DOVETAIL_HOME": str(tmp_path)})
    assert (found.host, found.trusted_proxies) == ("127.0.0.1", ("127.0.0.1",))
    assert SERVICES["migrate"]["environment"] == SERVICES["dovetail"]["environment"]
    assert int(SERVICES["dovetail"]["stop_grace_period"].rstrip("s")) > found.shutdown_seconds


def test_health_checks_agree() -> None:
    """The compose file repeats the image's check; a change of one is a change of both."""
    assert SERVICES["dovetail"]["healthcheck"]["test"][1:] == exec_form(last(FINAL, "HEALTHCHECK").partition("CMD ")[2])


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[int]:
    """Redis with the command of the compose file."""
    program, port = shutil.which("redis-server"), free_port()
    if program is None:
        missing("Redis")
    conf = tmp_path / "redis.conf"
    conf.write_text(f"port {port}\nbind 127.0.0.1\nrequirepass a-secret\n", encoding="utf-8")
    places = {"/run/secrets/redis.conf": str(conf), "/tmp": str(tmp_path)}
    command = [places.get(word, word) for word in SERVICES["redis"]["command"]]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield port
    finally:
        stopped(process)


def test_redis_starts_and_is_found_healthy(redis: int) -> None:
    """Also without the password: that it answers is what is asked."""
    kind, check = SERVICES["redis"]["healthcheck"]["test"]
    assert kind == "CMD-SHELL"
    here = check.replace("redis-cli", f"redis-cli -p {redis}")
    deadline = time.monotonic() + 60
    while subprocess.run(["sh", "-c", here], check=False).returncode != 0:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    nobody = check.replace("redis-cli", f"redis-cli -p {free_port()}")
    assert subprocess.run(["sh", "-c", nobody], check=False).returncode != 0


def test_the_health_check_of_postgresql_is_a_command() -> None:
    program = shutil.which("pg_isready")
    if program is None:
        missing("pg_isready")
    words = [*SERVICES["postgres"]["healthcheck"]["test"][1:], "--host=127.0.0.1", f"--port={free_port()}"]
    # 2: nobody answers. 3 would mean that the words are not understood.
    assert subprocess.run(words, check=False).returncode == 2
