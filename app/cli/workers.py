"""Several worker processes behind one port. They share PostgreSQL and Redis, and nothing else."""

import multiprocessing
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.cli.failures import CommandFailed
from app.cli.ports import bind_port
from app.settings import Settings, load_settings

if TYPE_CHECKING:
    import uvicorn

#: What a worker that stops may take beyond the time of open requests: refreshes that are answered, four writes.
WRITE_OUT_SECONDS = 120.0


def refuse_unshared(settings: Settings, workers: int) -> None:
    """Several workers need a database and a Redis that all reach; raises CommandFailed where one is missing."""
    if workers < 2:
        return
    missing = []
    if settings.database.startswith("sqlite:"):
        missing.append("PostgreSQL (DOVETAIL_DATABASE_URL)")
    if settings.redis_url is None:
        missing.append("Redis (DOVETAIL_REDIS_URL)")
    if missing:
        text = f"{workers} workers need {' and '.join(missing)}. Set what is missing, or serve with one worker."
        raise CommandFailed("workers_unshared", text, workers=workers)


def worker(demo: bytes | None, metrics: Path) -> Any:
    """The application of one worker, by a call in each process. `demo` is the key of the demo's upstream.

    In the folder `metrics` the workers tell each other what they counted.
    """
    from app.cli.server_logs import structure_logs
    from app.logs import configure_logs

    _end_with_parent()
    settings = load_settings()
    configure_logs(settings.log_level)
    structure_logs(settings.log_level)
    return application(settings, demo, metrics)


def application(settings: Settings, demo: bytes | None, metrics: Path | None = None) -> Any:
    """What a server answers with; with the demo's upstream beside it where there is a key for that."""
    from app.memory import settling

    with settling():
        from app.asgi import create_app
        from app.auth.proxies import behind_proxies
        from app.metrics import Metrics

        counted = Metrics(metrics)
        if demo is None:
            return behind_proxies(create_app(settings, counted), settings)
        from services.demo import serving_settings
        from services.demo.upstream import with_upstream

        return with_upstream(behind_proxies(create_app(serving_settings(settings), counted), settings), demo)


def _end_with_parent() -> None:
    """A parent that is killed takes its workers along: they would go on beside those of the next start, on its port."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="parent", daemon=True).start()


class PortOfWorkers(socket.socket):
    """A port that is bound and not listened at; in each process that it is given to, a socket of its own on that port.

    From one queue that all workers accept at, the one that wakes first takes nearly all connections, and they stay.
    Linux spreads connections evenly over the sockets of a port (SO_REUSEPORT, socket(7)).
    """

    def __init__(self, family: int, address: Any) -> None:
        super().__init__(family, socket.SOCK_STREAM)
        self.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bind_port(self, address)

    def __reduce__(self) -> tuple[Any, ...]:
        return _bound_again, (int(self.family), self.getsockname())


def _bound_again(family: int, address: Any) -> PortOfWorkers:
    """In a worker. The parent stops where another took the port before the first worker listened."""
    from uvicorn.config import STARTUP_FAILURE

    try:
        return PortOfWorkers(family, address)
    except OSError as error:
        sys.stderr.write(f"Cannot listen on {address[0]} port {address[1]}: {error.strerror}.\n")
        sys.exit(STARTUP_FAILURE)


def port_of(listener: socket.socket) -> socket.socket:
    """`listener` showed that nobody has the port; only Linux spreads the connections to several."""
    if sys.platform != "linux":
        return listener
    family, address = int(listener.family), listener.getsockname()
    # What goes on to listen here would be given connections that nobody accepts.
    listener.close()
    return PortOfWorkers(family, address)


def end_all(workers: Iterable[BaseProcess], seconds: float) -> None:
    """Wait for workers that were told to end; who has not after so many seconds, all together, is killed."""
    import structlog

    deadline = time.monotonic() + seconds
    for worker in workers:
        worker.join(max(0.0, deadline - time.monotonic()))
        if worker.is_alive():
            structlog.get_logger("dovetail.workers").error("a worker that was told to end is killed", pid=worker.pid)
            worker.kill()
            worker.join()


def run_workers(
    config: "uvicorn.Config", port: socket.socket, settings: Settings, workers: int, announce: Callable[[], None]
) -> None:
    """Run until stopped. Each worker reads the settings anew, so what was given on the command line goes along.

    `announce` is called once, when all of them answer. Raises CommandFailed where they cannot start.
    """
    from uvicorn.config import STARTUP_FAILURE
    from uvicorn.supervisors import Multiprocess

    class Workers(Multiprocess):
        announced = False

        def join_all(self) -> None:
            end_all((one.process for one in self.processes), settings.shutdown_seconds + WRITE_OUT_SECONDS)

        def keep_subprocess_alive(self) -> None:
            super().keep_subprocess_alive()
            if not self.announced and all(process.is_ready() for process in self.processes):
                self.announced = True
                announce()

    os.environ["DOVETAIL_HOST"], os.environ["DOVETAIL_PORT"] = settings.host, str(settings.port)
    config.workers = workers
    with tempfile.TemporaryDirectory(prefix="dovetail-metrics-") as folder:
        one: Any = config.app
        config.app = partial(one, metrics=Path(folder))
        supervisor = Workers(config, sockets=[port])
        supervisor.run()
    if any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes):
        raise CommandFailed("start_failed", "The server could not start; the log above says why.")
