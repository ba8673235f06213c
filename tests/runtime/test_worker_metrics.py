"""What workers tell each other of their metrics, on a disk that does not always take it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.metrics import Metrics

pytestmark = pytest.mark.runtime


def test_each_series_has_its_worker(tmp_path: Path) -> None:
    metrics = Metrics(tmp_path)
    metrics.observe("server", "GET", 200, 0.01)
    line = f'dovetail_requests_total{{method="GET",status="200",surface="server",worker="{os.getpid()}"}} 1.0'
    assert line in metrics.render().decode().splitlines()
    assert "worker=" not in Metrics().render().decode()


def test_a_worker_that_ended_is_forgotten(tmp_path: Path) -> None:
    metrics, ended = Metrics(tmp_path), subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left = tmp_path / f"{ended.pid}.json"
    left.write_bytes(b'[["dovetail_bus_readers","Open subscriptions.","gauge",[["dovetail_bus_readers",{},7.0]]]]')
    assert f'worker="{ended.pid}"' not in metrics.render().decode()
    assert not left.exists()


def test_no_room_for_the_metrics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told once; nothing else breaks, and the counts go on."""
    told: list[str] = []
    monkeypatch.setattr("app.worker_metrics.LOG", SimpleNamespace(warning=lambda event, **_: told.append(event)))
    folder = tmp_path / "gone"
    metrics = Metrics(folder)
    for _ in range(3):
        metrics.observe("server", "GET", 200, 0.01)
        assert metrics.render() == b""
    folder.mkdir()
    assert "dovetail_requests_total" in metrics.render().decode()
    assert told == ["the metrics of this worker are not written"]
    samples = [line for line in metrics.render().decode().splitlines() if line.startswith("dovetail_requests_total{")]
    assert [line.rpartition(" ")[2] for line in samples] == ["3.0"]


@pytest.mark.parametrize(("parent_lives", "others", "left"), [(True, 0, True), (False, 1, True), (False, 0, False)])
def test_the_last_worker_of_a_killed_parent_leaves_nothing(
    parent_lives: bool, others: int, left: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "metrics"
    folder.mkdir()
    metrics = Metrics(folder)
    assert metrics.workers is not None
    metrics.workers.write()
    for number in range(others):
        (folder / f"{number}.json").touch()
    parent = SimpleNamespace(is_alive=lambda: parent_lives)
    monkeypatch.setattr("app.worker_metrics.multiprocessing", SimpleNamespace(parent_process=lambda: parent))
    metrics.workers.close()
    assert folder.exists() == left
    assert not (folder / f"{os.getpid()}.json").exists()
