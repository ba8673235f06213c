"""`dovetail serve`: the server, in one process."""

import os
import socket
from typing import TYPE_CHECKING

import rich_click as click

from app.cli.failures import CommandFailed
from app.cli.options import json_option
from app.cli.output import emit, wants_json
from app.settings import Settings, load_settings

if TYPE_CHECKING:
    import uvicorn

BACKLOG = 2_048
PENDING = 3


@click.command()
@click.option("--host", help="Address to listen on; default the setting DOVETAIL_HOST.")
@click.option("--port", type=click.IntRange(1, 65_535), help="Port to listen on; default the setting DOVETAIL_PORT.")
@click.option("--demo", is_flag=True, help="Migrate and make the demo first, and print its key and token.")
@json_option
def serve(host: str | None, port: int | None, demo: bool) -> None:
    """Serve REST and GraphQL until it is stopped (Ctrl-C, SIGTERM)."""
    from app.cli.serving_alone import serving_alone

    settings = load_settings(host=host, port=port)
    with serving_alone(settings):
        listener = listen(settings.host, settings.port)
        if demo:
            from app.cli.demo import print_demo, run_demo

            print_demo(run_demo(settings))
        else:
            _refuse_pending(settings)
        _run(settings, listener)


def _refuse_pending(settings: Settings) -> None:
    from app.cli.migrate import waiting_migrations
    from app.cli.sessions import not_migrated

    waiting = waiting_migrations(settings)
    if waiting:
        raise not_migrated(waiting, exit_code=PENDING)


def listen(host: str, port: int) -> socket.socket:
    """A bound socket, before anything slow is done; a port that is taken is told as such."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        reason = error.strerror or str(error)
        text = f"Cannot listen on {host} port {port}: {reason}. Choose others with --host and --port."
        raise CommandFailed("cannot_listen", text, host=host, port=port) from error


def configured(settings: Settings) -> "uvicorn.Config":
    """The server's configuration. Its own logs go through the root logger; requests are logged by the application."""
    import uvicorn
    from uvicorn.importer import import_from_string

    return uvicorn.Config(
        import_from_string("app.asgi:create_app")(settings),
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",
        ws_max_size=settings.max_body_bytes,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=settings.forwarded_allow_ips,
        timeout_graceful_shutdown=settings.shutdown_seconds,
    )


def _run(settings: Settings, listener: socket.socket) -> None:
    import uvicorn

    class Server(uvicorn.Server):
        """Says where it listens once it does."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started and not self.should_exit:
                _announce(settings)

    server = Server(configured(settings))
    try:
        server.run(sockets=[listener])
    except KeyboardInterrupt:
        # Ctrl-C, given again by uvicorn once everything has stopped.
        return
    if not server.started:
        raise CommandFailed("start_failed", "The server could not start; the log above says why.")


def _announce(settings: Settings) -> None:
    where = f"Dovetail listens on http://{settings.host}:{settings.port} (process {os.getpid()}); Ctrl-C stops it."
    if wants_json():
        emit({"url": settings.url, "pid": os.getpid()}, "")
    else:
        click.echo(where, err=True)
