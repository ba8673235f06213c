"""Several worker processes behind one socket. They share PostgreSQL and Redis, and nothing else."""

import os
import socket
from typing import TYPE_CHECKING, Any

from app.cli.failures import CommandFailed
from app.settings import Settings, load_settings

if TYPE_CHECKING:
    import uvicorn


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
        text = f"{workers} workers need {' and '.join(missing)}. Set it, or serve with one worker."
        raise CommandFailed("workers_unshared", text, workers=workers)


def worker() -> Any:
    """The application of one worker: a factory that uvicorn calls in each process."""
    from app.asgi import create_app
    from app.auth.proxies import behind_proxies
    from app.cli.server_logs import structure_logs
    from app.logs import configure_logs
    from app.memory import settle

    settings = load_settings()
    configure_logs(settings.log_level)
    structure_logs(settings.log_level)
    made = behind_proxies(create_app(settings), settings)
    settle()
    return made


def run_workers(config: "uvicorn.Config", listener: socket.socket, settings: Settings, workers: int) -> None:
    """Run until stopped. Each worker reads the settings anew, so what was given on the command line goes along."""
    from uvicorn.supervisors import Multiprocess

    os.environ["DOVETAIL_HOST"], os.environ["DOVETAIL_PORT"] = settings.host, str(settings.port)
    config.workers = workers
    Multiprocess(config, sockets=[listener]).run()
