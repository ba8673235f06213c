"""deploy/dovetail.service: systemd takes it as it stands, and finds little that the service may do."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app.settings import Settings
from tests.databases import missing
from tests.deploy.front import ROOT

UNIT = ROOT / "deploy" / "dovetail.service"
TEXT = UNIT.read_text(encoding="utf-8")


@pytest.fixture
def analyze() -> str:
    found = shutil.which("systemd-analyze")
    if found is None:
        missing("systemd-analyze")
    assert found is not None
    return found


def values(key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", TEXT, re.MULTILINE)


def test_systemd_takes_it(analyze: str, tmp_path: Path) -> None:
    """Every key and every value is known; the program is the one of this environment."""
    unit = tmp_path / "dovetail.service"
    program = Path(sys.executable).parent / "dovetail"
    unit.write_text(TEXT.replace("/opt/dovetail/bin/dovetail", str(program)), encoding="utf-8")
    found = subprocess.run([analyze, "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False)
    said = [line for line in found.stderr.splitlines() if "dovetail" in line]
    assert (found.returncode, said) == (0, [])


def test_it_may_do_little(analyze: str) -> None:
    """systemd's own measure, from 0 (nothing) to 10; below 2 it calls a service well protected."""
    command = [analyze, "security", "--offline=true", "--threshold=20", str(UNIT)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout[-300:]


def test_a_stop_waits_for_the_server() -> None:
    """What is held in memory is written out before systemd loses patience."""
    assert int(values("TimeoutStopSec")[0]) > Settings().shutdown_seconds
    assert values("KillSignal") == ["SIGTERM"]


def test_its_state_is_where_it_may_write() -> None:
    """ProtectSystem=strict leaves the state folder alone, and that is the home folder."""
    (state,) = values("StateDirectory")
    assert f"DOVETAIL_HOME=/var/lib/{state}" in values("Environment")
    assert values("ProtectSystem") == ["strict"]
    assert values("NoNewPrivileges") == ["yes"]
    assert values("User") == ["dovetail"]
    assert values("ExecStartPre") == ["/opt/dovetail/bin/dovetail migrate"]
    assert values("ExecStart") == ["/opt/dovetail/bin/dovetail serve"]
