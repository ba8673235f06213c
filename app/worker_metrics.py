"""Metrics of several workers: whichever of them is asked tells of all, each series with the worker's process id.

A sum would fall when a worker ends, and to Prometheus what falls was reset. A worker tells of itself as of the others,
by what it wrote: of a count that one answer had, no later answer has less.
"""

import multiprocessing
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import structlog
from prometheus_client import CollectorRegistry, Metric

LABEL = "worker"
SECONDS = 1.0
LOG = structlog.get_logger("dovetail.metrics")


class Family(msgspec.Struct, array_like=True):
    """One metric of one worker; each sample is its name, labels and value."""

    name: str
    text: str
    kind: str
    samples: list[tuple[str, dict[str, str], float]]


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(list[Family])


class WorkerMetrics:
    """A file for each worker, in a folder that the workers of one server share."""

    def __init__(self, folder: Path, registry: CollectorRegistry) -> None:
        self._folder, self._registry = folder, registry
        self._file = folder / f"{os.getpid()}.json"
        self._failing = False

    def write(self) -> None:
        """What this worker has counted, whole or not at all. A disk without room is told once; the counts go on."""
        beside = self._file.with_suffix(".new")
        try:
            beside.write_bytes(_ENCODER.encode(list(_families(self._registry.collect()))))
            beside.replace(self._file)
        except OSError as error:
            if not self._failing:
                LOG.warning("the metrics of this worker are not written", reason=str(error))
            self._failing = True
        else:
            self._failing = False

    def close(self) -> None:
        """This worker ends. The last one whose parent was killed takes the folder along, as the parent would have."""
        self._file.unlink(missing_ok=True)
        parent = multiprocessing.parent_process()
        if parent is not None and not parent.is_alive() and self._folder.is_dir() and not any(self._folder.iterdir()):
            self._folder.rmdir()

    def collect(self) -> Iterator[Metric]:
        """As prometheus_client asks a collector: each metric once, with the series of every worker that lives."""
        self.write()
        merged: dict[str, Metric] = {}
        for file in sorted(self._folder.glob("*.json")):
            for family in self._read(file):
                metric = merged.setdefault(family.name, Metric(family.name, family.text, family.kind))
                for name, labels, value in family.samples:
                    metric.add_sample(name, labels | {LABEL: file.stem}, value)
        yield from merged.values()

    def _read(self, file: Path) -> list[Family]:
        if not _lives(int(file.stem)):
            file.unlink(missing_ok=True)
            return []
        try:
            return _DECODER.decode(file.read_bytes())
        except FileNotFoundError:
            # Another worker found that this one had ended.
            return []


def _families(metrics: Iterable[Metric]) -> Iterator[Family]:
    for metric in metrics:
        samples = [(sample.name, dict(sample.labels), float(sample.value)) for sample in metric.samples]
        yield Family(metric.name, metric.documentation, metric.type, samples)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
