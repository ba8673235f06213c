"""The real nginx with deploy/nginx.conf, without root and on free ports, in front of a real `dovetail serve`."""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from tests.databases import missing
from tests.deploy.authority import Authority, Issued
from tests.endings import stopped

ROOT = Path(__file__).resolve().parents[2]
CONF = ROOT / "deploy" / "nginx.conf"
NOBODY = 65_534
PROGRAM = [sys.executable, "-m", "app.cli"]


class Front(NamedTuple):
    """Where both listen, and who signs."""

    folder: Path
    https: int
    http: int
    app: int
    clients: Authority
    home: Path

    @property
    def url(self) -> str:
        return f"https://localhost:{self.https}"

    def tls(self, issued: Issued | None = None) -> ssl.SSLContext:
        """What a client trusts, and the certificate that it shows."""
        context = ssl.create_default_context(cafile=str(self.folder / "server-ca.crt"))
        if issued is not None:
            context.load_cert_chain(*issued.write(self.folder, f"client-{issued.certificate.serial_number}"))
        return context

    def client(self, issued: Issued | None = None) -> httpx.Client:
        return httpx.Client(verify=self.tls(issued), base_url=self.url, timeout=60, trust_env=False)


def nginx_program() -> str:
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        missing("nginx")
    assert found is not None
    return found


def replaced(text: str, **places: tuple[str, str]) -> str:
    """The configuration with the places that a machine decides put in; each must be there."""
    for before, after in places.values():
        assert text.count(before) == 1, f"deploy/nginx.conf holds {before!r} {text.count(before)} times"
        text = text.replace(before, after)
    return text


def configuration(folder: Path, https: int, http: int, app: int) -> str:
    temporary = "".join(
        f"    {part}_temp_path {folder}/{part};\n" for part in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return replaced(
        CONF.read_text(encoding="utf-8"),
        temporary=("http {\n", f"http {{\n{temporary}"),
        log=("/var/log/nginx/access.log", f"{folder}/access.log"),
        workers=("worker_processes auto;", "worker_processes 2;"),
        https=("listen 443 ssl;", f"listen 127.0.0.1:{https} ssl;"),
        http=("listen 80;", f"listen 127.0.0.1:{http};"),
        app=("server 127.0.0.1:8000;", f"server 127.0.0.1:{app};"),
        certificate=("/etc/nginx/tls/server.crt", f"{folder}/server.crt"),
        key=("/etc/nginx/tls/server.key", f"{folder}/server.key"),
        clients=("/etc/nginx/tls/clients-ca.crt", f"{folder}/clients-ca.crt"),
    )


@contextmanager
def nginx(https: int, http: int, app: int, server: Issued, server_ca: Issued, clients_ca: Issued) -> Iterator[Path]:
    """Run nginx until the block ends; its folder."""
    program, folder = nginx_program(), Path(tempfile.mkdtemp(prefix="dovetail-nginx-"))
    server.write(folder, "server")
    server_ca.write(folder, "server-ca")
    clients_ca.write(folder, "clients-ca")
    (folder / "nginx.conf").write_text(configuration(folder, https, http, app), encoding="utf-8")
    command = [program, "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")]
    command += ["-g", f"daemon off; pid {folder}/nginx.pid;"]
    process = subprocess.Popen(_unprivileged(command, folder), stderr=subprocess.PIPE, text=True, cwd="/")
    try:
        _wait_for(https, process)
        yield folder
    finally:
        stopped(process)
        shutil.rmtree(folder, ignore_errors=True)


def _unprivileged(command: list[str], folder: Path) -> list[str]:
    if os.geteuid() != 0:
        return command
    for path in (folder, *folder.iterdir()):
        os.chown(path, NOBODY, NOBODY)
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *command]


def _wait_for(port: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while True:
        assert process.poll() is None, process.stderr.read() if process.stderr else "it ended"
        assert time.monotonic() < deadline, f"nothing listens on {port}"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)


def environment(home: Path, **settings: str) -> dict[str, str]:
    """The environment of a command: its settings are those that are given, and no others."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DOVETAIL_")}
    given = {f"DOVETAIL_{name.upper()}": value for name, value in settings.items()}
    return kept | {"DOVETAIL_HOME": str(home), "DOVETAIL_ORCID_BASE_URL": "http://127.0.0.1:9"} | given


def dovetail(home: Path, *words: str) -> Any:
    """The JSON document of a command, run in a process of its own."""
    command = [*PROGRAM, *words, "--json"]
    found = subprocess.run(command, env=environment(home), capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)


@contextmanager
def serving(home: Path, port: int, **settings: str) -> Iterator[subprocess.Popen[str]]:
    """`dovetail serve` in a process of its own; what it writes goes into the home folder."""
    command = [*PROGRAM, "serve", "--port", str(port)]
    with (home / "log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(command, env=environment(home, **settings), stdout=log, stderr=log, text=True)
        try:
            wait_until_ready(port, process)
            yield process
        finally:
            stopped(process)


def wait_until_ready(port: int, process: subprocess.Popen[str]) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while True:
        assert process.poll() is None, f"the server ended with {process.returncode}"
        assert time.monotonic() < deadline
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=20) as answer:
                return dict(json.load(answer))
        except OSError:
            time.sleep(0.05)
