"""A small reader of deploy/Dockerfile: its stages, and their RUN lines run outside of a container."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from tests.deploy.front import ROOT

DOCKERFILE = ROOT / "deploy" / "Dockerfile"


class Instruction(NamedTuple):
    name: str
    text: str


def instructions(text: str) -> list[Instruction]:
    """Every instruction, with its continued lines joined."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    split = [line.partition(" ") for line in joined.splitlines() if line.strip()]
    return [Instruction(name.upper(), rest.strip()) for name, _, rest in split]


def stages() -> list[list[Instruction]]:
    """The instructions of each stage; a stage begins with its FROM."""
    found: list[list[Instruction]] = []
    for one in instructions(DOCKERFILE.read_text(encoding="utf-8")):
        if one.name == "FROM":
            found.append([])
        if found:
            found[-1].append(one)
    return found


def last(stage: list[Instruction], name: str) -> str:
    return [one.text for one in stage if one.name == name][-1]


def exec_form(text: str) -> list[str]:
    """The words of a command in JSON form; a shell form is refused by json."""
    return [str(word) for word in json.loads(text)]


def context(folder: Path) -> None:
    """What .dockerignore lets into the build, copied from what git knows; checked in its simple form."""
    rules = [line for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line.strip()]
    rules = [rule for rule in rules if not rule.startswith("#")]
    assert rules[0] == "*", "nothing goes in but what is named"
    kept = [rule.removeprefix("!") for rule in rules if rule.startswith("!")]
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *kept]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    for name in listed:
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)


class Outside:
    """Runs the instructions of a stage in folders of its own; `places` says what stands for which path."""

    def __init__(self, sources: Path, workdir: Path, places: dict[str, str], path: str) -> None:
        self._sources, self._workdir, self._places, self._path = sources, workdir, places, path

    def run(self, stage: list[Instruction]) -> None:
        for one in stage:
            if one.name == "RUN":
                self._run(one.text)
            elif one.name == "COPY" and "--from" not in one.text:
                self._copy(one.text)

    def placed(self, text: str) -> str:
        for place, instead in self._places.items():
            text = text.replace(place, instead)
        return text

    def _run(self, text: str) -> None:
        environ = {"PATH": self._path, "HOME": str(self._workdir)}
        command = ["sh", "-euc", self.placed(text)]
        found = subprocess.run(command, cwd=self._workdir, env=_with_index(environ), capture_output=True, text=True)
        assert found.returncode == 0, f"{text}\n{found.stdout[-2_000:]}{found.stderr[-2_000:]}"

    def _copy(self, text: str) -> None:
        *sources, target = shlex.split(text)
        for name in sources:
            source, goal = self._sources / name, Path(self.placed(target))
            goal = goal if goal.is_absolute() else self._workdir / goal
            if source.is_dir():
                shutil.copytree(source, goal, dirs_exist_ok=True)
            else:
                into = goal / source.name if goal.is_dir() or target.endswith("/") else goal
                into.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, into)


def _with_index(environ: dict[str, str]) -> dict[str, str]:
    """How this machine reaches its package index is not the Dockerfile's business, and is kept."""
    import os

    kept = ("PIP_", "UV_", "NPM_", "npm_", "SSL_", "REQUESTS_", "http", "HTTP", "no_proxy", "NO_PROXY", "NODE_")
    return {name: value for name, value in os.environ.items() if name.startswith(kept)} | environ
