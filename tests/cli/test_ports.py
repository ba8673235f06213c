"""The port of several workers: bound by the parent, listened at by each worker on a socket of its own."""

from __future__ import annotations

import pickle
import socket
import sys

import pytest

from app.cli.failures import CommandFailed
from app.cli.serve import listen
from app.cli.workers import port_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other kernels do not spread connections")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_each_worker_has_a_socket_of_its_own(host: str) -> None:
    """What a worker is given is another socket on the same port; the parent's takes no connection."""
    with port_of(listen(host, 0, at_once=False)) as held:
        address = held.getsockname()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address[:2])
        workers = [pickle.loads(pickle.dumps(held)) for _ in range(2)]
        assert [worker.getsockname() for worker in workers] == [address] * 2
        assert len({worker.fileno() for worker in (*workers, held)}) == 3
        for worker in workers:
            worker.listen()
            worker.settimeout(0)
        with pytest.raises(CommandFailed, match="in use"):
            listen(host, address[1], at_once=False)
        clients = [socket.create_connection(address[:2]) for _ in range(40)]
        accepted = [_accepted(worker) for worker in workers]
        for client in clients:
            client.close()
        for worker in workers:
            worker.close()
    assert sum(accepted) == 40
    assert min(accepted) >= 5, "fewer than that of 40 come to one of two once in a million times"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_nobody_is_taken_before_there_are_workers(host: str) -> None:
    """Who connects while they start is refused, and may go elsewhere; a taken connection would be cut off."""
    with listen(host, 0, at_once=False) as probe:
        address = probe.getsockname()[:2]
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address)
    with listen(host, 0) as other, pytest.raises(CommandFailed, match="in use"):
        listen(host, other.getsockname()[1], at_once=False)


def test_a_port_that_another_took_stops_the_worker(capsys: pytest.CaptureFixture[str]) -> None:
    """With the exit code that tells the parent that every other worker would fail alike."""
    with port_of(listen("127.0.0.1", 0)) as bound:
        given = pickle.dumps(bound)
        with listen("127.0.0.1", bound.getsockname()[1]), pytest.raises(SystemExit, match="3"):
            pickle.loads(given)
        assert f"port {bound.getsockname()[1]}: Address already in use" in capsys.readouterr().err


def _accepted(worker: socket.socket) -> int:
    count = 0
    while True:
        try:
            worker.accept()[0].close()
        except BlockingIOError:
            return count
        count += 1
