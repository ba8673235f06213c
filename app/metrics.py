"""Prometheus metrics (the text format, version 0.0.4): of this process, or of all workers of a server."""

from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from app.worker_metrics import WorkerMetrics

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)


class Metrics:
    """One registry an application, so that two in one process do not share counts.

    `folder` is shared by the workers of a server; without it there is one process.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.registry = CollectorRegistry()
        self.workers = None if folder is None else WorkerMetrics(folder, self.registry)
        ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "dovetail_requests_total", "Requests answered.", ["surface", "method", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "dovetail_request_seconds", "Time to the answer's end.", ["surface"], buckets=_BUCKETS,
            registry=self.registry,
        )  # fmt: skip
        self.open_requests = Gauge("dovetail_open_requests", "Requests being answered.", registry=self.registry)
        self.readers = Gauge("dovetail_bus_readers", "Open subscriptions.", registry=self.registry)
        self._refreshes = Counter(
            "dovetail_oauth2_refreshes_total", "Refreshes of OAuth2 tokens.", ["result"], registry=self.registry
        )
        self.webhooks = Counter(
            "dovetail_webhooks_total", "Webhooks answered: accepted, duplicate, challenge, or the code of the refusal.",
            ["outcome"], registry=self.registry,
        )  # fmt: skip
        self._children: dict[tuple[str, str, int], Counter] = {}
        self._timers: dict[str, Histogram] = {}

    def observe(self, surface: str, method: str, status: int, seconds: float) -> None:
        name = (surface, method, status)
        if name not in self._children:
            self._children[name] = self._requests.labels(surface, method, str(status))
        if surface not in self._timers:
            self._timers[surface] = self._seconds.labels(surface)
        self._children[name].inc()
        self._timers[surface].observe(seconds)

    def refreshed(self, result: str) -> None:
        self._refreshes.labels(result).inc()

    def render(self) -> bytes:
        return generate_latest(self.workers or self.registry)
