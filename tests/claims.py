"""What the processes of one machine share, taken by one of them at a time: port numbers, Redis databases.

A claim is a lock on a file, so it ends with the process that has it, however that ends; several runs of
the suite at once, and the workers of one run, have different ones.
"""

import fcntl
import os
import random
import socket
import tempfile
from collections.abc import Iterable
from pathlib import Path

#: Below what the system hands out for connections (32768 upwards by default), which could take one meanwhile.
_PORTS = range(20_000, 32_000)
_FOLDER = Path(tempfile.gettempdir()) / f"dovetail-test-claims-{os.getuid()}"
#: Not the one that a test may seed.
_RANDOM = random.SystemRandom()
_held: list[int] = []


def claim(kind: str, numbers: Iterable[int]) -> int | None:
    """The first of the numbers that no process has; it is this one's until it ends. None where all are taken."""
    _FOLDER.mkdir(exist_ok=True)
    for number in numbers:
        file = os.open(_FOLDER / f"{kind}-{number}", os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            continue
        _held.append(file)
        return number
    return None


def free_port() -> int:
    """A port of 127.0.0.1 on which nobody listens, and that no other test is given."""
    for _ in range(100):
        port = claim("port", _RANDOM.sample(_PORTS, 50))
        with socket.socket() as found:
            # As servers do: what an earlier one left behind in TIME_WAIT is no hindrance.
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                found.bind(("127.0.0.1", port or 0))
            except OSError:
                continue
            return int(found.getsockname()[1])
    raise OSError("no port is free for a test")
