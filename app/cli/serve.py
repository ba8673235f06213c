"""`dovetail serve`: the server, in one process or in several."""

import os
import secrets
import socket
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import rich_click as click

from app.cli.failures import CommandFailed
from app.cli.options import json_option
from app.cli.output import print_json, wants_json
from app.cli.ports import bind_port
from app.settings import Settings, load_settings

if TYPE_CHECKING:
    import uvicorn

BACKLOG = 2_048
PENDING = 3


@click.command()
@click.option("--host", help="Address to listen on; default the setting DOVETAIL_HOST.")
@click.option("--port", type=click.IntRange(1, 65_535), help="Port to listen on; default the setting DOVETAIL_PORT.")
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    help="Worker processes; more than one needs PostgreSQL and Redis.",
)
@click.option("--demo", is_flag=True, help="Migrate and make the demo first, and print its key and token.")
@json_option
def serve(host: str | None, port: int | None, workers: int, demo: bool) -> None:
    """Serve REST and GraphQL until it is stopped (Ctrl-C, SIGTERM)."""
    from app.cli.serving_alone import serving_alone
    from app.cli.workers import refuse_unshared

    settings = load_settings(host=host, port=port)
    refuse_unshared(settings, workers)
    with serving_alone(settings):
        listener = listen(settings.host, settings.port, at_once=workers == 1)
        told: dict[str, Any] = {"url": settings.url, "pid": os.getpid()}
        if demo:
            told |= {"demo": _make_demo(settings)}
        else:
            _refuse_pending(settings)
        if workers > 1:
            _run_many(settings, listener, told, workers, demo=demo)
        else:
            _run(settings, listener, told, demo=demo)


def _make_demo(settings: Settings) -> dict[str, str]:
    from app.cli.demo import demo_text, run_demo

    members = run_demo(settings)
    if not wants_json():
        click.echo(demo_text(members))
    return members


def _refuse_pending(settings: Settings) -> None:
    from app.cli.migrate import waiting_migrations
    from app.cli.sessions import not_migrated

    waiting = waiting_migrations(settings)
    if waiting:
        raise not_migrated(waiting, exit_code=PENDING)


def listen(host: str, port: int, *, at_once: bool = True) -> socket.socket:
    """A bound socket, before anything slow is done; a port that is taken is told as such.

    Whoever connects from now on waits for the start, but not to workers, which have sockets of their own (`port_of`):
    this one is closed, and what it had taken would be cut off.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        if at_once or sys.platform != "linux":
            return socket.create_server((host, port), family=family, backlog=BACKLOG)
        return _bound(family, (host, port))
    except OSError as error:
        raise _cannot_listen(host, port, error) from error


def _bound(family: socket.AddressFamily, address: tuple[str, int]) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        bind_port(made, address)
    except OSError:
        made.close()
        raise
    return made


def _cannot_listen(host: str, port: int, error: OSError) -> CommandFailed:
    reason = error.strerror or str(error)
    text = f"Cannot listen on {host} port {port}: {reason}. Choose others with --host and --port."
    return CommandFailed("cannot_listen", text, host=host, port=port)


def configured(settings: Settings, *, workers: int = 1, demo: bool = False) -> "uvicorn.Config":
    """The server's configuration. Requests are logged by the application, with their ids."""
    import uvicorn

    from app.cli.connections import HttpConnection, SocketConnection
    from app.cli.workers import application, worker

    key = secrets.token_bytes(32) if demo else None
    return uvicorn.Config(
        application(settings, key) if workers == 1 else partial(worker, key),
        factory=workers > 1,
        loop="app.cli.serving_loop:ServingLoop",
        http=HttpConnection,
        ws=SocketConnection,
        ws_max_size=settings.max_body_bytes,
        lifespan="on",
        log_config=None,
        log_level=settings.log_level,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # done by behind_proxies, once the peer has been looked at
        timeout_graceful_shutdown=settings.shutdown_seconds,
    )


def _run_many(settings: Settings, listener: socket.socket, told: dict[str, Any], workers: int, *, demo: bool) -> None:
    from app.cli.server_logs import structure_logs
    from app.cli.workers import port_of, run_workers
    from app.logs import configure_logs

    configure_logs(settings.log_level)
    structure_logs(settings.log_level)
    try:
        port = port_of(listener)
    except OSError as error:
        raise _cannot_listen(settings.host, settings.port, error) from error
    config = configured(settings, workers=workers, demo=demo)
    run_workers(config, port, settings, workers, partial(_announce, settings, told | {"workers": workers}))


def _run(settings: Settings, listener: socket.socket, told: dict[str, Any], *, demo: bool) -> None:
    import uvicorn

    from app.cli.server_logs import structure_logs
    from app.logs import configure_logs

    class Server(uvicorn.Server):
        """Says where it listens once it does."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started and not self.should_exit:
                _announce(settings, told)

    server = Server(configured(settings, demo=demo))
    configure_logs(settings.log_level)
    structure_logs(settings.log_level)
    try:
        server.run(sockets=[listener])
    except KeyboardInterrupt:
        # Ctrl-C, given again by uvicorn once everything has stopped.
        return
    if not server.started:
        raise CommandFailed("start_failed", "The server could not start; the log above says why.")


def _announce(settings: Settings, told: dict[str, Any]) -> None:
    if wants_json():
        print_json(told)
        return
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    click.echo(f"Dovetail listens on http://{host}:{settings.port} (process {told['pid']}); Ctrl-C stops it.", err=True)
