"""The image of deploy/Dockerfile without a container: built into a folder, run on a read-only root file system."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.deploy.dockerfile import Outside, context, last, stages

SYSTEM = Path("/usr/bin/python3")
UID = 10_001
#: Makes everything read-only but the home folder and /dev, as `read_only: true` does.
_READ_ONLY = 'mount --make-rprivate / && mount --bind "$1" "$1" && mount -o remount,ro,bind / && shift && exec "$@"'


class Built(NamedTuple):
    """`opt` is what the image has as /opt/dovetail, `home` its volume, `wheels` what was built on the way."""

    folder: Path
    python: str

    @property
    def opt(self) -> Path:
        return self.folder / "opt"

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def wheel(self) -> Path:
        (found,) = (self.folder / "wheels").glob("dovetail-*.whl")
        return found

    def environment(self, **settings: str) -> dict[str, str]:
        """What the image's ENV says, and nothing of this machine's."""
        image = dict(word.split("=", 1) for word in shlex.split(self.placed(last(stages()[-1], "ENV"))))
        return image | {f"DOVETAIL_{name.upper()}": value for name, value in settings.items()}

    def placed(self, text: str) -> str:
        """The text with the image's paths as they are here."""
        return text.replace("/opt/dovetail", str(self.opt)).replace("/var/lib/dovetail", str(self.home))

    def confined(self, *words: str) -> list[str]:
        """The command as the container runs it: no root, no privileges, nothing to write but the home folder."""
        if os.geteuid() != 0:
            return list(words)
        user = ["--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]
        if self.python == str(SYSTEM):
            user = [f"--reuid={UID}", f"--regid={UID}", "--clear-groups", *user]
        command = ["setpriv", *user, *words]
        return ["unshare", "--mount", "sh", "-c", _READ_ONLY, "sh", str(self.home), *command] if unshares() else command

    def run(self, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
        environ = self.environment(**settings)
        return subprocess.run(
            self.confined(*words), env=environ, cwd=self.home, capture_output=True, text=True, timeout=120, check=False
        )


def unshares() -> bool:
    """Whether this machine lets us have mounts of our own."""
    return subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode == 0


def _python() -> str:
    """One that others than root may run, where there is one that is new enough."""
    code = "import sys, venv; sys.exit(sys.version_info < (3, 11))"
    fits = SYSTEM.exists() and not subprocess.run([str(SYSTEM), "-c", code], check=False).returncode
    return str(SYSTEM) if fits and os.geteuid() == 0 else sys.executable


@contextmanager
def built() -> Iterator[Built]:
    """Run every RUN and COPY of the Dockerfile; takes as long as installing the locked packages does."""
    folder, python = Path(tempfile.mkdtemp(prefix="dovetail-image-")), _python()
    folder.chmod(0o755)
    for name in ("context", "src", "programs"):
        (folder / name).mkdir()
    (folder / "programs" / "python").write_text(f'#!/bin/sh\nexec {shlex.quote(python)} "$@"\n', encoding="utf-8")
    (folder / "programs" / "python").chmod(0o755)
    context(folder / "context")
    places = {"/opt/dovetail": f"{folder}/opt", "/wheels": f"{folder}/wheels", "/var/lib/dovetail": f"{folder}/home"}
    path = f"{folder / 'programs'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    outside = Outside(folder / "context", folder / "src", places, path)
    try:
        for stage in stages():
            outside.run(stage)
        yield Built(folder, python)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
