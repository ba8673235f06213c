"""Servers under measurement: each a process of its own, pinned to the first core or to named ones, gone afterwards."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import msgspec

from bench.load import Job, Measured


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _pinned(command: list[str], cores: str) -> list[str]:
    return ["taskset", "-c", cores, *command] if (os.cpu_count() or 1) > 1 else command


@contextlib.contextmanager
def serving(
    command: list[str], environment: dict[str, str], port: int, path: str, cores: str = "0", says: str = ""
) -> Iterator[int]:
    """The port of the server once `path` answers 200 and its log holds what it `says`; `cores` as for taskset(1)."""
    log = Path(environment.get("DOVETAIL_HOME", "/tmp")) / f"server-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            _pinned(command, cores), env=os.environ | environment, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            _wait(process, port, path, log, says)
            yield port
        finally:
            process.terminate()
            process.wait(20)


def _wait(process: "subprocess.Popen[bytes]", port: int, path: str, log: Path, says: str) -> None:
    for _ in range(750):
        with contextlib.suppress(OSError), urlopen(f"http://127.0.0.1:{port}{path}", timeout=1) as answer:
            if answer.status == 200 and says in log.read_text():
                return
        if process.poll() is not None:
            break
        time.sleep(0.02)
    raise RuntimeError(f"the server did not start:\n{log.read_text()[-2000:]}")


def load(job: Job, cores: str = "1") -> Measured:
    command = _pinned([sys.executable, "-m", "bench.load"], cores)
    done = subprocess.run(command, input=msgspec.json.encode(job), stdout=subprocess.PIPE, check=True)
    return msgspec.json.decode(done.stdout, type=Measured)


def get(path: str, **headers: str) -> str:
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{lines}\r\n"


def post(path: str, body: str, **headers: str) -> str:
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    length = len(body.encode())
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {length}\r\n{lines}\r\n{body}"
    )
