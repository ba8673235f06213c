"""The roof: the one module that knows both surfaces. A request is given its id, sent to its surface, and logged."""

import asyncio
from functools import partial
from time import perf_counter
from typing import Any

import structlog

from app import assets
from app.answers import send_answer
from app.database.waiting import waiting
from app.database.write_probe import WriteProbe
from app.errors import DomainError, Internal, MethodNotAllowed, NotFound, PayloadTooLarge, Unavailable
from app.headers import header, prefers
from app.ids import accept_request_id
from app.logs import configure_logs
from app.metrics import CONTENT_TYPE, Metrics
from app.plain import answer_json, answer_platform_error, encoded
from app.reference.front import FRONT
from app.reference.site import HOME, Site
from app.settings import Settings, load_settings
from app.shown_paths import shown_path
from app.worker_metrics import SECONDS, WorkerMetrics
from graph.schema import build_schema, printed
from graph.server import GraphqlServer
from graph.wire import PLAIN_JSON, refused, send_reply
from rest.contracts.documents import learn_contracts
from rest.contracts.mounting import Mounted, mount
from rest.legacy_v1 import LEGACY_PREFIX, LegacyV1
from services.duties import run_duties
from services.runtime import Runtime

LOG = structlog.get_logger("dovetail.http")
V1 = "/integrations/v1"
#: Who asks whether the server is ready does not wait for a database that hangs.
_READY_SECONDS = 2.0
#: How long a stop may take once requests have ended: a token that was asked for (10 s), and what waits to be written.
LAST_SECONDS = 12.0
#: What connections find in the state of the lifespan (app.cli.connections): a call that completes streams.
END_STREAMS = "end_streams"
_CUT_OFF = "The server stopped before this had ended; what it was to change may have been changed."
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Application:
    """ASGI 3. The lifespan opens the runtime and its duties, and writes out what is held when it stops."""

    def __init__(self, settings: Settings, metrics: Metrics | None = None) -> None:
        self.settings = settings
        self.runtime = Runtime(settings)
        self.metrics = metrics or Metrics()
        self.runtime.refreshes.observe = self.metrics.refreshed
        self._write_probe = WriteProbe(self.runtime.database)
        self._contracts = mount(self.runtime)
        successor = self._contracts[V1].surface if settings.legacy_paths else None
        self._legacy = LegacyV1(successor, settings.legacy_sunset)
        schema = build_schema()
        self._graphql = GraphqlServer(self.runtime, schema, self._page)
        sdl = partial(printed, schema)
        learn_contracts(self.runtime.usage.elements, self.runtime.contracts, sdl)
        self._reference = Site(settings.url, sdl, self.runtime.clock)
        self._assets = assets.load_assets()
        self._duties: asyncio.Task[None] | None = None
        self._telling: asyncio.Task[None] | None = None
        self._ending: asyncio.Future[None] | None = None

    async def start(self) -> None:
        await self.runtime.start()
        self._duties = asyncio.create_task(run_duties(self.runtime))
        self._duties.add_done_callback(_say_why)
        if self.metrics.workers is not None:
            self._telling = asyncio.create_task(self._tell_workers(self.metrics.workers))
            self._telling.add_done_callback(_say_why)

    def end_streams(self) -> None:
        """Complete what is listened to; a server that stops waits for its connections before it says so."""
        if self._ending is None:
            self._ending = asyncio.ensure_future(self._graphql.stop())

    async def stop(self) -> None:
        """In order, as long as that gets on; a database that hangs must not hold the server up."""
        self.end_streams()
        last = asyncio.ensure_future(self._write_out())
        ended, _ = await asyncio.wait([last], timeout=LAST_SECONDS)
        if not ended:
            LOG.warning("not everything could be written out", reason=f"It took longer than {LAST_SECONDS:g} seconds.")
            last.cancel()
        if self.metrics.workers is not None:
            self.metrics.workers.close()
        await self.runtime.close(hurry=not ended)
        for done in ended:
            done.result()

    async def _write_out(self) -> None:
        await asyncio.gather(*filter(None, [self._ending]), return_exceptions=True)
        for task in filter(None, (self._telling, self._duties)):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await self.runtime.write_out()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            scope.setdefault("state", {})[END_STREAMS] = self.end_streams
            await self._lifespan(receive, send)
        else:
            await self._request(scope, receive, send)

    async def _lifespan(self, receive: Any, send: Any) -> None:
        while True:
            message = await receive()
            step = message["type"].removeprefix("lifespan.")
            try:
                await (self.start() if step == "startup" else self.stop())
            except Exception as error:
                LOG.exception("the server cannot go on", step=step)
                await send({"type": f"lifespan.{step}.failed", "message": str(error)})
                return
            await send({"type": f"lifespan.{step}.complete"})
            if step == "shutdown":
                return

    async def _request(self, scope: Any, receive: Any, send: Any) -> None:
        request_id = accept_request_id(header(scope, b"x-request-id"))
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        if scope["type"] == "websocket":
            await self._dispatch(scope, receive, send)
            return
        started, seen = perf_counter(), [500]

        async def send_tagged(message: Any) -> None:
            if message["type"] == "http.response.start":
                seen[:] = [message["status"], 1]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        self.metrics.open_requests.inc()
        try:
            await self._dispatch(scope, receive, send_tagged)
        except asyncio.CancelledError:
            # The server stops, and has waited for this as long as it may.
            if not seen[1:]:
                await self._refuse(scope, send_tagged, Unavailable(_CUT_OFF))
            raise
        except Exception:
            # The last resort: a surface answers its own errors, and what gets here is a defect of ours.
            LOG.exception("a request broke", request_id=request_id, path=shown_path(scope["path"]))
            if not seen[1:]:
                await self._refuse(scope, send_tagged, Internal())
        finally:
            self.metrics.open_requests.dec()
            self._note(scope, seen[0], perf_counter() - started)

    def _note(self, scope: Any, status: int, seconds: float) -> None:
        surface = self._surface(scope["path"])
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self.metrics.observe(surface, method, status, seconds)
        if "webhook" in scope["state"]:
            self.metrics.webhooks.labels(scope["state"]["webhook"]).inc()
        LOG.info(
            "request",
            request_id=scope["state"]["request_id"],
            surface=surface,
            method=scope["method"],
            path=shown_path(scope["path"]),
            status=status,
            ms=round(seconds * 1_000, 2),
        )

    async def _dispatch(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        if _is_below(path, "/graphql"):
            await self._graphql(scope, receive, send)
        elif scope["type"] == "http" and _too_large(scope, self._most_bytes(path)):
            await self._refuse(scope, send, PayloadTooLarge())
        elif (contract := self._contract(path)) is not None:
            await contract.surface(_below(scope, contract.prefix), receive, send)
        elif scope["type"] == "http" and _is_below(path, LEGACY_PREFIX):
            await self._legacy(_below(scope, LEGACY_PREFIX), receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 4404, "reason": "There is no stream here."})
        else:
            await self._own(scope, send)

    def _most_bytes(self, path: str) -> int:
        """The largest body that a path takes, as far as its length says; a surface counts what comes without one."""
        contract, usual = self._contract(path), self.settings.max_body_bytes
        return usual if contract is None else contract.most_bytes(path, usual)

    def _surface(self, path: str) -> str:
        """What logs and metrics call the surface of a path."""
        if (contract := self._contract(path)) is not None:
            return contract.prefix[1:]
        prefixes = {"v1": LEGACY_PREFIX, "graphql": "/graphql"}
        return next((name for name, prefix in prefixes.items() if _is_below(path, prefix)), "server")

    def _contract(self, path: str) -> Mounted | None:
        return next((found for prefix, found in self._contracts.items() if _is_below(path, prefix)), None)

    async def _own(self, scope: Any, send: Any) -> None:
        """Health, metrics, and the files of the console."""
        path, method = scope["path"].rstrip("/") or "/", scope["method"]
        routes = {
            "/": self._index,
            "/health/live": self._live,
            "/health/ready": self._ready,
            "/metrics": self._metrics,
        }
        if path in routes or path in self._assets:
            if method not in ("GET", "HEAD"):
                await answer_platform_error(scope, send, MethodNotAllowed(), {"allow": "GET, HEAD"})
            elif path in routes:
                await routes[path](scope, send)
            else:
                status, headers, body = self._file(scope, path)
                await send_answer(send, status, encoded(headers), body)
        elif _is_below(path, HOME):
            await self._docs(scope, send, path)
        else:
            await answer_platform_error(scope, send, NotFound(f"There is nothing at {scope['path'][:200]}."))

    async def _docs(self, scope: Any, send: Any, path: str) -> None:
        """The reference pages; one that is not made yet is made beside the requests that run."""
        if scope["method"] not in ("GET", "HEAD"):
            await answer_platform_error(scope, send, MethodNotAllowed(), {"allow": "GET, HEAD"})
            return
        known, version = header(scope, b"if-none-match"), _query(scope).get("v")
        found = await asyncio.to_thread(self._reference.answer, path, version=version, if_none_match=known)
        if found is None:
            await answer_platform_error(scope, send, NotFound(f"There is nothing at {scope['path'][:200]}."))
            return
        status, headers, body = found
        await send_answer(send, status, encoded(headers), body)

    async def _refuse(self, scope: Any, send: Any, error: DomainError) -> None:
        path, request_id = scope["path"], scope["state"]["request_id"]
        later = {"Retry-After": str(error.RETRY_AFTER)} if isinstance(error, Unavailable) else {}
        contract = self._contracts[V1] if _is_below(path, LEGACY_PREFIX) else self._contract(path)
        if contract is not None:
            status, body = contract.refusal(path, request_id, error)
            await send_answer(send, status, encoded({"Content-Type": contract.media} | later), body)
        elif _is_below(path, "/graphql"):
            await send_reply(send, refused(error, request_id, PLAIN_JSON, later))
        else:
            await answer_platform_error(scope, send, error, later)

    def _page(self, scope: Any) -> tuple[int, dict[str, str], bytes]:
        return self._file(scope, assets.PAGE)

    def _file(self, scope: Any, path: str) -> tuple[int, dict[str, str], bytes]:
        known, version = header(scope, b"if-none-match"), _query(scope).get("v")
        return assets.answer(path, self._assets[path], version=version, if_none_match=known)

    async def _index(self, scope: Any, send: Any) -> None:
        """A page for browsers, JSON for everybody else."""
        if prefers(header(scope, b"accept"), "text/html", "application/json"):
            await self._docs(scope, send, FRONT)
            return
        found = {
            "service": "dovetail",
            "graphql": "/graphql",
            "contract": f"{V1}/openapi.json",
            "docs": HOME,
            "health": "/health/ready",
        }
        await answer_json(send, 200, found, (b"vary", b"Accept"))

    async def _live(self, scope: Any, send: Any) -> None:
        await answer_json(send, 200, {"status": "ok"})

    async def _ready(self, scope: Any, send: Any) -> None:
        """Ready when the database answers and takes writes, no migration waits, and the duties are running."""
        checks = {"database": "ok", "migrations": "ok", "writes": "unknown", "duties": "ok"}
        try:
            async with asyncio.timeout(_READY_SECONDS):
                await self.runtime.database.ping()
                if missing := await waiting(self.runtime.database):
                    checks["migrations"] = f"{len(missing)} pending"
                checks["writes"] = "waiting"
                checks["writes"] = await self._write_probe.writes()
        except (Unavailable, TimeoutError):
            if checks["writes"] != "waiting":
                checks |= {"database": "away", "migrations": "unknown"}
        if self._duties is None or self._duties.done():
            checks["duties"] = "stopped"
        ready = all(state == "ok" for state in checks.values())
        await answer_json(send, 200 if ready else 503, {"status": "ok" if ready else "unavailable", "checks": checks})

    async def _tell_workers(self, workers: WorkerMetrics) -> None:
        """The other workers read here what this one would answer to `/metrics`."""
        while True:
            self.metrics.readers.set(self.runtime.bus.readers())
            workers.write()
            await asyncio.sleep(SECONDS)

    async def _metrics(self, scope: Any, send: Any) -> None:
        self.metrics.readers.set(self.runtime.bus.readers())
        await send_answer(send, 200, [(b"content-type", CONTENT_TYPE.encode())], self.metrics.render())


def _query(scope: Any) -> dict[str, str]:
    return dict(pair.partition("=")[::2] for pair in scope["query_string"].decode("latin-1").split("&"))


def _say_why(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and task.exception() is not None:
        LOG.error("the duties have stopped", exc_info=task.exception())


def _is_below(path: str, prefix: str) -> bool:
    return path.startswith(prefix) and path[len(prefix) : len(prefix) + 1] in ("", "/")


def _below(scope: Any, prefix: str) -> Any:
    """The scope as the application of that prefix sees it."""
    return dict(scope, path=scope["path"][len(prefix) :] or "/", raw_path=None, root_path="")


def _too_large(scope: Any, most: int) -> bool:
    length = header(scope, b"content-length")
    return length is not None and length.isdigit() and int(length[:20]) > most


def create_app(settings: Settings | None = None, metrics: Metrics | None = None) -> Application:
    """The application; settings from the environment unless given. Who runs it configures the logs."""
    return Application(settings or load_settings(), metrics)


def __getattr__(name: str) -> Any:
    # `uvicorn app.asgi:app` works, and importing this module opens nothing.
    if name == "app":
        settings = load_settings()
        configure_logs(settings.log_level)
        return create_app(settings)
    raise AttributeError(name)
